"""A run is undone, through doors, queues, tables and batches (R36)."""

import pytest

from tests.integration.office import Office, codes, done

pytestmark = pytest.mark.integration


def test_r36_a_run_in_both_directions_is_undone_and_later_runs_write_nothing(office: Office) -> None:
    office.persons("Helen Ray", "David Hodgson", "Jane Clayton", jobTitle="Buyer", city="London")
    ada = office.user("ada")
    office.sync(ada)
    office.settled(ada)
    before_bc, before = office.in_bc(), office.in_folder(ada)
    office.edit_in_bc("Helen Ray", jobTitle="Chief")
    office.edit_in_outlook(ada, "David Hodgson", mobilePhone="555")
    office.persons("Noor Haddad")
    office.add_in_outlook(ada, "Ines Novak")
    office.delete_in_bc("Jane Clayton")
    run = office.sync(ada)
    assert office.in_folder(ada).keys() == {"Helen Ray", "David Hodgson", "Noor Haddad", "Ines Novak"}

    undone = office.system.app.undo(run["runId"], actor="boss")

    assert (undone["undoes"]["runId"], undone["actor"]) == (run["runId"], "boss")
    assert done(undone) == {"created": 1, "updated": 1, "deleted": 1}
    assert done(undone, "toBusinessCentral") == {"updated": 1, "deleted": 1}
    assert codes(undone) == {"put-back-in-part"}
    shown, in_bc = office.in_folder(ada), office.in_bc()
    assert shown.keys() == before.keys() | {"Ines Novak"}
    assert [shown["Helen Ray"]["jobTitle"], shown["Jane Clayton"]["jobTitle"]] == ["Buyer", "Buyer"]
    assert in_bc["David Hodgson"]["mobilePhoneNumber"] == before_bc["David Hodgson"]["mobilePhoneNumber"]
    assert "Ines Novak" not in in_bc

    mark = office.mark()
    for mode in ("incremental", "incremental", "full"):
        office.sync(ada, mode)
    assert office.writes(mark) == 0
    assert office.in_folder(ada).keys() == shown.keys()

    office.edit_in_outlook(ada, "Ines Novak", jobTitle="Director")
    office.edit_in_bc("Noor Haddad", jobTitle="Clerk")
    office.sync(ada)
    assert "Ines Novak" in office.in_bc() and "Noor Haddad" in office.in_folder(ada)
