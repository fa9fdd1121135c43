"""Each rule of the sync (R1 to R35, R37, R41), as tests named after it. A broken rule breaks its tests."""
