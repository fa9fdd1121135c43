"""R1, R2: which contacts of Business Central come, and which of Outlook go there."""

from typing import Any

import pytest

from shared.business_central.mapping import create_body
from shared.cards.business_central import contact_from_values
from shared.cards.model import Field
from shared.engine.model import CompanySettings
from shared.engine.sides import BcDraft
from shared.filters import parse_filter
from shared.outlook.mapping import contact_of
from shared.outlook.stamps import EXPAND_CONTACT
from shared.planning.model import Rules, ScopeReason
from shared.planning.scope import scope_of
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, links, names, note, twin, wrote_nothing
from tests.rules.scenes import PERSON

# ---------------------------------------------------------------- R1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param({}, ScopeReason.IN_SCOPE, id="a person with an address"),
        pytest.param({"email": "none;anna@berg.example"}, ScopeReason.IN_SCOPE, id="one valid address is enough"),
        pytest.param({"type": "Company"}, ScopeReason.NOT_A_PERSON, id="a company"),
        pytest.param({"type": ""}, ScopeReason.NOT_A_PERSON, id="no type"),
        pytest.param({"email": ""}, ScopeReason.NO_EMAIL, id="no address"),
        pytest.param({"email": "anna at berg"}, ScopeReason.NO_EMAIL, id="no valid address"),
        pytest.param({"privacyBlocked": True}, ScopeReason.PRIVACY_BLOCKED, id="privacy blocked"),
        pytest.param({"city": "Ulm"}, ScopeReason.FILTER, id="the profile's filter"),
        pytest.param({"displayName": "Bob"}, ScopeReason.BASE_FILTER, id="the company's base filter"),
    ],
)
def test_r01_a_bc_contact_is_in_scope_when_every_condition_holds(
    values: dict[str, str | bool], reason: ScopeReason
) -> None:
    contact = contact_from_values("1", "e", "2026-01-01T00:00:00Z", {**PERSON, **values})
    rules = Rules(COMPANY, "Production", parse_filter({"city": "Berlin"}), parse_filter({"displayName": "Anna*"}))

    assert scope_of(contact, rules) is reason


def test_r01_without_a_filter_all_such_contacts_and_no_others_come(world: World) -> None:
    anna(world)
    world.bc.put(displayName="Bob", email="bob@x.example", city="Anywhere")
    world.bc.put(displayName="Acme", email="info@acme.example", type="Company")
    world.bc.put(displayName="No Address")
    world.bc.put(displayName="Blocked", email="blocked@x.example", privacyBlocked=True)

    world.sync()

    assert names(world) == ["Anna Berg", "Bob"]


def test_r01_the_profiles_filter_and_the_companys_base_filter_must_both_match(world: World) -> None:
    world.state.companies.save_settings(CompanySettings(COMPANY, base_filter={"country": "DE"}))
    world.profile("ada", filter={"city": "Berlin"})
    anna(world, city="Berlin", country="DE")
    world.bc.put(displayName="Other City", email="o@x.example", city="Ulm", country="DE")
    world.bc.put(displayName="Other Country", email="c@x.example", city="Berlin", country="US")

    world.sync()

    assert names(world) == ["Anna Berg"]


# ---------------------------------------------------------------- R2


def test_r02_an_outlook_contact_with_name_and_address_becomes_a_person_in_bc(world: World) -> None:
    world.sync()
    world.mailbox().add(world.folder(), name="Carla Dahl", email="carla@dahl.example", mobile="+45 1")

    report = world.sync()

    (created,) = world.bc.rows.values()
    assert (created.card.name, created.card.email, created.card.mobile) == ("Carla Dahl", "carla@dahl.example", "+45 1")
    assert created.is_person
    assert report.to_bc.created == 1
    wrote_nothing(world)


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        pytest.param({"email": "x@y.example"}, "name", id="no name"),
        pytest.param({"name": "Carla"}, "e-mail address", id="no address"),
        pytest.param({"name": "Carla", "email": "carla at home"}, "valid e-mail address", id="no valid address"),
        pytest.param({"name": "C" * 101, "email": "x@y.example"}, "name", id="a name that is too long"),
        pytest.param({"name": "Carla", "email": f"{'c' * 80}@y.example"}, "e-mail address", id="too long an address"),
    ],
)
def test_r02_one_that_bc_cannot_hold_stays_with_a_note_saying_what_is_missing(
    world: World, values: dict[str, Any], missing: str
) -> None:
    world.sync()
    key = world.mailbox().add(world.folder(), **values)

    report = world.sync()

    assert not world.bc.rows
    assert missing in note(report, "incomplete").reason
    assert key in world.mailbox().in_folder(world.folder())
    assert report.to_outlook.updated == 0


def test_r02_an_incomplete_contact_is_looked_at_again_when_it_changes(world: World) -> None:
    world.sync()
    key = world.mailbox().add(world.folder(), name="Carla Dahl")
    world.sync()
    assert codes(world.sync()) == []

    world.mailbox().edit(key, email="carla@dahl.example")
    world.sync()

    assert [each.card.email for each in world.bc.rows.values()] == ["carla@dahl.example"]


def test_r02_a_private_contact_is_never_sent(world: World) -> None:
    world.sync()
    world.mailbox().add(world.folder(), name="Carla Dahl", email="carla@dahl.example", private=True)

    report = world.sync()
    world.full()

    said = note(report, "private")
    assert (said.name, said.email) == ("", "")  # whose it is stays between the user and Outlook
    assert not world.bc.rows


def test_r02_a_private_contact_is_never_linked(world: World) -> None:
    world.sync()
    key = world.mailbox().add(world.folder(), name="Anna", email="anna@berg.example", phone="1", private=True)
    world.sync()

    anna(world)
    world.sync()
    world.full()

    assert world.mailbox().entries[key].contact.card.name == "Anna"
    assert key not in {link.outlook_id for link in links(world).values()}
    assert next(iter(world.bc.rows.values())).card.phone == ""


@pytest.mark.parametrize(
    ("mark", "private"), [("0", False), ("1", True), ("2", True), ("3", False)], ids=["0", "1", "2", "3"]
)
def test_r02_the_mark_is_0x0036_with_1_or_2_and_is_read_with_the_stamp(mark: str, private: bool) -> None:
    row = {"id": "x", "singleValueExtendedProperties": [{"id": "Integer 0x36", "value": mark}]}

    read = contact_of(row, marks_known=True)

    assert read is not None
    assert read.private is private
    assert "0x0036" in EXPAND_CONTACT


def test_r02_a_linked_contact_that_is_marked_later_is_unlinked_by_a_full_run_and_left_in_place(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    key = twin(world, bc_id)
    world.mailbox().entries[key].private = True

    report = world.full()
    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(key, job_title="Secret")
    world.sync()

    assert note(report, "private")
    assert key in world.mailbox().entries
    assert world.mailbox().entries[key].contact.card.city == ""
    assert world.bc.rows[bc_id].card.job_title == ""


def test_r02_who_is_marked_private_gets_a_contact_beside_it_in_the_same_run(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    key = twin(world, bc_id)
    world.mailbox().entries[key].private = True

    world.full()
    written = world.written()
    world.full()

    assert twin(world, bc_id) != key, "the person in scope has a contact of the sync's own"
    assert key in world.mailbox().entries
    assert world.written() == written, "a full run right after a full run wrote something (R14)"


def test_r02_it_is_sent_to_bc_as_a_person() -> None:
    assert create_body(BcDraft({Field.NAME: "Carla Dahl"}))["type"] == "Person"
