"""The Outlook adapter against the simulator, however the service behaves."""
