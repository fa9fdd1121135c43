"""What runs cost, counted at the simulators and at the storage emulator: `make bench`."""
