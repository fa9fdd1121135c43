"""The triggers: parse, call one use case, map the result."""
