"""Keys, rows and their limits: what Azurite would let pass and Azure would not (platform reference 3.3)."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from shared.cards.business_central import contact_from_values
from shared.cards.model import Card, Field, Origin
from shared.engine.model import Positions, Profile
from shared.engine.run_ids import run_id
from shared.planning.model import Link, Parked
from shared.storage import contact_rows, keys, links, records, wire
from shared.storage.links import Place
from shared.storage.tables import Operation, ServerClock, chunks
from shared.storage.wire import RowTooLarge

# ---------------------------------------------------------------- keys


@pytest.mark.parametrize(
    "text", ["a/b", "a\\b", "a#b", "a?b", "a|b", "a b", "", "ä", "x" * 201, "a@example.com", "a\n"]
)
def test_an_id_with_other_characters_must_be_hashed(text: str) -> None:
    with pytest.raises(ValueError, match="id in a storage key"):
        keys.path("link", text)
    assert keys.part(keys.hashed(text))


def test_hashes_tell_case_apart_and_have_one_length() -> None:
    assert keys.hashed("AAMkAbc=") != keys.hashed("AAMkabc=")
    assert len(keys.hashed("x" * 5000)) == 32
    assert keys.hashed("\ud800")


def test_a_kind_s_range_holds_its_rows_and_no_others() -> None:
    place = Place("m", "c|p")
    low, high = place.kind("link")
    assert low <= place.link("bc-1") < high
    assert not low <= place.outlook("x") < high
    other = Place("m", "c|p2")
    low, high = keys.below("c|p")
    assert not low <= other.link("bc-1") < high


def test_r35_run_ids_sort_newest_first_and_name_their_mailbox() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    older, newer = (
        run_id("box-1", at, "00000000"),
        run_id("box-1", at + timedelta(milliseconds=1), "ffffffff"),
    )
    assert newer < older
    assert keys.mailbox_of(older) == "box-1"
    assert keys.mailbox_of(older + "x") is None
    assert keys.mailbox_of(run_id("box.1", at, "00000000")) is None
    assert newer < keys.before(at - timedelta(days=30))


def test_log_keys_sort_by_sequence() -> None:
    assert keys.log(9) < keys.log(10) < keys.log(11_000)
    assert keys.sequence_of(keys.log(123)) == 123


# ---------------------------------------------------------------- rows


@pytest.mark.parametrize("text", ["", "short", "x" * 30_000, "x" * 30_001, "ß" * 70_000, "😀" * 40_000, "z" * 500_000])
def test_long_texts_are_spread_and_come_back(text: str) -> None:
    row = wire.row("p", "r") | wire.packed(wire.dumps(text))
    wire.check(row)
    assert wire.unpacked(row) == f'"{text}"'


def test_half_a_surrogate_pair_survives() -> None:
    text = wire.dumps(["\ud83d"])
    text.encode()
    link = Link("bc-1", "o", Card(name="a\ud83d"), Card())
    (put, _) = links.put_link(Place("m", "c|p"), link, None)
    assert links.link_of(put.row) == link


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"a": "x" * 32_769}, "32 Ki"),
        ({"a": "😀" * 16_385}, "32 Ki"),
        ({"a": b"x" * 65_537}, "64 KiB"),
        ({f"p{each}": "x" * 30_000 for each in range(18)}, "1 MiB"),
        ({f"p{each}": 1 for each in range(252)}, "252"),
    ],
)
def test_what_azure_would_refuse_is_refused_here(properties: wire.Row, complaint: str) -> None:
    with pytest.raises(RowTooLarge, match=complaint):
        wire.check(wire.row("p", "r") | properties)


def test_what_azure_just_takes_passes() -> None:
    wire.check(wire.row("p", "r") | {"a": "x" * 32_768, "b": b"x" * 65_536, "c": "😀" * 16_384})
    wire.check(wire.row("p", "r") | {f"p{each}": 1 for each in range(251)})


@pytest.mark.parametrize("key", ["a/b", "a\\b", "a#b", "a?b", "a\tb", "a\x7fb", "a\x85b", "x" * 513])
def test_keys_that_azure_refuses_are_refused_here(key: str) -> None:
    with pytest.raises(ValueError, match="RowKey"):
        wire.check({"PartitionKey": "p", "RowKey": key})


def test_every_row_says_its_version() -> None:
    assert wire.row("p", "r")["v"] == wire.VERSION


def test_transactions_hold_what_belongs_together_and_are_not_too_large() -> None:
    units = [[Operation("put", wire.row("p", f"{each}-{half}")) for half in "ab"] for each in range(120)]
    batches = list(chunks(units, 99))
    assert [len(each) for each in batches] == [98, 98, 44]
    large = [[Operation("put", wire.row("p", str(each)) | {"c": "x" * 30_000})] for each in range(200)]
    assert max(len(each) for each in chunks(large)) < 100
    assert all(sum(wire.sent_size(each.row) for each in batch) < 4 * 1024 * 1024 for batch in chunks(large))


# ---------------------------------------------------------------- values as rows


def test_a_link_takes_few_bytes() -> None:
    link = Link(
        "bc-1", "A" * 152, Card(name="Ada King", email="ada@example.com", phone="+41 1 234"), Card(), Origin.SYNC
    )
    (put, index) = links.put_link(Place("m", "c|p"), link, None)
    assert wire.check(put.row) < 1_000
    assert index.row["bc"] == "bc-1"


def test_a_card_with_a_field_added_later_is_read() -> None:
    row = wire.row("m", "c|p|link|bc-1") | wire.packed('["o",["Ada"],[],"user",["country"],true]')
    assert links.link_of(row) == Link("bc-1", "o", Card(name="Ada"), Card(), Origin.USER, frozenset({Field.COUNTRY}))


def test_no_address_stands_in_a_key() -> None:
    place = Place("m", "c|p")
    parked = Parked("o@x", "kept", ("ada@example.com", "ada@example.com"))
    operations = links.put_parked(place, parked)
    assert len(operations) == 2
    assert not any("@" in each.key for each in operations)


def test_a_contact_comes_back_with_its_card() -> None:
    contact = contact_from_values(
        "id-1", 'W/"1"', "2026-01-01T00:00:00Z", {"displayName": " Ada ", "privacyBlocked": True}
    )
    assert contact_rows.contact_of(contact_rows.put_contact("c", contact).row) == contact


def test_older_records_take_the_defaults_of_newer_fields() -> None:
    row = wire.row("p", "r") | wire.packed('{"folder_id":"f","gone_since":1}')
    assert records.decoded(Positions, row) == Positions(folder_id="f")
    profile = Profile("c", "u", "a@b.c", "m", "a@b.c")
    assert records.decoded(Profile, wire.row("p", "r") | records.encoded(profile)) == profile


# ---------------------------------------------------------------- the rest


def test_the_service_s_clock_counts_when_ours_is_wrong() -> None:
    clock = ServerClock()
    clock.learn((datetime.now(UTC) + timedelta(minutes=5)).strftime("%a, %d %b %Y %H:%M:%S GMT"))
    assert timedelta(minutes=4, seconds=55) < clock.now() - datetime.now(UTC) < timedelta(minutes=5, seconds=5)
    clock.learn("nonsense")
    clock.learn(None)
    clock.learn(datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"))
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_importing_the_adapter_loads_no_sdk() -> None:
    modules = "companies mailboxes profiles marks runs queues connect"
    script = "; ".join(f"import shared.storage.{each}" for each in modules.split())
    script += "; import sys; print([each for each in sys.modules if each.startswith(('azure', 'pydantic'))])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
