"""What the worker library reports about the app's functions, as values: triggers and queue outputs.

Everything that the real host checks before it starts listening is checked here, so that a mistake shows on the laptop:
missing settings, reserved or conflicting routes, schedules that do not parse, bindings that this host cannot serve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dev.host.errors import HostStartError
from dev.host.settings import connection_string, expand, is_disabled
from dev.host.timers import check_schedule


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """An `httpTrigger` binding. No methods means every method."""

    argument: str
    route: str
    methods: frozenset[str]
    auth_level: str


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """A `timerTrigger` binding: six-field schedule in UTC."""

    argument: str
    schedule: str
    run_on_startup: bool


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """A `queueTrigger` binding; `connection` is the connection string itself."""

    argument: str
    queue: str
    connection: str


@dataclass(frozen=True, slots=True)
class QueueOutput:
    """A `queue` output binding; `connection` is the connection string itself."""

    queue: str
    connection: str


type Trigger = HttpTrigger | TimerTrigger | QueueTrigger


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app: the worker's id for it, its trigger and its outputs by argument name."""

    name: str
    id: str
    trigger: Trigger
    outputs: Mapping[str, QueueOutput]
    disabled: bool


@dataclass(frozen=True, slots=True)
class IndexedFunction:
    """A function as the worker library reports it: its bindings are raw dictionaries."""

    name: str
    id: str
    bindings: Sequence[Mapping[str, Any]]


def describe(indexed: Sequence[IndexedFunction], settings: Mapping[str, str]) -> tuple[Function, ...]:
    """Turn raw bindings into functions, ordered by name as the real host orders them.

    Raises HostStartError when there is nothing to run or when the real host would refuse a function.
    """
    if not indexed:
        raise HostStartError(
            "The app has no functions. Is there a FunctionApp in function_app.py, and are all blueprints registered?"
        )
    functions = tuple(_function(each, settings) for each in sorted(indexed, key=lambda each: each.name.lower()))
    _check_names(functions)
    _check_routes(functions)
    return functions


def _function(indexed: IndexedFunction, settings: Mapping[str, str]) -> Function:
    trigger: Trigger | None = None
    outputs: dict[str, QueueOutput] = {}
    where = f"Function {indexed.name}"
    for binding in indexed.bindings:
        match binding["type"]:
            case "httpTrigger":
                trigger = _http(indexed.name, binding)
            case "timerTrigger":
                schedule = expand(binding["schedule"], settings, where)
                check_schedule(schedule, where)
                trigger = TimerTrigger(binding["name"], schedule, bool(binding.get("runOnStartup")))
            case "queueTrigger":
                queue, connection = _queue(binding, settings, where)
                trigger = QueueTrigger(binding["name"], queue, connection)
            case "queue":
                outputs[binding["name"]] = QueueOutput(*_queue(binding, settings, where))
            case "http":
                pass  # the answer of an HTTP function: its value is the invocation's result
            case other:
                raise HostStartError(f"{where}: the development host does not know bindings of type {other!r}.")
    if trigger is None:
        raise HostStartError(f"{where} has no trigger.")
    return Function(indexed.name, indexed.id, trigger, outputs, is_disabled(indexed.name, settings))


def _http(name: str, binding: Mapping[str, Any]) -> HttpTrigger:
    methods = frozenset(str(method).upper() for method in binding.get("methods") or ())
    if "GET" in methods:
        methods |= {"HEAD"}  # as on the platform: whoever answers GET answers HEAD
    return HttpTrigger(
        argument=binding["name"],
        route=str(binding.get("route") or name).strip("/"),
        methods=methods,
        auth_level=str(binding.get("authLevel") or "FUNCTION").upper(),
    )


def _queue(binding: Mapping[str, Any], settings: Mapping[str, str], where: str) -> tuple[str, str]:
    connection = binding.get("connection") or "AzureWebJobsStorage"
    # queue names are lower case on the service; the platform folds them, too
    return expand(binding["queueName"], settings, where).lower(), connection_string(connection, settings, where)


def _check_names(functions: Sequence[Function]) -> None:
    names: set[str] = set()
    for function in functions:
        if function.name.lower() in names:
            raise HostStartError(f"Two functions are called {function.name}: names differ by more than letter case.")
        names.add(function.name.lower())


def _check_routes(functions: Sequence[Function]) -> None:
    taken: list[tuple[str, HttpTrigger]] = []
    for function in functions:
        trigger = function.trigger
        if not isinstance(trigger, HttpTrigger):
            continue
        # Reserved with any route prefix: the real host looks at the template alone (azure-functions-host issue 1781).
        if trigger.route.lower().startswith(("admin", "runtime")):
            raise HostStartError(
                f"Function {function.name}: the route {trigger.route!r} conflicts with one or more built in routes "
                "('admin', 'runtime'). Use another route, or an empty routePrefix and a route that names the prefix."
            )
        for name, other in taken:
            overlap = not trigger.methods or not other.methods or trigger.methods & other.methods
            if other.route.lower() == trigger.route.lower() and overlap:
                raise HostStartError(
                    f"Function {function.name}: the route {trigger.route!r} conflicts with the route defined by "
                    f"function {name}."
                )
        taken.append((function.name, trigger))
