"""Query options, and the page of rows that they ask for (3.1 to 3.3)."""

import re
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import total_ordering
from itertools import islice
from operator import attrgetter
from typing import Any, Protocol
from urllib.parse import quote

from dev.simulators.business_central import errors
from dev.simulators.business_central.conditions import RowTest, compile_condition, lower_bound, wanted_ids
from dev.simulators.business_central.fields import Entity, Field
from dev.simulators.business_central.odata_filter import Condition, Dialect, parse_filter
from dev.simulators.business_central.switches import Switches
from dev.simulators.business_central.table import Columns

_REMEMBERED_WALKS = 20_000
_BY_STAMP: Columns = (("modified", False),)


class Rows(Protocol):
    """What a list is made from."""

    def get(self, id: str) -> Any | None:  # noqa: A002 - the field's name
        """Return a row by id."""

    def ordered(self, columns: Columns, key: Callable[[Any], Any]) -> Sequence[Any]:
        """Return all rows sorted by `key`, which belongs to `columns`."""


class SmallTable:
    """Rows of a table that is not worth an index."""

    def __init__(self, rows: Iterable[Any]) -> None:
        """Hold `rows`, which have an `id`."""
        self._rows = list(rows)

    def get(self, id: str) -> Any | None:  # noqa: A002 - the field's name
        """Return a row by id."""
        return next((row for row in self._rows if row.id == id), None)

    def ordered(self, columns: Columns, key: Callable[[Any], Any]) -> Sequence[Any]:
        """Return all rows sorted by `key`."""
        return sorted(self._rows, key=key)


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one request, understood."""

    select: tuple[str, ...] | None
    condition: Condition | None
    test: RowTest | None
    columns: Columns
    top: int | None
    skip: int
    count: bool
    skiptoken: str | None
    expand: frozenset[str]
    page_size: int
    preferred: int | None  #: what Prefer: odata.maxpagesize asked for
    walk: str  #: tells walks with other filters or orders apart


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page. `more` is the skiptoken of the next page, when there is one."""

    rows: list[Any]
    total: int | None
    more: str | None


class Walks:
    """Where the pages that were handed out ended."""

    def __init__(self) -> None:
        """Start without walks."""
        self._ends: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def remember(self, walk: str, last: str, key: Any) -> None:
        """Keep the sort key of a page's last row."""
        self._ends[walk, last] = key
        self._ends.move_to_end((walk, last))
        if len(self._ends) > _REMEMBERED_WALKS:
            self._ends.popitem(last=False)

    def end(self, walk: str, last: str) -> Any:
        """Return the sort key that a page's last row had, or None."""
        return self._ends.get((walk, last))


def read_query(options: list[tuple[str, str]], preferences: list[str], entity: Entity, switches: Switches) -> Query:
    """Understand query options and preferences; unknown options are ignored (3.2). Raises BcError."""
    given = dict(options)
    dialect = Dialect(
        given.get("$schemaversion") == "2.1",
        switches.in_without_21, switches.null_comparison, switches.lambda_filter,
    )  # fmt: skip
    text = given.get("$filter", "").strip()
    condition = parse_filter(text, entity, dialect) if text else None
    preferred = _preferred_size(preferences)
    return Query(
        select=_select(given.get("$select"), entity),
        condition=condition,
        test=None if condition is None else compile_condition(
            condition, switches.literals, switches.code_literals_upper
        ),
        columns=_columns(given.get("$orderby"), entity, switches.default_order),
        top=_number(given, "$top"),
        skip=_number(given, "$skip") or 0,
        count=_boolean(given, "$count"),
        skiptoken=given.get("$skiptoken"),
        expand=_expand(given.get("$expand"), entity),
        page_size=min(switches.page_limit, preferred or switches.page_limit),
        preferred=preferred,
        walk=f"{text}\n{given.get('$orderby', '')}",
    )  # fmt: skip


def read_page(rows: Rows, query: Query, walks: Walks, switches: Switches) -> Page:
    """Return the rows that a query asks for; raises BcError when its skiptoken leads nowhere."""
    key = _sort_key(query.columns)
    candidates = _candidates(rows, query, key)
    start = 0
    if query.skiptoken is not None:
        start = bisect_right(candidates, _position(rows, query, walks, switches, key), key=key)
    matching = _matching(candidates, start, query.test)
    if query.skiptoken is None and query.skip:
        matching = islice(matching, query.skip, None)
    wanted = query.page_size if query.top is None else min(query.page_size, query.top)
    found = list(islice(matching, wanted))
    more = None
    if found and query.top != len(found) and next(matching, None) is not None:
        more = found[-1].id
        walks.remember(query.walk, more, key(found[-1]))
    return Page(found, count_rows(rows, query) if query.count else None, more)


