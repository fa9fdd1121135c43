"""R18 to R20: companies, countries, names."""

from contextlib import suppress
from typing import Any

import pytest

from shared.cards.model import Card
from shared.cards.names import edited_name, split_name
from shared.planning.model import CompanyFromOutlook
from tests.fakes.faults import Died
from tests.fakes.world import World
from tests.rules.glances import anna, codes, note, outlook_card, twin, wrote_nothing

# ---------------------------------------------------------------- R18


def acme(w: World, **more: str | bool) -> str:
    return w.bc.rows[w.bc.put(displayName="Acme", type="Company", **more)].number


def test_r18_a_company_name_links_a_person_who_has_none(world: World) -> None:
    number = acme(world)
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), company=" ACME ")
    report = world.sync()

    assert world.bc.rows[bc_id].company_number == number
    assert report.notes == ()
    wrote_nothing(world)


@pytest.mark.parametrize(("companies", "code"), [(0, "company-unknown"), (2, "company-ambiguous")])
def test_r18_unless_exactly_one_company_has_that_name(world: World, companies: int, code: str) -> None:
    for _ in range(companies):
        acme(world)
    world.bc.put(displayName="Acme", email="person@acme.example")  # a person of that name does not count
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), company="Acme", city="Ulm")
    report = world.sync()

    assert world.bc.rows[bc_id].company_number == ""
    assert world.bc.rows[bc_id].card.city == "Ulm"
    assert outlook_card(world, bc_id).company == "Acme"
    assert note(report, code).value == "Acme"


@pytest.mark.parametrize("policy", list(CompanyFromOutlook))
def test_r18_a_person_who_has_a_company_is_moved_only_under_policy_move(
    world: World, policy: CompanyFromOutlook
) -> None:
    first = acme(world)
    second = world.bc.rows[world.bc.put(displayName="Other", type="Company")].number
    world.profile("ada", policies={"company_from_outlook": policy})
    bc_id = anna(world, companyNumber=first, companyName="Acme")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), company="Other")
    report = world.sync()

    assert world.bc.rows[bc_id].company_number == (second if policy is CompanyFromOutlook.MOVE else first)
    assert codes(report) == ([] if policy is CompanyFromOutlook.MOVE else ["company-not-moved"])
    wrote_nothing(world)


@pytest.mark.parametrize("policy", list(CompanyFromOutlook))
def test_r18_a_blank_company_in_outlook_never_clears_bcs(world: World, policy: CompanyFromOutlook) -> None:
    number = acme(world)
    world.profile("ada", policies={"company_from_outlook": policy})
    bc_id = anna(world, companyNumber=number, companyName="Acme")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), company="")
    report = world.sync()
    world.full()

    assert note(report, "company-kept").field == "companyName"
    assert world.bc.rows[bc_id].company_number == number


@pytest.mark.parametrize("companies", [0, 1, 2])
def test_r18_a_new_person_is_linked_under_the_same_condition(world: World, companies: int) -> None:
    numbers = [f"CT00000{each}" for each in range(companies)]
    for number in numbers:
        world.bc.put(displayName="Acme", type="Company", number=number)
    world.sync()

    world.mailbox().add(world.folder(), name="Carla", email="c@x.example", company="acme")
    world.sync()

    (person,) = [each for each in world.bc.rows.values() if each.is_person]
    assert person.company_number == (numbers[0] if companies == 1 else "")


def test_r18_bcs_company_name_goes_to_outlook_as_text(world: World) -> None:
    bc_id = anna(world, companyName="Acme")
    world.sync()
    world.bc.edit(bc_id, companyName="Acme International")

    world.sync()

    assert outlook_card(world, bc_id).company == "Acme International"


# ---------------------------------------------------------------- R19


def test_r19_bcs_country_code_goes_to_outlook_as_the_name(world: World) -> None:
    bc_id = anna(world, country="DE")

    world.sync()

    assert outlook_card(world, bc_id).country == "Germany"


@pytest.mark.parametrize("written", ["Denmark", "DK", "dk", " denmark "])
def test_r19_it_comes_back_by_code_or_name(world: World, written: str) -> None:
    bc_id = anna(world, country="DE")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), country=written.strip())
    world.sync()

    assert world.bc.rows[bc_id].card.country == "DK"
    wrote_nothing(world)


def test_r19_an_unknown_country_stays_with_a_note(world: World) -> None:
    bc_id = anna(world, country="DE")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), country="Atlantis", city="Ulm")
    report = world.sync()

    assert (world.bc.rows[bc_id].card.country, world.bc.rows[bc_id].card.city) == ("DE", "Ulm")
    assert outlook_card(world, bc_id).country == "Atlantis"
    assert note(report, "country-unknown").value == "Atlantis"


# ---------------------------------------------------------------- R20


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Anna", ("Anna", "", "")),
        ("Anna Berg", ("Anna", "", "Berg")),
        ("Anna Maria Berg", ("Anna", "Maria", "Berg")),
        ("Carl Maria von Weber", ("Carl Maria", "von", "Weber")),
        ("  Anna   Berg ", ("Anna", "", "Berg")),
        ("A" * 31 + " B", ("A" * 30, "", "B")),
        ("", ("", "", "")),
    ],
)
def test_r20_the_parts_are_filled_by_bcs_own_splitting_rule(name: str, parts: tuple[str, str, str]) -> None:
    assert split_name(name) == parts


