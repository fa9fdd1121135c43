"""Random histories of the whole engine on the in-memory world, in modules by theme: who acts, and what must hold."""
