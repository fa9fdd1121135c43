"""What can go wrong while the development host starts."""


class HostStartError(Exception):
    """The host refuses to start; the message says which function or setting is at fault and what to do."""
