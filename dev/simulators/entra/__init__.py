"""Microsoft Entra: the token endpoint and the discovery documents that MSAL reads."""
