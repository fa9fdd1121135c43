"""The Business Central adapter against the simulator."""
