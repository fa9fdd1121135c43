"""The control interface's server side: POST /control/{action} with a JSON object of arguments.

Actions every service has (they act on what the services share); a service adds its own in `Service.actions`.

| action | arguments |
|---|---|
| clock | set (ISO time), advance (seconds), speed; any or none -> {"now", "speed"} |
| fault | act and the conditions of `faults.Rule` -> id |
| faults, clear_faults | -; id |
| latency | service, request, item, batch (simulated seconds) |
| log, log_counts, log_reset, log_number | see `request_log.RequestLog` |
| revoke_tokens | - |
| deliveries | service, since -> what was sent to other servers, see `outgoing.Delivery` |
| wait_for_deliveries | due_only, timeout (real seconds) |
| send_notifications | url, body, content_type -> {"status", "milliseconds", "text"} |
| defects | - -> tracebacks of mistakes in the simulators themselves |
"""

import inspect
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dev.simulators.exchange import Answer
from dev.simulators.world import World

type Action = Callable[..., Any]  #: may be a coroutine function


def shared_actions(world: World) -> dict[str, Action]:
    """Return the actions that every service offers."""
    return {
        "clock": lambda **changes: _clock(world, **changes),
        "fault": world.faults.add,
        "faults": world.faults.read,
        "clear_faults": world.faults.clear,
        "latency": world.latency.set,
        "log": world.log.read,
        "log_counts": world.log.counts,
        "log_reset": world.log.reset,
        "log_number": lambda: world.log.last_number,
        "revoke_tokens": world.tokens.revoke_all,
        "deliveries": world.outgoing.deliveries,
        "wait_for_deliveries": world.outgoing.quiet,
        "send_notifications": world.outgoing.send_raw,
        "defects": lambda: world.defects,
    }


async def act(actions: Mapping[str, Action], name: str, body: bytes) -> Answer:
    """Carry out one action; mistakes of the caller come back as 400 with the reason."""
    action = actions.get(name)
    if action is None:
        return Answer(404, {"error": f"no action {name!r}; there are {sorted(actions)}"})
    try:
        result = action(**json.loads(body or b"{}"))
        return Answer(200, {"result": await result if inspect.isawaitable(result) else result})
    except (TypeError, ValueError, LookupError, TimeoutError) as mistake:
        return Answer(400, {"error": f"{name}: {type(mistake).__name__}: {mistake}"})


def _clock(
    world: World,
    set: str | None = None,  # noqa: A002 - the argument's name over the wire
    advance: float = 0.0,
    speed: float | None = None,
) -> dict[str, Any]:
    if set is not None:
        world.clock.set(datetime.fromisoformat(set))
    if advance:
        world.clock.advance(advance)
    if speed is not None:
        world.clock.speed = speed
    return {"now": world.clock.now().isoformat(), "speed": world.clock.speed}
