"""The app dies at every request that it makes, and loses and doubles nothing."""
