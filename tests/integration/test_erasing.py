"""Of who is erased or privacy blocked nothing is left: in no row of a table, in no message, and not in the log (R39).

The queues' triggers are off here: the test takes each message itself, reads it, and hands it to its function.
"""

import base64
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dev.system import System
from shared.cards.normalise import email_key
from shared.storage import keys, roster, wire
from shared.storage.tables import NAMES
from tests.integration.office import FOLDER, Office, Report, codes, email_of, emptied
from tests.integration.queued import TELLING, Queued

pytestmark = pytest.mark.integration

ZEB, INES = "Zebedee Quillfeather", "Ines Yarrowby"
TYPED = ("Axolotl tamer", "Numbat broker", "+49 30 4711 0815", "Narwhal counsel")
ADDRESSES = (email_of(ZEB), email_of(INES))
VALUES = (*ADDRESSES, "Zebedee", "Quillfeather", "Yarrowby", *TELLING.values(), *TYPED)


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    off = {f"AzureWebJobs.{each}.Disabled": "true" for each in Queued.FUNCTIONS}
    with System(settings=off | {"RUN_GAP_SECONDS": "0"}) as running:
        yield running


@pytest.fixture
def queued(system: System) -> Iterator[Queued]:
    with Queued(system) as queued:
        yield queued
        queued.work()


@pytest.fixture
def office(system: System, queued: Queued) -> Iterator[Office]:
    with emptied(system) as office:
        yield office


def run(office: Office, queued: Queued, user: str, mode: str = "incremental", **members: Any) -> Report:
    run_id = office.app.ask(user, mode, **members)
    queued.work()
    return office.app.run(run_id)


def erase(office: Office, queued: Queued, contact: str) -> list[Report]:
    asked = office.app.admin("POST", "/api/admin/contacts/erase", {"contact": contact, "actor": "boss"})
    queued.work()
    return [office.app.run(each["runId"]) for each in asked["runs"]]


# ---------------------------------------------------------------- looking everywhere


def texts_of(row: Mapping[str, Any]) -> Iterator[str]:
    """Everything that a row says, unpacked, in each way in which text may lie in bytes."""
    numbered = sorted(row, key=lambda name: (name[:1], len(name), name))
    yield " ".join(f"{name}={row[name]}" for name in numbered if not isinstance(row[name], bytes))
    yield "".join(str(row[name]) for name in numbered if name[:1] == "c" and name[1:].isdigit())
    yield wire.unpacked(row)
    for name, value in row.items():
        if isinstance(value, bytes):
            yield from (value.decode("latin-1"), value.decode("utf-16-le", "replace"))
        elif isinstance(value, str) and len(value) > 16:
            try:
                yield base64.b64decode(value, validate=True).decode("latin-1")
            except ValueError:
                assert name  # no base64: its text was looked at above
    packed = b"".join(row[name] for name in numbered if isinstance(row[name], bytes))
    try:
        yield zlib.decompress(packed).decode("utf-8", "replace")
    except zlib.error:
        yield packed.hex()


def traces() -> tuple[str, ...]:
    """The values, and the plain hashes by which an address could be tried out."""
    return (*VALUES, *(each for one in ADDRESSES for each in plain_hashes(email_key(one))))


def plain_hashes(key: str) -> tuple[str, str]:
    """Of rows that are found by an address, and of the roster."""
    return keys.hashed(key), f"{roster.key_hash(key):016x}"


def found_in_tables(system: System) -> set[tuple[str, str]]:
    """(table, value) for whatever is there."""
    values = [each.lower() for each in traces()]
    return {
        (table, value)
        for table in NAMES
        for row in system.tables(table)
        for text in texts_of(row)
        for value in values
        if value in text.lower()
    }


def found_beside(system: System, queued: Queued) -> set[str]:
    """Values in messages and in the log."""
    text = "\n".join((*queued.seen, system.host.log_text())).lower()
    return {each for each in VALUES if each.lower() in text}


# ---------------------------------------------------------------- the story


