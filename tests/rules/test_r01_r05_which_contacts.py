"""R1 to R5: which contacts take part."""

from typing import Any

import pytest

from shared.business_central.mapping import create_body
from shared.cards import emails
from shared.cards.business_central import contact_from_values
from shared.cards.model import Field, Origin
from shared.engine.model import CompanySettings, RunStatus
from shared.engine.sides import BcDraft
from shared.filters import FilterError, matches, parse_filter, to_odata
from shared.outlook.mapping import contact_of
from shared.outlook.stamps import EXPAND_CONTACT
from shared.planning.model import Rules, ScopeReason
from shared.planning.scope import belongs, scope_of
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, links, names, note, seen, twin, wrote_nothing

PERSON = {"type": "Person", "displayName": "Anna Berg", "email": "anna@berg.example", "city": "Berlin"}
NO_FILTER = parse_filter({})


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

    assert note(report, "private")
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


# ---------------------------------------------------------------- R3


def test_r03_up_to_three_addresses_go_to_outlook_and_the_first_is_the_key(world: World) -> None:
    anna(world, email=" a@x.example ; b@x.example;c@x.example;d@x.example;")
    key = emails.key_of("A@X.example;b@x.example")

    world.sync()

    assert seen(world)[0].email == "a@x.example;b@x.example;c@x.example"
    assert key == "a@x.example"


def test_r03_addresses_that_outlook_never_saw_stay_in_bc(world: World) -> None:
    bc_id = anna(world, email="a@x.example;b@x.example;c@x.example;d@x.example;e@x.example")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), email="a@x.example;new@x.example")
    world.sync()

    assert world.bc.rows[bc_id].card.email == "a@x.example;new@x.example;d@x.example;e@x.example"


def test_r03_the_second_address_is_no_matching_key(world: World) -> None:
    """Only the first address in BC says who somebody is."""
    anna(world, email="office@x.example;anna@berg.example")
    world.sync()
    world.mailbox().add(world.folder(), name="Anna B", email="anna@berg.example")

    world.sync()

    assert len(world.bc.rows) == 2


def test_r03_what_is_no_address_is_passed_over_for_the_key(world: World) -> None:
    bc_id = anna(world, email="ask at the desk;anna@berg.example")
    world.sync()
    world.mailbox().add(world.folder(), name="Anna B", email="anna@berg.example")

    report = world.sync()

    assert note(report, "duplicate").name == "Anna B"
    assert list(world.bc.rows) == [bc_id]


# ---------------------------------------------------------------- R4


def test_r04_the_filter_never_blocks_an_outlook_edit_of_a_linked_contact(world: World) -> None:
    world.profile("ada", filter={"city": "Berlin"})
    bc_id = anna(world, city="Berlin")
    world.sync()

    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), mobile="0151")
    world.sync()

    assert world.bc.rows[bc_id].card.mobile == "0151"
    assert names(world) == []


def test_r04_an_edit_that_takes_the_contact_out_of_the_filter_reaches_bc(world: World) -> None:
    world.profile("ada", filter={"city": "Berlin"})
    bc_id = anna(world, city="Berlin")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    world.sync()

    assert world.bc.rows[bc_id].card.city == "Ulm"


def test_r04_what_a_user_creates_is_created_in_bc_and_stays_although_the_filter_excludes_it(world: World) -> None:
    world.profile("ada", filter={"city": "Berlin"})
    world.sync()
    world.mailbox().add(world.folder(), name="Carla Dahl", email="carla@dahl.example", city="Ulm")

    world.sync()
    (created,) = world.bc.rows.values()
    world.bc.edit(created.id, jobTitle="Chief")
    world.sync()
    world.full()

    assert [each.job_title for each in seen(world)] == ["Chief"]


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("whose", ["the profile's", "the company's"])
def test_r04_only_own_creations_may_stay_outside_the_filter(origin: Origin, whose: str) -> None:
    contact = contact_from_values("1", "e", "2026-01-01T00:00:00Z", PERSON)
    elsewhere = parse_filter({"city": "Ulm"})
    filters = (elsewhere, NO_FILTER) if whose == "the profile's" else (NO_FILTER, elsewhere)
    rules = Rules(COMPANY, "Production", *filters)
    blocked = contact_from_values("1", "e", "2026-01-01T00:00:00Z", {**PERSON, "privacyBlocked": True})

    assert belongs(contact, rules, origin) is (origin is Origin.OWN)
    assert not belongs(blocked, rules, origin)


# ---------------------------------------------------------------- R5


