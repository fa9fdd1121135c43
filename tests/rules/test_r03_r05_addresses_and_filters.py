"""R3 to R5: several addresses, own creations outside the filter, filters."""

import pytest

from shared.cards import emails
from shared.cards.business_central import contact_from_values
from shared.cards.model import Origin
from shared.engine.model import RunStatus
from shared.filters import FilterError, matches, parse_filter, to_odata
from shared.planning.model import Rules
from shared.planning.scope import belongs
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, names, note, seen, twin
from tests.rules.scenes import NO_FILTER, PERSON

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
