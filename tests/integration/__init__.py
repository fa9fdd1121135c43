"""The real app in the development host, with the storage emulator and the simulated services."""
