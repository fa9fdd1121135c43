"""Runs the function app on this machine, through the worker library that Azure itself uses.

It serves HTTP functions, timers and storage queues as the platform does, and refuses what the platform refuses. It does
not reproduce scale-out, key management, identity-based storage connections, time limits and missed timer occurrences.

Settings of its own, all optional: `DEVHOST_KEYS` (see `keys`) and `DEVHOST_MESSAGE_LEASE` (see `settings`).
"""

from dev.host.errors import HostStartError
from dev.host.process import DevelopmentHost

__all__ = ["DevelopmentHost", "HostStartError"]