def test_r20_a_name_from_bc_fills_given_middle_and_surname(world: World) -> None:
    bc_id = anna(world, displayName="Anna Maria Berg")
    world.mailbox().create_folder("Business Central", None)
    world.sync()
    first = outlook_card(world, bc_id)
    world.bc.edit(bc_id, displayName="Anna Sofie Holm")
    world.sync()
    second = outlook_card(world, bc_id)

    assert (first.name, first.given_name, first.middle_name, first.surname) == (
        "Anna Maria Berg", "Anna", "Maria", "Berg",
    )  # fmt: skip
    assert (second.name, second.given_name, second.middle_name, second.surname) == (
        "Anna Sofie Holm", "Anna", "Sofie", "Holm",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected", "parts"),
    [
        pytest.param({"surname": "Holm"}, "Anna Holm", ("Anna", "", "Holm"), id="a part"),
        pytest.param({"name": "Anna Holm"}, "Anna Holm", ("Anna", "", "Holm"), id="the whole"),
        pytest.param(
            {"given_name": "Anne", "surname": "Holm", "name": "Anne Holm"}, "Anne Holm", ("Anne", "", "Holm"), id="all"
        ),
        pytest.param({"middle_name": "Maria"}, "Anna Maria Berg", ("Anna", "Maria", "Berg"), id="a middle name"),
    ],
)
def test_r20_a_name_edited_in_outlook_arrives_as_one_name(
    world: World, changes: dict[str, Any], expected: str, parts: tuple[str, str, str]
) -> None:
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), **changes)
    world.sync()

    card = outlook_card(world, bc_id)
    assert world.bc.rows[bc_id].card.name == expected
    assert (card.name, card.given_name, card.middle_name, card.surname) == (card.name, *parts)
    wrote_nothing(world)


@pytest.mark.parametrize("dies", [False, True], ids=["undisturbed", "dies behind the write in BC"])
def test_r20_a_display_name_that_lost_its_middle_name_gets_it_back_from_bc(world: World, dies: bool) -> None:
    """The service makes the display name of given name and surname alone (R16); a death makes no difference (R30)."""
    bc_id = anna(world, displayName="Anna Maria Berg")
    world.sync()
    world.mailbox().edit(twin(world, bc_id), given_name="Anne", name="Anne Berg")

    if dies:
        world.faults.die(call="bc.write", after=True)
        with suppress(Died):
            world.sync()
        world.faults.restart()
        world.clock.advance(seconds=61)
    world.sync()

    assert world.bc.rows[bc_id].card.name == "Anne Maria Berg"
    assert outlook_card(world, bc_id).name == "Anne Maria Berg"
    wrote_nothing(world)


def test_r20_a_split_that_a_user_corrected_stays_until_the_name_changes_in_bc(world: World) -> None:
    bc_id = anna(world, displayName="Carl Maria von Weber")
    world.sync()
    key = twin(world, bc_id)

    world.mailbox().edit(key, given_name="Carl Maria", middle_name="", surname="von Weber", name="Carl Maria von Weber")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    world.full()
    corrected = outlook_card(world, bc_id)
    world.bc.edit(bc_id, displayName="Carl Maria Weber")
    world.sync()
    anew = outlook_card(world, bc_id)

    assert (corrected.given_name, corrected.middle_name, corrected.surname) == ("Carl Maria", "", "von Weber")
    assert world.bc.rows[bc_id].card.name == "Carl Maria Weber"
    assert (anew.given_name, anew.middle_name, anew.surname) == ("Carl", "Maria", "Weber")


@pytest.mark.parametrize(
    ("edit", "name", "parts"),
    [
        ({"given_name": "Jan", "middle_name": "Piet", "surname": "van Dam"}, "Jan Piet van Dam", "Jan|Piet|van Dam"),
        ({"name": "Berg, Anna"}, "Berg, Anna", "Anna||Berg"),
    ],
    ids=["in parts", "in whole"],
)
def test_r20_a_name_edited_in_outlook_keeps_the_users_split(
    world: World, edit: dict[str, str], name: str, parts: str
) -> None:
    """BC would split both of them otherwise."""
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), **edit)
    world.sync()
    world.full()

    card = outlook_card(world, bc_id)
    assert (world.bc.rows[bc_id].card.name, card.name) == (name, name)
    assert "|".join((card.given_name, card.middle_name, card.surname)) == parts


def test_r20_correcting_a_split_is_no_new_name() -> None:
    base = Card(name="Anna Maria Berg", given_name="Anna", middle_name="Maria", surname="Berg")
    without_middle = base._replace(name="Anna Berg")

    assert edited_name(base, base._replace(given_name="Anna Maria", middle_name="")) is None
    assert edited_name(without_middle, without_middle._replace(given_name="Anna Maria", middle_name="")) is None
    assert edited_name(base, base._replace(surname="Holm", name="Anna Holm")) == "Anna Maria Holm"
