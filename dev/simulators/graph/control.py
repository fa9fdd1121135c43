"""Acts as Outlook users and administrators on the Graph simulator."""

from dev.simulators.control_client import ControlClient


class GraphControl(ControlClient):
    """Control client of the Graph simulator."""
