"""State in Azure Table Storage and messages in Azure Queue Storage."""