def story(office: Office, queued: Queued, *, double: bool = True) -> tuple[str, str]:
    """Notes, a hold, parked and hidden contacts, previews, an undo, in two mailboxes. `double`: whether a user typed a
    contact with the same address, too."""
    office.persons(ZEB, **TELLING)
    office.persons(*(f"Tapir {chr(ord('A') + number)}" for number in range(14)), city="Nowra")
    ada, ben = office.user("ada"), office.user("ben", policies={"onOutlookDelete": "hide"})
    for user in (ada, ben):
        assert run(office, queued, user)["status"] == "succeeded"
    office.edit_in_bc(ZEB, jobTitle="Wombat keeper in chief")
    office.edit_in_outlook(ada, ZEB, jobTitle=TYPED[0], mobilePhone=TYPED[2])
    office.add_in_outlook(ada, INES, jobTitle=TYPED[1])
    assert "conflict" in codes(run(office, queued, ada))
    if double:
        typed = {"displayName": f"{ZEB} II", "emailAddresses": [{"address": email_of(ZEB), "name": ZEB}]}
        office.graph.create_contact(ada, typed, FOLDER)
    office.edit_in_outlook(ada, INES, jobTitle=TYPED[3])
    edited = run(office, queued, ada)
    assert ("duplicate" in codes(edited)) is double
    office.edit_in_bc(ZEB, addressLine1="8 Platypus Lane")
    assert run(office, queued, ada, preview=True)["plan"]
    undone = office.app.admin("POST", f"/api/admin/runs/{edited['runId']}/undo", {"actor": "boss"})
    queued.work()
    assert office.app.run(undone["runId"])["toBusinessCentral"]["updated"] == 1
    run(office, queued, ben)
    office.delete_in_outlook(ben, ZEB)
    run(office, queued, ben)
    assert run(office, queued, ada, "full", filter={"city": "Ulm"})["status"] == "held"
    return ada, ben


def test_r39_nothing_of_an_erased_person_is_left_anywhere(system: System, office: Office, queued: Queued) -> None:
    ada, ben = story(office, queued)
    before = found_in_tables(system)
    assert {value for _, value in before} >= {
        each.lower() for each in (*VALUES, *plain_hashes(email_key(ADDRESSES[0])))
    }
    assert {table for table, _ in before} == {"companies", "mailboxes", "journal", "reports"}
    ids = {name: office.in_bc()[name]["id"] for name in (ZEB, INES)}

    for name in (ZEB, INES):
        for report in erase(office, queued, ids[name]):
            assert report["status"] == "succeeded", report

    assert found_in_tables(system) == set()
    assert found_beside(system, queued) == set()
    for user in (ada, ben):
        assert not {each for each in office.in_folder(user) if not each.startswith("Tapir")}
    assert office.graph.contacts_of(ada, "deleted") == []

    office.add_in_outlook(ada, ZEB, jobTitle=TYPED[0])  # typed anew: that is between the user and Outlook
    office.edit_in_bc(ZEB, city="Bendigo", jobTitle=TYPED[1])
    assert "erased" in codes(run(office, queued, ada, "full", filter={}))
    for user, mode in ((ada, "incremental"), (ben, "full"), (ben, "incremental")):
        assert run(office, queued, user, mode)["status"].startswith("succeeded")
    assert ZEB not in office.in_folder(ben) and INES not in office.in_folder(ada)
    assert found_in_tables(system) == set()
    assert found_beside(system, queued) == set()


def test_r39_nothing_of_a_blocked_person_is_left_after_the_run_that_removes_them(
    system: System, office: Office, queued: Queued
) -> None:
    ada, ben = story(office, queued, double=False)
    office.edit_in_outlook(ada, ZEB, businessHomePage="https://wombat.example")  # nobody has read that yet
    assert {value for _, value in found_in_tables(system)} >= {each.lower() for each in VALUES}
    for name in (ZEB, INES):
        office.edit_in_bc(name, privacyBlocked=True)

    for user in (ada, ben):
        run(office, queued, user)

    assert found_in_tables(system) == set()
    assert found_beside(system, queued) == set()
    for user in (ada, ben):
        assert not {each for each in office.in_folder(user) if not each.startswith("Tapir")}
    for user, mode in ((ada, "full"), (ben, "full"), (ada, "incremental")):
        run(office, queued, user, mode)
    assert found_in_tables(system) == set()

    office.edit_in_bc(ZEB, privacyBlocked=False)
    run(office, queued, ada, "full", filter={})
    assert ZEB in office.in_folder(ada)
