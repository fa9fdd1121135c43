"""R12 to R20: what travels, what stays, and what the services make of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from shared.business_central.mapping import lost
from shared.cards.business_central import contact_from_values
from shared.cards.model import Card, Field, OutlookContact
from shared.cards.names import edited_name, split_name
from shared.cards.translate import LENGTHS, Refusal, countries_from, for_bc
from shared.engine.limits import Limits
from shared.engine.model import CompanySettings, Mode, RunStatus
from shared.engine.sides import OutlookWrite
from shared.errors import ContactError
from shared.outlook.mapping import body_of_write, contact_of
from shared.planning.model import CompanyFromOutlook
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, links, names, note, outlook_card, seen, twin, wrote_nothing

# ---------------------------------------------------------------- R12


def test_r12_only_fields_that_changed_since_the_base_travel(world: World) -> None:
    """Outlook holds another city than BC because BC's user changed it a moment after the run had read BC."""
    bc_id = anna(world, city="Berlin", jobTitle="Clerk")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), job_title="Chief")
    world.faults.before("bc.write", lambda: world.bc.edit(bc_id, city="Ulm"))
    world.sync()
    world.sync()

    assert (world.bc.rows[bc_id].card.job_title, world.bc.rows[bc_id].card.city) == ("Chief", "Ulm")
    assert outlook_card(world, bc_id).city == "Ulm"


def test_r12_outlook_data_that_bc_cannot_hold_is_never_touched() -> None:
    """A write replaces whole lists and the whole address in Graph: what shares a property with it goes along."""
    current = contact_of(
        {
            "id": "x",
            "displayName": "Anna Berg",
            "businessPhones": ["1", "2"],
            "businessAddress": {"street": "A\nB\nC", "city": "Ulm"},
            "personalNotes": "secret",
            "birthday": "1990-01-01T00:00:00Z",
            "homeAddress": {"city": "Home"},
            "categories": ["Friends"],
        },
        marks_known=True,
    )
    assert current is not None

    body = body_of_write(OutlookWrite(current, {Field.PHONE: "9", Field.ADDRESS_1: "Z"}), "Business Central")

    assert body["businessPhones"] == ["9", "2"]
    assert body["businessAddress"]["street"] == "Z\nB\nC"
    assert body["businessAddress"]["city"] == "Ulm"
    assert body["categories"] == ["Friends", "Business Central"]
    assert set(body) == {"displayName", "businessPhones", "businessAddress", "categories"}
    assert not {"personalNotes", "birthday", "homeAddress", "photo", "homePhones"} & set(body)


def test_r12_excluded_fields_never_leave_bc_and_are_never_written_to_it(world: World) -> None:
    world.state.companies.save_settings(CompanySettings(COMPANY, excluded_fields=("mobilePhoneNumber", "city")))
    bc_id = anna(world, mobilePhoneNumber="0151", city="Berlin")

    world.sync()
    before = outlook_card(world, bc_id)
    world.mailbox().edit(twin(world, bc_id), mobile="999", city="Ulm", job_title="Chief")
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example", mobile="777")
    world.sync()
    world.full()

    assert (before.mobile, before.city) == ("", "")
    bc = world.bc.rows[bc_id].card
    assert (bc.mobile, bc.city, bc.job_title) == ("0151", "Berlin", "Chief")
    assert [each.card.mobile for each in world.bc.rows.values() if each.card.name == "Carla"] == [""]
    assert outlook_card(world, bc_id).mobile == "999"


def test_r12_an_excluded_company_links_nobody(world: World) -> None:
    world.state.companies.save_settings(CompanySettings(COMPANY, excluded_fields=("companyName",)))
    world.bc.put(displayName="Acme", type="Company", number="CT000009")
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), company="Acme")
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example", company="Acme")
    world.sync()

    persons = [each for each in world.bc.rows.values() if each.is_person]
    assert [(each.card.name, each.company_number) for each in persons] == [("Anna Berg", ""), ("Carla", "")]


