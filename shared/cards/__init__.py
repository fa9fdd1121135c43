"""What a contact is: pure, knows neither service."""
