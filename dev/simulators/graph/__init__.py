"""Microsoft Graph v1.0: users, contact folders, contacts, delta and batches."""