# ---------------------------------------------------------------- R13


def test_r13_changes_of_different_fields_both_survive(world: World) -> None:
    bc_id = anna(world, city="Berlin", jobTitle="Clerk")
    world.sync()

    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), job_title="Chief")
    report = world.sync()

    bc, outlook = world.bc.rows[bc_id].card, outlook_card(world, bc_id)
    assert (bc.city, bc.job_title) == (outlook.city, outlook.job_title) == ("Ulm", "Chief")
    assert report.notes == ()


def test_r13_on_the_same_field_bc_wins_and_the_lost_value_is_noted_once(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()

    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), city="Bonn")
    first, second = world.sync(), world.full()

    assert world.bc.rows[bc_id].card.city == outlook_card(world, bc_id).city == "Ulm"
    lost_value = note(first, "conflict")
    assert (lost_value.field, lost_value.value, lost_value.bc_id) == ("city", "Bonn", bc_id)
    assert second.notes == ()


def test_r13_a_conflict_found_only_while_writing_is_merged_the_same_way(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), city="Bonn", job_title="Chief")
    world.faults.before("bc.write", lambda: world.bc.edit(bc_id, city="Ulm"))
    report = world.sync()

    assert (world.bc.rows[bc_id].card.city, world.bc.rows[bc_id].card.job_title) == ("Ulm", "Chief")
    assert outlook_card(world, bc_id).city == "Ulm"
    assert note(report, "conflict").value == "Bonn"


