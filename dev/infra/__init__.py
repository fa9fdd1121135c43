"""Checks of the deployment templates, and the package that is deployed. Nothing here needs Azure."""
