"""R6 to R8: pairs, and first matches."""

import pytest

from shared.cards.model import Origin
from shared.errors import ChangedMeanwhile, ContactError
from shared.planning.newcomers import number_order
from tests.fakes.world import World
from tests.rules.glances import anna, links, names, note, outlook_card, seen, twin, wrote_nothing
from tests.rules.scenes import with_folder

# ---------------------------------------------------------------- R6


def test_r06_a_changed_address_in_bc_is_an_ordinary_field_change(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    before = twin(world, bc_id)

    world.bc.edit(bc_id, email="anna.new@berg.example")
    world.sync()

    assert twin(world, bc_id) == before
    assert [each.email for each in seen(world)] == ["anna.new@berg.example"]


def test_r06_a_changed_address_in_outlook_is_an_ordinary_field_change(world: World) -> None:
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), email="anna.new@berg.example")
    world.sync()

    assert len(world.bc.rows) == 1
    assert world.bc.rows[bc_id].card.email == "anna.new@berg.example"


def test_r06_pairs_that_exchange_their_addresses_stay_pairs(world: World) -> None:
    first, second = anna(world), world.bc.put(displayName="Bob", email="bob@x.example")
    world.sync()
    before = twin(world, first), twin(world, second)

    world.bc.edit(first, email="bob@x.example")
    world.bc.edit(second, email="anna@berg.example")
    world.full()

    assert (twin(world, first), twin(world, second)) == before
    assert outlook_card(world, first).email == "bob@x.example"


# ---------------------------------------------------------------- R7


@pytest.mark.parametrize("address", ["anna@berg.example", "ANNA@Berg.Example", "  anna@berg.example "])
def test_r07_an_outlook_contact_with_the_same_email_is_the_same_person(world: World, address: str) -> None:
    """Case and blanks ignored."""
    world.sync()
    bc_id = anna(world)
    key = world.mailbox().add(world.folder(), name="Anna Berg", email=address)

    world.sync()

    assert len(world.bc.rows) == 1
    assert twin(world, bc_id) == key
    assert len(seen(world)) == 1


def test_r07_a_person_outside_the_filter_is_linked_and_counts_as_the_users_own_creation(world: World) -> None:
    world.profile("ada", filter={"city": "Berlin"})
    bc_id = anna(world, city="Ulm")
    world.sync()
    assert names(world) == []

    world.mailbox().add(world.folder(), name="Anna Berg", email="anna@berg.example")
    world.sync()
    world.full()

    assert len(world.bc.rows) == 1
    assert links(world)[bc_id].origin is Origin.OWN
    assert names(world) == ["Anna Berg"]


def test_r07_a_person_that_the_snapshot_does_not_know_yet_is_found_in_bc_before_creating(world: World) -> None:
    """Somebody enters the person in BC between the reading and the creation."""
    world.sync()
    world.mailbox().add(world.folder(), name="Anna Berg", email="anna@berg.example")
    entered: list[str] = []

    def meanwhile() -> None:
        entered.append(anna(world))

    world.faults.before("bc.find_persons", meanwhile)
    world.sync()

    assert list(world.bc.rows) == entered
    assert list(links(world)) == entered


def test_r07_a_company_is_never_matched(world: World) -> None:
    company = world.bc.put(displayName="Acme", type="Company", email="info@acme.example")
    world.sync()
    world.mailbox().add(world.folder(), name="Acme Info", email="info@acme.example")

    world.sync()

    assert len(world.bc.rows) == 2
    assert company not in links(world)


def test_r07_of_several_candidates_the_one_with_the_same_name_counts(world: World) -> None:
    world.bc.put(displayName="Zoe Other", email="anna@berg.example", number="CT000001")
    same = world.bc.put(displayName="anna  berg", email="anna@berg.example", number="CT000009")
    key = world.mailbox().add(with_folder(world), name="Anna Berg", email="anna@berg.example")

    report = world.sync()

    assert twin(world, same) == key
    assert note(report, "several-candidates").value == "CT000001"


def test_r07_else_the_one_with_the_oldest_number(world: World) -> None:
    world.bc.put(displayName="Zoe", email="anna@berg.example", number="CT10")
    oldest = world.bc.put(displayName="Yan", email="anna@berg.example", number="CT9")
    key = world.mailbox().add(with_folder(world), name="Anna Berg", email="anna@berg.example")

    world.sync()

    assert twin(world, oldest) == key
    assert number_order("CT9") < number_order("CT10")


def test_r07_a_privacy_blocked_person_is_never_linked_nor_written_to(world: World) -> None:
    bc_id = anna(world, privacyBlocked=True)
    key = world.mailbox().add(with_folder(world), name="Anna", email="anna@berg.example", phone="1")

    report = world.sync()
    world.full()

    assert note(report, "privacy-blocked")
    assert (len(world.bc.rows), world.bc.writes) == (1, [])
    assert bc_id not in links(world)
    assert key in world.mailbox().entries


