"""Requests made out of the description, at the running app."""
