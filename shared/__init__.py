"""The sync itself: pure core, engine, adapters."""
