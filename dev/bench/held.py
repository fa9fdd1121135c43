"""The line about what one more contact, change or user costs a process: processor time to read, bytes to hold.

What `docs/scale.md` multiplies by a million. Rows are made and read by the app's own code, without servers.
"""

import gc
import json
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from dev.bench.figures import Figure, Start
from dev.simulators.business_central.seeding import made_up
from shared.cards.business_central import contact_from_values
from shared.cards.model import BcContact
from shared.engine.company_state import LogEntry
from shared.engine.model import Profile
from shared.engine.watching import Source, Subscription
from shared.filters.fields import CONTACT_FIELDS
from shared.storage import odata, roster, wire
from shared.storage.contact_rows import contact_of, log_entry_of, put_contact, put_log
from shared.storage.records import decoded, encoded
from shared.storage.wire import Row

MANY = 20_000
_ROUNDS = 3
_NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


def rows(_: Start) -> Sequence[Figure]:
    """Read what storage would answer, and hold it."""
    people = list(map(_person, range(MANY), made_up(MANY, MANY // 20)))
    contacts = [put_contact("c", each).row for each in people]
    changes = [put_log("c", LogEntry(number, each.id, each, each)).row for number, each in enumerate(people)]
    entries = [roster.entry(each) for each in people]
    packed = roster.packed(entries)
    users = [_profile() for _ in range(MANY)]
    profiles = _answered([wire.row("c", each.id) | encoded(each) for each in users])
    subscriptions = _answered([wire.row("c", each.id) | encoded(_subscription(each)) for each in users])
    snapshot, log = _answered(contacts), _answered(changes)

    def all_contacts() -> list[BcContact]:
        return [contact_of(row) for page in snapshot for row in odata.rows_of(page)]

    def all_users() -> list[object]:
        found: list[object] = [decoded(Profile, row) for page in profiles for row in odata.rows_of(page)]
        return found + [decoded(Subscription, row) for page in subscriptions for row in odata.rows_of(page)]

    def index() -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for each in entries:
            found.setdefault(each.key, []).append(each.id)
        return found

    return [
        _seconds("a contact read from the snapshot", all_contacts),
        _bytes("a contact held", all_contacts),
        Figure("a contact's row, as Azure counts it", sum(map(wire.check, contacts)) / MANY, unit="B"),
        _seconds("an entry of the roster read", lambda: roster.unpacked(packed)),
        _seconds("an entry of the roster written", lambda: roster.packed(entries)),
        _bytes("an entry of the roster held", lambda: roster.unpacked(packed)),
        _bytes("an entry of the index of addresses held, without its id", index),
        Figure("an entry of the roster, stored", len(packed) / MANY, unit="B"),
        _bytes("a change of the log held", lambda: [log_entry_of(row) for page in log for row in odata.rows_of(page)]),
        Figure("a change's row, as Azure counts it", sum(map(wire.check, changes)) / MANY, unit="B"),
        _seconds("a profile and its subscription read", all_users),
        _bytes("a profile and its subscription held", all_users),
    ]


def _seconds(what: str, work: Callable[[], object]) -> Figure:
    """Processor time of one of them, the best of some rounds."""
    times = []
    for _round in range(_ROUNDS):
        gc.collect()
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return Figure(what, min(times) / MANY * 1_000_000, unit="µs", decimals=1)


def _bytes(what: str, work: Callable[[], object]) -> Figure:
    """What the interpreter holds of one of them while all are held."""
    gc.collect()
    tracemalloc.start()
    kept = work()
    held, _most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return Figure(what, held / MANY, unit="B")


def _person(number: int, made: Mapping[str, str]) -> BcContact:
    """With a value or a blank in each field, as Business Central answers."""
    stamp = f"2026-11-28T08:{number // 60 % 60:02d}:{number % 60:02d}.{number % 1_000:03d}Z"
    more: dict[str, str | bool] = {
        "id": str(uuid4()), "number": f"CT{number:06d}", "companyName": f"{number % 900} Works Ltd",
        "contactBusinessRelation": "None", "mobilePhoneNumber": f"+44 7700 {number:06d}",
        "website": "https://works.example", "searchName": made["displayName"].upper(), "privacyBlocked": False,
        "lastInteractionDate": "2026-11-01", "lastModifiedDateTime": stamp,
    }  # fmt: skip
    values: dict[str, str | bool] = {**dict.fromkeys(CONTACT_FIELDS, ""), **made, **more}
    return contact_from_values(str(values["id"]), f'W/"JzE5OzEyMzQ1Njc4OTAxMjM0NTY3ODkw{number:08d}"', stamp, values)


def _profile() -> Profile:
    key, address = str(uuid4()), f"{uuid4().hex[:8]}@bench.example"
    of_theirs = {"country": "GB", "companyName": "Fabrikam*|Nordlys*"}
    return Profile("c", key, address, key, address, filter=of_theirs, actor=address, changed_at=_NOW)


def _subscription(profile: Profile) -> Subscription:
    return Subscription(
        Source.GRAPH,
        "c",
        profile.id,
        profile.id,
        id=str(uuid4()),
        folder_id=f"AAMk{uuid4().hex * 4}",
        address="https://x.example",
        client_state=uuid4().hex * 3,
        expires_at=_NOW + timedelta(days=6),
        renewed_at=_NOW,
    )


def _answered(made: Sequence[Row]) -> list[str]:
    """The pages of a thousand rows in which the service answers them."""
    tag = {"odata.etag": "W/\"datetime'2026-11-28T08%3A00%3A00.0000000Z'\"", "Timestamp": "2026-11-28T08:00:00.0Z"}
    told = [{**tag, **odata.entity(each)} for each in made]
    return [json.dumps({"value": told[start : start + 1_000]}) for start in range(0, len(told), 1_000)]