def count_rows(rows: Rows, query: Query) -> int:
    """Return how many rows match, whatever the page."""
    candidates = _candidates(rows, query, _sort_key(query.columns))
    return sum(1 for _ in _matching(candidates, 0, query.test))


def next_options(raw: str, page: Page, query: Query) -> str:
    """Return the query of the next page's link: the options as they came, and where to go on (3.3)."""
    kept = []
    for part in raw.split("&"):
        name = part.partition("=")[0].replace("%24", "$")
        if part and name not in ("$skiptoken", "$skip", "$top", "aid"):
            kept.append(part)
    if query.top is not None:
        kept.append(f"$top={query.top - len(page.rows)}")
    return "&".join([*kept, "aid=FIN", f"$skiptoken={quote(str(page.more))}"])


def _candidates(rows: Rows, query: Query, key: Callable[[Any], Any]) -> Sequence[Any]:
    """Return rows in the query's order, among them all that can match."""
    ids = wanted_ids(query.condition)
    if ids is not None:
        return sorted((row for row in map(rows.get, ids) if row is not None), key=key)
    bound = lower_bound(query.condition, "modified")
    if bound is None:
        return rows.ordered(query.columns, key)
    by_stamp = rows.ordered(_BY_STAMP, _sort_key(_BY_STAMP))
    late = by_stamp[bisect_left(by_stamp, bound, key=attrgetter("modified")) :]
    return late if query.columns == _BY_STAMP else sorted(late, key=key)


def _matching(candidates: Sequence[Any], start: int, test: RowTest | None) -> Iterator[Any]:
    rest = islice(candidates, start, None)
    return rest if test is None else filter(test, rest)


def _position(rows: Rows, query: Query, walks: Walks, switches: Switches, key: Callable[[Any], Any]) -> Any:
    """Return the sort key behind which a walk goes on."""
    token = str(query.skiptoken)
    row, remembered = rows.get(token), walks.end(query.walk, token)
    gone = row is None and switches.skiptoken_of_deleted == "error"
    if gone or (row is None and remembered is None):
        raise errors.BcError(400, "SkipTokenIsNoLongerValid", "The skip token is no longer valid.")
    if remembered is not None and (row is None or switches.skiptoken_position == "remembered"):
        return remembered
    return key(row)


@total_ordering
class _Descending:
    """A value that sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.value == other.value)

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)


def _sort_key(columns: Columns) -> Callable[[Any], Any]:
    """Return the key for sorting by columns, and by id among equals."""
    if not any(descending for _, descending in columns):
        return attrgetter(*(attribute for attribute, _ in columns), "id")
    return lambda row: (
        *(
            _Descending(getattr(row, attribute)) if descending else getattr(row, attribute)
            for attribute, descending in columns
        ),
        row.id,
    )


def _preferred_size(preferences: list[str]) -> int | None:
    for preference in preferences:
        name, _, value = preference.partition("=")
        if name.strip().lower() == "odata.maxpagesize" and value.strip().isdigit() and int(value) > 0:
            return int(value)
    return None


def _select(text: str | None, entity: Entity) -> tuple[str, ...] | None:
    if text is None or text.strip() in ("", "*"):
        return None
    names = [name.strip() for name in text.split(",")]
    return tuple(_field(name, entity).name for name in names)


def _field(name: str, entity: Entity) -> Field:
    if name not in entity.fields:
        raise errors.unknown_field(name, entity.type_name)
    return entity.fields[name]


def _columns(text: str | None, entity: Entity, default: str) -> Columns:
    if text is None or not text.strip():
        return ((default if default in entity.fields else "id", False),)
    columns = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\S+)(?:\s+(asc|desc))?\s*", part)
        if match is None:
            raise errors.bad_request(f"Expression expected in $orderby '{text}'.")
        columns.append((_field(match[1], entity).attribute, match[2] == "desc"))
    return tuple(columns)


def _expand(text: str | None, entity: Entity) -> frozenset[str]:
    names = frozenset(re.sub(r"\(.*?\)", "", text or "").replace(" ", "").split(",")) - {""}
    for name in names:
        if name != "picture" or entity.type_name != "contact":
            raise errors.unknown_field(name, entity.type_name)
    return names


def _number(given: dict[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.strip().isdigit():
        raise errors.bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _boolean(given: dict[str, str], name: str) -> bool:
    text = given.get(name, "false")
    if text not in ("true", "false"):
        raise errors.bad_request(f"Invalid value '{text}' for {name} query option found.")
    return text == "true"
