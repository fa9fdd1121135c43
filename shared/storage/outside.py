"""The index of links outside their profile's filter (R4): one row per contact and profile."""

from collections.abc import Iterable, Mapping

from shared.storage import keys, wire
from shared.storage.tables import MOST_OPERATIONS, Operation, Table, chunks

_FEW = 100  #: so many ranges are always cheap enough; the whole index is small


def note(table: Table, company_id: str, profile_id: str, bc_ids: Iterable[str], *, linked: bool) -> None:
    """Put contacts into the index for a profile, or take them out."""
    rows = [wire.row(company_id, keys.path("outside", each, profile_id)) for each in dict.fromkeys(bc_ids)]
    if not linked:
        for row in table.get_many(company_id, (str(each["RowKey"]) for each in rows)).values():
            table.apply(Operation("delete", row))
        return
    for batch in chunks([[Operation("put", row)] for row in rows], MOST_OPERATIONS):
        table.transact(batch)


def of(table: Table, company_id: str, bc_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Profiles by contact."""
    asked = set(bc_ids)
    if len(asked) > _FEW:
        rows = table.range(company_id, *keys.below("outside"))
    else:
        rows = table.ranges(company_id, [keys.below(keys.path("outside", each)) for each in sorted(asked)])
    found: dict[str, set[str]] = {}
    for row in rows:
        _, bc_id, profile_id = str(row["RowKey"]).split("|")
        if bc_id in asked:
            found.setdefault(bc_id, set()).add(profile_id)
    return {bc_id: frozenset(profiles) for bc_id, profiles in found.items()}
