"""The Outlook side: reads and writes contacts over Microsoft Graph."""
