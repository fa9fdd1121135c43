"""The Graph simulator (in the making)."""

from collections.abc import Mapping

from dev.simulators.control import Action
from dev.simulators.exchange import Answer, Request
from dev.simulators.world import World


class Graph:
    """Microsoft Graph v1.0."""

    name = "graph"

    def __init__(self, world: World) -> None:
        """Start with no users."""
        self._world = world
        self.actions: Mapping[str, Action] = {}

    async def answer(self, request: Request) -> Answer:
        """Refuse everything."""
        await self._world.wait(request)
        return Answer(501, {"error": {"code": "NotImplemented", "message": request.path}})
