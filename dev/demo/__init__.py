"""`make demo`: the real app on this machine, and the story of what happens to whom and why."""