def test_r07_of_several_candidates_a_blocked_one_never_counts(world: World) -> None:
    anna(world, privacyBlocked=True)
    free = world.bc.put(displayName="Anna Other", email="anna@berg.example")
    key = world.mailbox().add(with_folder(world), name="Anna Berg", email="anna@berg.example")

    world.sync()

    assert list(links(world)) == [free]
    assert twin(world, free) == key


def test_r07_when_the_block_is_lifted_the_same_person_is_linked_not_doubled(world: World) -> None:
    bc_id = anna(world, privacyBlocked=True)
    key = world.mailbox().add(with_folder(world), name="Anna Berg", email="anna@berg.example")
    world.sync()

    world.bc.edit(bc_id, privacyBlocked=False)
    world.sync()

    assert twin(world, bc_id) == key
    assert len(seen(world)) == 1


def test_r07_a_further_contact_with_the_address_stays_as_it_is(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    key = world.mailbox().add(world.folder(), name="Anna Double", email="anna@berg.example")

    report = world.sync()
    world.full()

    assert note(report, "duplicate").outlook_id == key
    assert len(world.bc.rows) == 1
    assert twin(world, bc_id) != key
    assert world.mailbox().entries[key].contact.card.name == "Anna Double"


def test_r07_two_new_contacts_with_one_address_make_one_person(world: World) -> None:
    world.sync()
    for name in ("Anna Berg", "Anna B"):
        world.mailbox().add(world.folder(), name=name, email="anna@berg.example")

    world.sync()
    report = world.full()

    assert [each.card.name for each in world.bc.rows.values()] == ["Anna Berg"]
    assert note(report, "duplicate").name == "Anna B"


def test_r07_a_bc_contact_that_comes_into_scope_meets_the_users_own_contact(world: World) -> None:
    """The user's contact was incomplete for BC; then BC gets the person."""
    world.sync()
    key = world.mailbox().add(world.folder(), email="anna@berg.example")
    world.sync()

    bc_id = anna(world)
    world.sync()

    assert twin(world, bc_id) == key
    assert names(world) == ["Anna Berg"]


# ---------------------------------------------------------------- R8


def test_r08_on_first_match_bc_wins_field_by_field_and_what_lost_is_noted(world: World) -> None:
    bc_id = anna(world, city="Berlin", phoneNumber="030")
    world.mailbox().add(
        with_folder(world), name="Anna Berg", email="anna@berg.example", city="Ulm", mobile="0151", phone="030"
    )

    report = world.sync()

    card = outlook_card(world, bc_id)
    assert (card.city, card.phone, card.mobile) == ("Berlin", "030", "0151")
    assert world.bc.rows[bc_id].card.mobile == "0151"
    assert [(each.code, each.field, each.value) for each in report.notes] == [("first-match", "city", "Ulm")]
    wrote_nothing(world)


def test_r08_a_blank_outlook_field_takes_bcs_value_without_a_note(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.mailbox().add(with_folder(world), name="Anna Berg", email="anna@berg.example")

    report = world.sync()

    assert outlook_card(world, bc_id).city == "Berlin"
    assert report.notes == ()


@pytest.mark.parametrize("call", ["bc.write", "graph.write"])
@pytest.mark.parametrize("stamped", [False, True])
@pytest.mark.parametrize(
    "error", [ContactError("The service failed at this contact."), ChangedMeanwhile("It changed.")]
)
def test_r9_a_first_match_that_could_not_be_written_makes_no_other_contact(
    world: World, call: str, stamped: bool, error: ContactError
) -> None:
    if stamped:  # the state was lost, and both sides have changed since
        bc_id = anna(world)
        world.sync()
        world.bc.edit(bc_id, city="Ulm")
        world.mailbox().edit(twin(world, bc_id), mobile="0151")
        world.state.mailboxes.rows.clear()
    else:
        world.sync()
        world.mailbox().add(world.folder(), name="Anna B", email="anna@berg.example", mobile="0151")
        bc_id = anna(world)
    for _ in range(4):  # as often as a run tries it
        world.faults.fail(1, error, call=call)
    world.sync()
    world.faults.restart()
    world.bc.edit(bc_id, jobTitle="Buyer")

    world.tick()
    world.sync()

    assert names(world) == ["Anna Berg"] and set(links(world)) == {bc_id}
    assert (outlook_card(world, bc_id).job_title, world.bc.rows[bc_id].text("mobilePhoneNumber")) == ("Buyer", "0151")