def test_r13_the_same_new_value_on_both_sides_is_no_conflict(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()
    before = world.written()

    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    report = world.sync()

    assert (report.notes, world.written()) == ((), before)


# ---------------------------------------------------------------- R14


def test_r14_an_incremental_run_reads_changes_only(world: World) -> None:
    anna(world)
    world.sync()
    world.sync()
    start = len(world.faults.calls)

    world.sync()

    calls = world.faults.calls[start:]
    assert "graph.contacts" not in calls
    assert "all_links" not in " ".join(calls)
    assert "bc.contacts" not in calls


def test_r14_a_full_run_repairs_what_drifted_regardless_of_dates_and_tokens(world: World) -> None:
    """The change happened without a new stamp in BC and without an entry in Outlook's feed."""
    first, second = anna(world, city="Berlin"), world.bc.put(displayName="Bob", email="b@x.example", city="Bonn")
    world.sync()
    world.sync()  # reads its own echo
    unseen = world.bc.rows[first]
    values = {**unseen.values, "city": "Ulm"}
    world.bc.rows[first] = contact_from_values(first, "W/other", unseen.modified, values)
    entry = world.mailbox().entries[twin(world, second)]
    entry.contact = replace(entry.contact, card=entry.contact.card._replace(city="Kiel"), etag="drifted")

    world.sync()
    missed = outlook_card(world, first).city, world.bc.rows[second].card.city
    world.full()

    assert missed == ("Berlin", "Bonn")
    assert (outlook_card(world, first).city, world.bc.rows[second].card.city) == ("Ulm", "Kiel")


def test_r14_a_full_run_brings_a_contact_that_no_feed_names(world: World) -> None:
    """The pair is lost on our side and in the folder; nothing happened to the contact in BC."""
    bc_id = anna(world)
    world.sync()
    world.sync()  # reads its own echo
    rows = world.state.mailboxes.of("ada", COMPANY, "ada")
    del world.mailbox().entries[twin(world, bc_id)]
    rows.by_outlook.pop(rows.links.pop(bc_id).outlook_id)

    world.sync()
    missed = names(world)
    world.full()

    assert (missed, names(world)) == ([], ["Anna Berg"])


def test_r14_a_full_run_right_after_a_run_changes_nothing(world: World) -> None:
    bc_id = anna(world, city="Berlin", country="DE", email="a@x.example;b@x.example;c@x.example;d@x.example")
    world.bc.put(displayName="Dr. Carl Maria von Weber", email="carl@x.example", companyName="Opera")
    world.sync()
    world.mailbox().edit(twin(world, bc_id), postal_code="sw1a", job_title="J" * 31, company="Unknown")
    world.mailbox().add(world.folder(), name="No Address")
    world.sync()

    before = world.written()
    report = world.full()

    assert world.written() == before
    assert report.status in (RunStatus.SUCCEEDED, RunStatus.WITH_NOTES)


def test_r14_what_happened_before_the_request_is_seen_deletions_included(world: World) -> None:
    first, second = anna(world), world.bc.put(displayName="Bob", email="b@x.example")
    world.sync()

    world.bc.delete(first)
    world.bc.edit(second, city="Ulm")
    world.sync()

    assert [(each.name, each.city) for each in seen(world)] == [("Bob", "Ulm")]


def test_r14_large_companies_show_deletions_to_full_runs_and_on_a_schedule() -> None:
    w = World.new(Limits(enumeration_most=1, enumeration_minutes=60))
    w.profile("ada")
    first, second = anna(w), w.bc.put(displayName="Bob", email="b@x.example")
    third = w.bc.put(displayName="Carla", email="c@x.example")
    assert Limits().enumeration_most == 100_000
    w.sync()

    w.bc.delete(first)
    w.sync()
    unnoticed = names(w)
    w.full()
    after_full = names(w)
    w.bc.delete(second)
    w.clock.advance(minutes=61)
    w.sync()

    assert unnoticed == ["Anna Berg", "Bob", "Carla"]
    assert after_full == ["Bob", "Carla"]
    assert (names(w), list(w.bc.rows)) == (["Carla"], [third])


@pytest.mark.parametrize("honours_tags", [True, False], ids=["tags honoured", "tags ignored"])
def test_r14_an_unasked_run_reads_the_other_side_again_before_writing_to_it(world: World, honours_tags: bool) -> None:
    """The Outlook edit is in no feed that this run reads, and still survives."""
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.sync()  # reads its own echo
    world.mailbox().ignores_etags = not honours_tags
    key = twin(world, bc_id)

    world.bc.edit(bc_id, city="Ulm")
    entry = world.mailbox().entries[key]
    entry.contact = replace(entry.contact, card=entry.contact.card._replace(job_title="Chief"), etag="later")
    world.tick()

    assert outlook_card(world, bc_id).city == "Ulm"
    assert outlook_card(world, bc_id).job_title == "Chief"
    assert world.bc.rows[bc_id].card.job_title == "Chief"


# ---------------------------------------------------------------- R15


@pytest.mark.parametrize("mode", list(Mode))
def test_r15_our_own_writes_come_back_in_both_feeds_and_cause_no_write(world: World, mode: Mode) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), job_title="Chief")
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example")
    world.sync()

    before, known = world.written(), dict(links(world))
    report = world.sync(mode=mode)

    assert world.written() == before
    assert report.notes == ()
    assert links(world) == known  # both bases were right already: nothing to learn from the echo


# ---------------------------------------------------------------- R16


def test_r16_a_post_code_that_bc_writes_in_upper_case_does_not_bounce(world: World) -> None:
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), postal_code="sw1a 1aa")
    world.sync()

    assert world.bc.rows[bc_id].card.postal_code == "SW1A 1AA"
    assert outlook_card(world, bc_id).postal_code == "sw1a 1aa"
    wrote_nothing(world)


def test_r16_a_value_that_outlook_normalises_does_not_travel_back(world: World) -> None:
    """Here Outlook makes a display name of its own out of the parts."""
    bc_id = anna(world, displayName="Anna Maria Berg")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), name="Anna Berg")
    world.sync()

    assert world.bc.rows[bc_id].card.name == "Anna Maria Berg"


