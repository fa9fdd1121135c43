"""What a run will do, decided from values alone."""
