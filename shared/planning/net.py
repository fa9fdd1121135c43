"""What a run did to each contact, all its writes to it taken together (R36). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared.planning.journalled import Entry, Verb
from shared.planning.model import Side


def net(entries: Iterable[Entry]) -> list[Entry]:
    """One entry for each contact of each side: from what it was before the run to what the run left."""
    found: dict[tuple[Side, str], Entry | None] = {}
    for entry in entries:
        key = _key(entry)
        before = found.get(key)
        found[key] = entry if before is None else _together(before, entry)
    known = {(each.side, _source(each)) for each in found.values() if each and each.verb is Verb.CREATED and _id(each)}
    # an attempt at a creation whose answer was lost, and that was repeated
    vain = {key for key, each in found.items() if each and not _id(each) and (each.side, _source(each)) in known}
    return [each for key, each in found.items() if each is not None and key not in vain]


def of_contact(entries: Iterable[Entry], contact: str) -> list[Entry]:
    """The entries of one contact by BC id or Outlook id, on both sides."""
    listed = list(entries)
    named = [each for each in listed if contact in (each.bc_id, each.outlook_id)]
    ids = {one for each in named for one in (each.bc_id, each.outlook_id) if one}
    return [each for each in listed if ids & {each.bc_id, each.outlook_id}]


def _together(first: Entry, then: Entry) -> Entry | None:
    match first.verb, then.verb:
        case Verb.CREATED, Verb.DELETED:
            return None
        case Verb.CREATED, _:
            return replace(first, after=_values(first.after, then.after))
        case Verb.DELETED, Verb.DELETED:
            return then  # intended twice
        case Verb.DELETED, _:
            return then  # it had not happened, or somebody brought it back
        case _, Verb.DELETED:
            return replace(then, before=_values(then.before, first.before))
        case _, Verb.UNMARKED:
            return replace(_merged(first, then), verb=Verb.UNMARKED)
    return _merged(first, then)


def _merged(first: Entry, then: Entry) -> Entry:
    """Two writes of fields. Where the second did not find what the first left, the first did not happen, or somebody
    changed the field in between: what the second found counts."""
    found = {name: value for name, value in then.before.items() if first.after.get(name) != value}
    return replace(
        first, before={**first.before, **found}, after={**first.after, **then.after}, bc_id=first.bc_id or then.bc_id
    )


def _values(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in {**one, **other}.items() if value}


def _id(entry: Entry) -> str:
    return entry.bc_id if entry.side is Side.BC else entry.outlook_id


def _source(entry: Entry) -> str:
    return entry.outlook_id if entry.side is Side.BC else entry.bc_id


def _key(entry: Entry) -> tuple[Side, str]:
    return entry.side, _id(entry) or f"made of {_source(entry)}"
