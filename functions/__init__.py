"""The triggers: parse, call one use case, map the result.

The worker imports all of them before it serves anything, so what a call needs of the engine is imported by the call.
"""
