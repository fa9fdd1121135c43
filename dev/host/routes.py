"""Route templates: `{id}`, `{id?}`, `{id:int}`, `{*rest}`, matched without regard to letter case.

The platform tries functions in the order of their names and takes the first route that fits, verb included: a literal
segment has no precedence over a parameter. This table does the same, so that a clash shows here and not in production.
A path that fits only with another verb is answered 405 here; some versions of the platform say 404.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from dev.host.errors import HostStartError
from dev.host.functions import Function, HttpTrigger

_PARAMETER = re.compile(r"\{(?P<rest>\*{1,2})?(?P<name>[A-Za-z_]\w*)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}")
_CONSTRAINTS = {
    "int": r"[-+]?\d{1,10}",
    "long": r"[-+]?\d{1,19}",
    "guid": r"(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    "bool": r"(?:true|false)",
    "alpha": r"[a-z]+",
}


@dataclass(frozen=True, slots=True)
class Match:
    """What a request's path and verb lead to: a function with its route values, or the verbs that would have fitted."""

    function: Function | None
    values: Mapping[str, str]
    allowed: frozenset[str] = frozenset()


class RouteTable:
    """The HTTP functions of the app, in the order in which the platform tries them."""

    def __init__(self, functions: Sequence[Function], prefix: str) -> None:
        """Raises HostStartError for a template that cannot be read."""
        self._routes = [
            (compile_template("/".join(filter(None, (prefix, function.trigger.route))), function.name), function)
            for function in functions
            if isinstance(function.trigger, HttpTrigger)
        ]

    def match(self, method: str, raw_path: str) -> Match:
        """Find the function for a verb and a path that is still percent-encoded."""
        allowed: set[str] = set()
        for pattern, function in self._routes:
            found = pattern.fullmatch(raw_path)
            if not found or not isinstance(function.trigger, HttpTrigger):
                continue
            if function.trigger.methods and method not in function.trigger.methods:
                allowed |= function.trigger.methods
                continue
            return Match(function, {name: _decode(value) for name, value in found.groupdict().items() if value})
        return Match(None, {}, frozenset(allowed))


def compile_template(template: str, function: str) -> re.Pattern[str]:
    """Translate a route template, prefix included, into a pattern for percent-encoded paths."""
    pattern = ""
    segments = [segment for segment in template.split("/") if segment]
    for position, segment in enumerate(segments):
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is None:
            if set(segment) & set("{}"):
                raise HostStartError(f"Function {function}: the route segment {segment!r} cannot be read.")
            pattern += "/" + re.escape(segment)
            continue
        is_last = position == len(segments) - 1
        if (parameter["rest"] or parameter["optional"]) and not is_last:
            raise HostStartError(f"Function {function}: {segment!r} may only be the last segment of a route.")
        pattern += _parameter_pattern(parameter, function)
    return re.compile((pattern or "/") + "/?", re.IGNORECASE)


def _parameter_pattern(parameter: re.Match[str], function: str) -> str:
    constraint = parameter["constraint"]
    if constraint is not None and constraint.lower() not in _CONSTRAINTS:
        raise HostStartError(
            f"Function {function}: the development host does not know the route constraint {constraint!r}."
        )
    if parameter["rest"]:
        return f"(?:/(?P<{parameter['name']}>.*))?"
    value = _CONSTRAINTS[constraint.lower()] if constraint else "[^/]+"
    segment = f"/(?P<{parameter['name']}>{value})"
    return f"(?:{segment})?" if parameter["optional"] else segment


def _decode(value: str) -> str:
    # as on the platform, an encoded slash stays encoded: it is part of the value, not of the path
    return "%2F".join(unquote(part) for part in re.split("%2F", value, flags=re.IGNORECASE))
