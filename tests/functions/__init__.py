"""The triggers, called as functions, on everything in memory."""
