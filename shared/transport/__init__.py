"""The one HTTP client, its retry policy and its tokens."""
