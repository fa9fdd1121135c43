"""R41: which field is which, in both services' own JSON, through the adapters' pure mappings."""

import unicodedata
from typing import Any

import pytest

from shared.business_central.mapping import create_body, read_contact, write_body
from shared.cards.model import EMPTY_CARD, FIELDS, Field, Origin, Stamp
from shared.engine.sides import BcDraft, BcWrite, OutlookDraft
from shared.outlook.mapping import body_of_draft, contact_of
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, outlook_card, twin, wrote_nothing

BC_ROW: dict[str, Any] = {
    "id": "5d115c9c-44e3-ea11-bb43-000d3a2feca1",
    "@odata.etag": 'W/"1"',
    "type": "Person",
    "displayName": "Anna Maria Berg",
    "jobTitle": "Chief",
    "companyName": "Acme",
    "companyNumber": "CT9",
    "email": "a@x.example;b@x.example",
    "phoneNumber": "1",
    "mobilePhoneNumber": "2",
    "website": "x.example",
    "addressLine1": "Line 1",
    "addressLine2": "Line 2",
    "city": "Ulm",
    "state": "BW",
    "postalCode": "89073",
    "country": "DE",
}
GRAPH_ROW: dict[str, Any] = {
    "id": "x",
    "displayName": "Anna Maria Berg",
    "givenName": "Anna",
    "middleName": "Maria",
    "surname": "Berg",
    "jobTitle": "Chief",
    "companyName": "Acme",
    "emailAddresses": [{"address": "a@x.example", "name": "A"}, {"address": "b@x.example", "name": "B"}],
    "businessPhones": ["1", "1b"],
    "mobilePhone": "2",
    "businessHomePage": "x.example",
    "businessAddress": {
        "street": "Line 1\r\nLine 2\r\nLine 3",
        "city": "Ulm",
        "state": "BW",
        "postalCode": "89073",
        "countryOrRegion": "Germany",
    },
}
CARD = EMPTY_CARD._replace(
    name="Anna Maria Berg",
    job_title="Chief",
    company="Acme",
    email="a@x.example;b@x.example",
    phone="1",
    mobile="2",
    website="x.example",
    address_1="Line 1",
    address_2="Line 2",
    city="Ulm",
    state="BW",
    postal_code="89073",
    country="DE",
)


def test_r41_every_field_of_bc_has_its_place_on_the_card() -> None:
    read = read_contact(BC_ROW)

    assert read is not None
    assert (read.card, read.company_number) == (CARD, "CT9")


def test_r41_every_field_of_outlook_has_its_place_on_the_card() -> None:
    read = contact_of(GRAPH_ROW, marks_known=False)

    assert read is not None
    assert read.card == CARD._replace(country="Germany", given_name="Anna", middle_name="Maria", surname="Berg")
    assert (read.more_lines, read.more_phones) == (("Line 3",), ("1b",))


def test_r41_and_goes_back_to_the_same_place() -> None:
    outlook = CARD._replace(country="Germany", given_name="Anna", middle_name="Maria", surname="Berg")
    stamp = Stamp("1", Origin.SYNC, "Production", COMPANY)

    body = dict(body_of_draft(OutlookDraft(outlook, stamp), "Business Central"))

    again = contact_of({**body, "id": "x"}, marks_known=False)
    assert again is not None
    assert again.card == outlook
    assert set(body) == {*GRAPH_ROW, "categories", "singleValueExtendedProperties"} - {"id"}


def test_r41_nothing_else_is_written_to_bc() -> None:
    values = {which: CARD.get(which) for which in FIELDS if which is not Field.COMPANY}
    read = read_contact(BC_ROW)
    assert read is not None

    created, written = create_body(BcDraft(values, "CT9")), write_body(BcWrite(read, values, "CT9"))

    synced = {which.value for which in FIELDS} - {"companyName"} | {"companyNumber"}
    assert set(created) == synced | {"type"}
    assert set(written) == synced
    assert all(created[name] == BC_ROW[name] for name in synced)


@pytest.mark.parametrize(
    ("which", "bc_name", "outlook_name"),
    [
        (Field.JOB_TITLE, "jobTitle", "job_title"),
        (Field.EMAIL, "email", "email"),
        (Field.PHONE, "phoneNumber", "phone"),
        (Field.MOBILE, "mobilePhoneNumber", "mobile"),
        (Field.WEBSITE, "website", "website"),
        (Field.ADDRESS_1, "addressLine1", "address_1"),
        (Field.ADDRESS_2, "addressLine2", "address_2"),
        (Field.CITY, "city", "city"),
        (Field.STATE, "state", "state"),
        (Field.POSTAL_CODE, "postalCode", "postal_code"),
    ],
)
def test_r41_each_field_travels_both_ways(world: World, which: Field, bc_name: str, outlook_name: str) -> None:
    first, second = ("A@X.EXAMPLE", "B@X.EXAMPLE") if which is Field.EMAIL else ("111", "222")
    bc_id = anna(world)
    world.sync()

    world.bc.edit(bc_id, **{bc_name: first})
    world.sync()
    to_outlook = outlook_card(world, bc_id).get(which)
    world.mailbox().edit(twin(world, bc_id), **{outlook_name: second})
    world.sync()

    assert (to_outlook, world.bc.rows[bc_id].card.get(which)) == (first, second)
    wrote_nothing(world)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"displayName": unicodedata.normalize("NFD", "Zoë Müller")}, id="Unicode normal form"),
        pytest.param({"displayName": "  Zoë Müller "}, id="surrounding blanks"),
        pytest.param({"businessAddress": {"street": "Line 1\nLine 2"}}, id="line feeds"),
        pytest.param({"businessAddress": {"street": "Line 1\rLine 2\r"}}, id="carriage returns"),
        pytest.param({"jobTitle": None, "businessPhones": [], "mobilePhone": "  "}, id="ways of being blank"),
    ],
)
def test_r41_form_makes_no_difference(changed: dict[str, Any]) -> None:
    row = {"id": "x", "displayName": "Zoë Müller", "businessAddress": {"street": "Line 1\r\nLine 2"}}

    before, after = contact_of(row, marks_known=False), contact_of({**row, **changed}, marks_known=False)

    assert before is not None
    assert after is not None
    assert after.card == before.card


@pytest.mark.parametrize("line_break", ["\r\n", "\r", "\v", "\u2028"])
def test_r41_line_breaks_within_a_value_make_no_difference(line_break: str) -> None:
    before, after = (
        contact_of({"id": "x", "jobTitle": f"Clerk{each}of works"}, marks_known=False) for each in ("\n", line_break)
    )

    assert before is not None
    assert after is not None
    assert after.card == before.card


def test_r41_form_makes_no_difference_in_bc_either() -> None:
    odd = {"displayName": unicodedata.normalize("NFD", " Zoë\r\nMüller "), "city": " Ulm "}
    before, after = (read_contact({**BC_ROW, **each}) for each in ({"displayName": "Zoë\nMüller", "city": "Ulm"}, odd))

    assert before is not None
    assert after is not None
    assert after.card == before.card


def test_r41_what_has_no_counterpart_is_not_read(world: World) -> None:
    extra = {"personalNotes": "x", "homePhones": ["9"], "nickName": "An", "title": "Dr.", "birthday": "1990-01-01"}

    assert contact_of({**GRAPH_ROW, **extra}, marks_known=False) == contact_of(GRAPH_ROW, marks_known=False)