def test_r16_what_outlook_makes_of_our_write_is_no_edit(world: World) -> None:
    """Here Outlook folds double blanks, in the answer and ever after."""
    bc_id = anna(world)
    world.sync()
    mailbox = world.mailbox()
    store = mailbox.write

    def folding(folder_id: str, writes: Sequence[OutlookWrite]) -> Sequence[OutlookContact | ContactError]:
        folded = [{which: value.replace("  ", " ") for which, value in each.values.items()} for each in writes]
        return store(folder_id, [replace(each, values=values) for each, values in zip(writes, folded, strict=True)])

    world.bc.edit(bc_id, jobTitle="Clerk  of works")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(mailbox), "write", lambda _self, *given: folding(*given))
        world.sync()

    wrote_nothing(world)
    assert outlook_card(world, bc_id).job_title == "Clerk of works"
    assert world.bc.rows[bc_id].card.job_title == "Clerk  of works"


def test_r16_blank_fields_that_bc_fills_go_to_outlook(world: World) -> None:
    """Linking a company fills what was blank at the person."""
    world.bc.put(displayName="Acme", type="Company", phoneNumber="555", city="Oslo", website="acme.example")
    bc_id = anna(world, city="Berlin")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), company="Acme")
    world.sync()

    outlook, bc = outlook_card(world, bc_id), world.bc.rows[bc_id].card
    assert (outlook.phone, outlook.website, outlook.city) == ("555", "acme.example", "Berlin")
    assert (bc.phone, bc.website, bc.city, bc.company) == ("555", "acme.example", "Berlin", "Acme")
    wrote_nothing(world)


def test_r16_blank_fields_that_bc_fills_at_a_new_person_go_to_outlook(world: World) -> None:
    world.bc.put(displayName="Acme", type="Company", phoneNumber="555")
    world.sync()
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example", company="Acme")

    world.sync()

    assert [each.phone for each in seen(world)] == ["555"]
    wrote_nothing(world)


def test_r16_what_bc_clears_or_overwrites_is_sent_once_more() -> None:
    """A field of ours that BC emptied or changed counts as lost; its letter case does not."""
    held = contact_from_values("1", "e", "", {"city": "", "postalCode": "AB1", "country": "DK", "addressLine1": "X"})
    expected = {Field.CITY: "Ulm", Field.POSTAL_CODE: "ab1", Field.COUNTRY: "DE", Field.ADDRESS_1: "X", Field.STATE: ""}

    assert lost(expected, held) == {Field.CITY: "Ulm", Field.COUNTRY: "DE"}


