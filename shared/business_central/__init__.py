"""The Business Central side: reads and writes contacts over API v2.0."""
