"""App settings and host.json: where they come from, what they default to, and which values are refused.

Settings are environment variables. `local.settings.json` fills in what the environment does not have, so that the same
app can be pointed at other services without editing a file. Options of host.json can be overridden by settings named
`AzureFunctionsJobHost__extensions__queues__batchSize`, as on the platform.
"""

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dev.host.errors import HostStartError

JOB_HOST_PREFIX = "AzureFunctionsJobHost__"
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(\.\d{1,7})?")


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues` of host.json; the defaults are the platform's."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    #: how long a *failed* message stays hidden before its next attempt
    visibility_timeout: timedelta = timedelta(0)
    #: ceiling of the back-off while the queue is empty
    max_polling_interval: timedelta = timedelta(minutes=1)
    base64: bool = True
    #: how long a message is hidden while it is worked on, renewed at half time; ten minutes on the platform
    lease: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What the development host takes from host.json."""

    route_prefix: str
    queues: QueueOptions


def load_settings(app_dir: Path, environment: MutableMapping[str, str]) -> None:
    """Add the `Values` of local.settings.json to `environment`, which wins where both have a name."""
    path = app_dir / "local.settings.json"
    if not path.exists():
        return
    content = _read_json(path)
    if content.get("IsEncrypted"):
        raise HostStartError(f"{path.name} is encrypted: set IsEncrypted to false and enter plain values.")
    for name, value in content.get("Values", {}).items():
        if not isinstance(value, str):
            raise HostStartError(f"{path.name}: the value of {name!r} must be a string, not {json.dumps(value)}.")
        environment.setdefault(name, value)


def load_options(app_dir: Path, settings: Mapping[str, str]) -> HostOptions:
    """Read host.json with its overrides; raises HostStartError for a missing file or a value out of range."""
    path = app_dir / "host.json"
    if not path.exists():
        raise HostStartError(f"{app_dir} has no host.json: is it the folder of a function app?")
    options = dict(_flatten(_read_json(path)))
    for name, value in settings.items():
        if name.lower().startswith(JOB_HOST_PREFIX.lower()):
            options[name[len(JOB_HOST_PREFIX) :].lower().replace("__", ".")] = value
    return HostOptions(
        route_prefix=str(options.get("extensions.http.routeprefix", "api")).strip("/"),
        queues=_queue_options(options, settings),
    )


def expand(text: str, settings: Mapping[str, str], where: str) -> str:
    """Replace each %NAME% by the setting of that name; a missing one stops the host, as on the platform."""

    def value(match: re.Match[str]) -> str:
        try:
            return settings[match[1]]
        except KeyError:
            raise HostStartError(f"{where}: '%{match[1]}%' needs the setting {match[1]}, which is missing.") from None

    return re.sub(r"%([^%\s]+)%", value, text)


def connection_string(name: str, settings: Mapping[str, str], where: str) -> str:
    """The storage connection string that a binding names; the prefix `AzureWebJobs` may be left out.

    Only connection strings are understood: identity-based connections need the real platform.
    """
    for candidate in (f"AzureWebJobs{name}", name):
        if settings.get(candidate):
            return settings[candidate]
    raise HostStartError(f"{where}: the setting {name} is missing; it must hold a storage connection string.")


def is_disabled(function: str, settings: Mapping[str, str]) -> bool:
    """Whether `AzureWebJobs.{function}.Disabled` is set.

    Shells cannot set names with a dot, so `AzureWebJobs_{function}_Disabled` (also with two underscores) does the same.
    """
    names = {f"AzureWebJobs{mark}{function}{mark}Disabled".lower() for mark in (".", "_", "__")}
    return any(value.strip().lower() in {"1", "true"} for name, value in settings.items() if name.lower() in names)


def parse_time_span(text: str) -> timedelta:
    """Read `[d.]hh:mm:ss[.fffffff]`; raises ValueError."""
    match = _TIME_SPAN.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a time of the form hh:mm:ss")
    days, hours, minutes, seconds, fraction = match.groups()
    return timedelta(
        days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=int(seconds) + float(fraction or 0)
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise HostStartError(f"{path.name} is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise HostStartError(f"{path.name} must hold a JSON object.")
    return content


def _flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    # configuration names are not case-sensitive on the platform
    for name, value in node.items():
        key = f"{prefix}{name}".lower()
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{key}.")
        else:
            yield key, value


def _queue_options(options: Mapping[str, Any], settings: Mapping[str, str]) -> QueueOptions:
    default = QueueOptions()

    def number(name: str, otherwise: int, low: int, high: int | None = None) -> int:
        value = options.get(f"extensions.queues.{name.lower()}", otherwise)
        try:
            found = int(value)
        except (TypeError, ValueError):
            found = low - 1
        if found < low or (high is not None and found > high):
            limit = f"from {low} to {high}" if high is not None else f"of at least {low}"
            raise HostStartError(f"host.json: queues.{name} must be a number {limit}, not {value!r}.")
        return found

    def duration(name: str, otherwise: timedelta, low: timedelta) -> timedelta:
        value = options.get(f"extensions.queues.{name.lower()}")
        try:
            found = otherwise if value is None else parse_time_span(str(value))
        except ValueError as error:
            raise HostStartError(f"host.json: queues.{name}: {error}.") from None
        if found < low:
            raise HostStartError(f"host.json: queues.{name} must be at least {low}, not {value}.")
        return found

    encoding = str(options.get("extensions.queues.messageencoding", "base64")).lower()
    if encoding not in {"base64", "none"}:
        raise HostStartError(f"host.json: queues.messageEncoding must be 'base64' or 'none', not {encoding!r}.")
    batch_size = number("batchSize", default.batch_size, 1, 32)
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=number("newBatchThreshold", batch_size // 2, 0),
        max_dequeue_count=number("maxDequeueCount", default.max_dequeue_count, 1),
        visibility_timeout=duration("visibilityTimeout", default.visibility_timeout, timedelta(0)),
        max_polling_interval=duration("maxPollingInterval", default.max_polling_interval, timedelta(milliseconds=100)),
        base64=encoding == "base64",
        lease=_lease(settings, default.lease),
    )


def _lease(settings: Mapping[str, str], otherwise: timedelta) -> timedelta:
    # The platform's ten minutes cannot be changed. Tests that kill the host cannot wait so long for a message.
    text = settings.get("DEVHOST_MESSAGE_LEASE")
    if not text:
        return otherwise
    try:
        lease = parse_time_span(text)
    except ValueError as error:
        raise HostStartError(f"DEVHOST_MESSAGE_LEASE: {error}.") from None
    if lease < timedelta(seconds=1):
        raise HostStartError("DEVHOST_MESSAGE_LEASE must be at least one second.")
    return lease