def test_r16_what_bc_then_still_holds_differently_does_not_travel_back_until_bc_changes_it(world: World) -> None:
    bc_id = anna(world, city="Berlin", country="DE")
    world.sync()
    key = twin(world, bc_id)
    store = world.bc._store

    def with_side_effect(contact_id: str, values: Any, stamp: str | None = None) -> Any:
        return store(contact_id, {**values, "city": "Side Effect"} if values.get("country") == "DK" else values, stamp)

    world.mailbox().edit(key, country="Denmark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.bc), "_store", lambda _self, *given: with_side_effect(*given))
        world.sync()
    wrote_nothing(world)
    assert (world.bc.rows[bc_id].card.city, outlook_card(world, bc_id).city) == ("Side Effect", "Berlin")

    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    assert outlook_card(world, bc_id).city == "Ulm"


# ---------------------------------------------------------------- R17


@pytest.mark.parametrize("which", list(LENGTHS))
def test_r17_a_value_that_is_too_long_is_refused_never_cut(which: Field) -> None:
    most = LENGTHS[which]
    fits, too_long = "1" * most, "1" * (most + 1)
    if which is Field.EMAIL:
        fits, too_long = "a" * (most - 6) + "@b.com", "a" * (most - 5) + "@b.com"
    if which is Field.COUNTRY:
        return  # a country is looked up, not measured (R19)

    assert for_bc(which, fits, "", countries_from({})) == fits
    assert isinstance(for_bc(which, too_long, "", countries_from({})), Refusal)


@pytest.mark.parametrize(
    "values",
    [{"name": "N" * 101, "email": "n@x.example"}, {"name": "Nina", "email": "n" * 72 + "@x.example"}],
    ids=["name", "address"],
)
def test_r17_a_new_contact_whose_name_or_address_bc_cannot_hold_is_skipped(
    world: World, values: dict[str, str]
) -> None:
    world.sync()
    key = world.mailbox().add(world.folder(), **values)

    report = world.sync()
    world.full()

    assert note(report, "incomplete").outlook_id == key
    assert (world.bc.rows, world.bc.writes) == ({}, [])
    assert key in world.mailbox().entries


def test_r17_the_other_fields_travel_and_that_one_keeps_its_outlook_value_with_a_note(world: World) -> None:
    bc_id = anna(world, jobTitle="Clerk")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), job_title="J" * 31, city="Ulm")
    report = world.sync()

    bc = world.bc.rows[bc_id].card
    assert (bc.job_title, bc.city) == ("Clerk", "Ulm")
    assert outlook_card(world, bc_id).job_title == "J" * 31
    assert (note(report, "too-long").field, note(report, "too-long").value) == ("jobTitle", "J" * 31)
    wrote_nothing(world)


def test_r17_what_only_bc_itself_finds_invalid_is_left_the_same_way(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.bc.refused_values["website"] = "bad.example"

    world.mailbox().edit(twin(world, bc_id), website="bad.example", city="Ulm")
    report = world.sync()

    assert (world.bc.rows[bc_id].card.website, world.bc.rows[bc_id].card.city) == ("", "Ulm")
    assert outlook_card(world, bc_id).website == "bad.example"
    assert note(report, "refused").field == "website"


def test_r17_letters_in_a_phone_number_do_not_travel(world: World) -> None:
    bc_id = anna(world, phoneNumber="030")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), phone="call me")
    report = world.sync()

    assert world.bc.rows[bc_id].card.phone == "030"
    assert note(report, "letters-in-phone").value == "call me"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "", "given_name": "", "surname": ""}, "required"),
        ({"name": "N" * 101}, "too-long"),
        ({"email": ""}, "required"),
        ({"email": "not an address"}, "invalid-email"),
    ],
    ids=["no name", "name too long", "no address", "invalid address"],
)
def test_r17_a_required_field_that_is_cleared_or_made_invalid_does_not_travel_the_rest_does(
    world: World, values: dict[str, Any], code: str
) -> None:
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), **values, city="Ulm")
    report = world.sync()

    bc = world.bc.rows[bc_id].card
    assert (bc.name, bc.email, bc.city) == ("Anna Berg", "anna@berg.example", "Ulm")
    assert note(report, code)
    assert twin(world, bc_id) in world.mailbox().entries
    wrote_nothing(world)


def test_r17_a_third_line_of_the_street_stays_in_outlook_with_a_note(world: World) -> None:
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), address_1="A", address_2="B", more_lines=("C",))
    report = world.sync()

    bc = world.bc.rows[bc_id].card
    assert (bc.address_1, bc.address_2) == ("A", "B")
    assert note(report, "third-line").value == "C"
    assert world.mailbox().entries[twin(world, bc_id)].contact.more_lines == ("C",)


def test_r17_bc_still_wins_over_a_value_that_was_left(world: World) -> None:
    bc_id = anna(world, jobTitle="Clerk")
    world.sync()
    world.mailbox().edit(twin(world, bc_id), job_title="J" * 31)
    world.sync()

    world.bc.edit(bc_id, jobTitle="Chief")
    report = world.sync()

    assert outlook_card(world, bc_id).job_title == "Chief"
    assert note(report, "conflict").value == "J" * 31


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