@pytest.mark.parametrize(
    ("field", "text", "matching", "others"),
    [
        ("displayName", "B..D", ["B", "C", "D"], ["A", "Da"]),
        ("displayName", "A|C", ["A", "C"], ["B"]),
        ("displayName", ">A&<C|X", ["B", "X"], ["A", "C"]),
        ("displayName", "<>A", ["B", ""], ["A"]),
        ("displayName", "<>A*", ["Berg", "anna"], ["A", "Anna"]),
        ("displayName", ">=B", ["B", "C"], ["A"]),
        ("displayName", "<=B", ["A", "B"], ["C"]),
        ("displayName", "=B", ["B"], ["b"]),
        ("displayName", "A?n*", ["Ann", "Anna"], ["An", "anna"]),
        ("displayName", "@anna", ["Anna", "ANNA"], ["Ann"]),
        ("displayName", "''", [""], ["x"]),
        ("displayName", "'A|B'", ["A|B"], ["A"]),
        ("displayName", "(A|B)&<>B", ["A"], ["B"]),
        ("country", "de", ["DE"], ["DK"]),
        ("lastInteractionDate", "2026-01-01..2026-01-31", ["2026-01-01", "2026-01-31"], ["2026-02-01"]),
        ("contactBusinessRelation", "Customer", ["Customer"], ["Vendor"]),
        ("contactBusinessRelation", "Bank Account", ["Bank_x0020_Account", "Bank Account"], ["Customer"]),
        ("privacyBlocked", "true", [True], [False]),
    ],
)
def test_r05_filters_speak_bcs_own_language(
    field: str, text: str, matching: list[str | bool], others: list[str | bool]
) -> None:
    contact_filter = parse_filter({field: text})

    assert [each for each in [*matching, *others] if matches(contact_filter, {field: each})] == matching


def test_r05_fields_combine_with_and() -> None:
    contact_filter = parse_filter({"city": "Berlin", "country": "DE"})

    assert matches(contact_filter, {"city": "Berlin", "country": "DE"})
    assert not matches(contact_filter, {"city": "Berlin", "country": "DK"})


@pytest.mark.parametrize(
    ("expressions", "field", "column"),
    [
        ({"city": "Berlin|"}, "city", 8),
        ({"city": "(Berlin"}, "city", 8),
        ({"town": "Berlin"}, "town", 1),
        ({"lastInteractionDate": "31.01.2026"}, "lastInteractionDate", 1),
        ({"lastInteractionDate": "20260131"}, "lastInteractionDate", 1),
    ],
)
def test_r05_a_wrong_filter_names_field_column_and_what_was_expected(
    expressions: dict[str, str], field: str, column: int
) -> None:
    with pytest.raises(FilterError) as refused:
        parse_filter(expressions)

    assert (refused.value.field, refused.value.column) == (field, column)
    assert refused.value.expected


def test_r05_me_is_refused_while_the_bc_user_name_is_not_set() -> None:
    with pytest.raises(FilterError):
        parse_filter({"jobTitle": "%me"})

    assert matches(parse_filter({"jobTitle": "%me"}, me="ADA"), {"jobTitle": "ADA"})
    assert matches(parse_filter({"companyName": "%company"}, company="Acme"), {"companyName": "Acme"})


def test_r05_a_wrong_filter_fails_the_run_and_the_saved_one_stays_in_force(world: World) -> None:
    world.profile("ada", filter={"city": "Berlin"})
    anna(world, city="Berlin")

    report = world.sync(filter={"city": "Ulm|"})

    assert (report.status, report.error_code) == (RunStatus.FAILED, "filter")
    profile = world.state.profiles.get(COMPANY, "ada")
    assert profile is not None
    assert dict(profile.filter) == {"city": "Berlin"}
    assert world.sync().status is RunStatus.SUCCEEDED
    assert names(world) == ["Anna Berg"]


def test_r05_what_odata_cannot_say_is_evaluated_in_our_code() -> None:
    """The translation may select more than the filter, and then says so; never less (see the property tests)."""
    said = to_odata(parse_filter({"city": "Berlin"}))
    other = to_odata(parse_filter({"city": "<>Berlin"}))

    assert (said.text, said.complete) == ("city eq 'Berlin'", True)
    assert (other.text, other.complete) == ("city ne 'Berlin'", True)
    for unsaid in ("A?n", "<>A*", "@A*", ">A"):
        assert not to_odata(parse_filter({"displayName": unsaid})).complete, unsaid
    assert matches(parse_filter({"displayName": "A?n"}), {"displayName": "Ann"})


def test_r05_a_saved_filter_of_a_sync_request_stays_in_force(world: World) -> None:
    anna(world, city="Berlin")
    world.bc.put(displayName="Bob", email="bob@x.example", city="Ulm")

    world.sync(filter={"city": "Ulm"})
    world.full()

    assert names(world) == ["Bob"]
