"""The roster's packing, and the arithmetic of work marks."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cards.business_central import contact_from_values
from shared.engine.company_state import RosterEntry
from shared.engine.state import Mark
from shared.storage import roster, wire
from shared.storage.marks import Put, added, settled

STAMPS = [
    "2026-11-24T08:00:00Z", "2026-11-24T08:00:00.1Z", "2026-11-24T08:00:00.123Z", "2026-11-24T08:00:00.1234567Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2026-11-24T08:00:00.12345678Z",
    "2026-11-24T08:00:00+01:00", "2026-02-30T08:00:00Z", "2026-11-24T24:00:00Z", "", "ünsinn",
]  # fmt: skip


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_stamp_comes_back_as_bc_wrote_it(stamp: str) -> None:
    entries = [RosterEntry(str(uuid.uuid4()), stamp, number, number == 1, number == 2) for number in range(3)]
    assert roster.unpacked(roster.packed(entries)) == {each.id: each for each in entries}


@given(
    st.lists(
        st.builds(
            RosterEntry,
            st.uuids().map(str),
            st.datetimes(timezones=st.just(UTC)).map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)),
            st.integers(0, 2**64 - 1),
            st.booleans(),
            st.booleans(),
        ),
        unique_by=lambda each: each.id,
    )
)
def test_any_roster_comes_back(entries: list[RosterEntry]) -> None:
    assert roster.unpacked(roster.packed(entries)) == {each.id: each for each in entries}


def test_an_entry_takes_33_bytes_and_20_000_fit_into_a_row() -> None:
    entries = [RosterEntry(str(uuid.UUID(int=each)), STAMPS[2], 1, True, False) for each in range(20_000)]
    body = roster.packed(entries)
    assert len(body) == 33 * 20_000
    wire.check(wire.row("c", "roster|00") | wire.packed_bytes(body))


def test_ids_made_one_after_another_spread_over_the_buckets() -> None:
    start = uuid.UUID("5d115c9c-44e3-ea11-bb43-000d3a2feca1").int
    counts = [0] * roster.BUCKETS
    for number in range(6_400):
        counts[roster.bucket(str(uuid.UUID(int=start + (number << 96))))] += 1
    assert max(counts) < 200


def test_an_id_that_would_not_come_back_is_refused() -> None:
    for bad in ("5D115C9C-44E3-EA11-BB43-000D3A2FECA1", "bc-1", ""):
        with pytest.raises(ValueError):
            roster.bucket(bad)


@pytest.mark.parametrize(
    ("values", "key", "person"),
    [
        ({"type": "Person", "email": " ADA@example.com;x@y.zz"}, "ada@example.com", True),
        ({"type": "Person", "email": "nonsense"}, "", True),
        ({"type": "Company", "displayName": "Ärzte  AG", "email": "a@b.cc"}, "ärzte ag", False),
        ({"type": "", "displayName": "x"}, "", False),
    ],
)
def test_r7_r18_what_a_contact_is_found_by(values: dict[str, str], key: str, person: bool) -> None:
    entry = roster.entry(contact_from_values("i", "e", "m", values))
    assert (entry.key, entry.person) == (roster.key_hash(key), person)
    assert (entry.key == 0) is (key == "")


# ---------------------------------------------------------------- marks

T0 = datetime(2026, 11, 24, tzinfo=UTC)


def put(version: int, minute: int) -> Put:
    return Put(version, T0 + timedelta(minutes=minute), "bc")


def test_an_earlier_put_makes_later_ones_needless() -> None:
    assert added([put(1, 5), put(2, 9)], put(3, 5)) == [put(3, 5)]
    assert added([put(1, 5)], put(2, 9)) == [put(1, 5), put(2, 9)]


def test_the_puts_of_a_row_stay_few() -> None:
    puts: list[Put] = []
    for number in range(1, 300):
        puts = added(puts, put(number, number))
    assert len(puts) <= 50
    assert puts[0] == put(1, 1)
    assert puts[-1].version == 299


def test_settling_takes_what_was_put_before_and_nothing_else() -> None:
    mark = Mark("c", "p", "m", T0, "bc", version=2)
    assert settled([put(1, 0), put(2, 3), put(3, 7)], mark, None) == [put(3, 7)]
    next_due = T0 + timedelta(minutes=5)
    assert settled([put(3, 7)], mark, next_due) == [Put(2, next_due, "sweep"), put(3, 7)]
    assert settled([put(3, 4)], mark, next_due) == [put(3, 4)]
