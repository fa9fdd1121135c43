"""The fault matrix: what must happen when a service, the network or the storage account fails."""
