"""Contacts from a file: what is taken, what is made up, what is refused. Needs no servers."""

from pathlib import Path

import pytest

from dev.demo.contacts_file import BadFile, read_contacts

HEADER = "number,type,name,address,country,postal_code,company_number,job_title"


def read(tmp_path: Path, text: str | bytes) -> list[dict[str, str]]:
    file = tmp_path / "contacts.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_contacts(file)


def test_columns_stand_in_any_order_and_others_are_ignored(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "\ufeffEmail,colour,job_title,name,type,number,company_number,postal_code,country,address\r\n"
        "Helen@Ray.example,red,Buyer,Helen Ray,Person,P1,C1,W1,GB,High Street\r\n"
        "\r\n"
        ",,,Fabrikam,Company,C1,,,,\r\n",
    )
    assert found == [
        {
            "number": "P1",
            "type": "Person",
            "displayName": "Helen Ray",
            "addressLine1": "High Street",
            "country": "GB",
            "postalCode": "W1",
            "companyNumber": "C1",
            "jobTitle": "Buyer",
            "email": "Helen@Ray.example",
        },
        {
            "number": "C1",
            "type": "Company",
            "displayName": "Fabrikam",
            "addressLine1": "",
            "country": "",
            "postalCode": "",
            "companyNumber": "",
            "jobTitle": "",
            "email": "fabrikam@people.example",
        },
    ]


def test_addresses_are_made_from_names_in_ascii_and_each_once(tmp_path: Path) -> None:
    names = ["José García", "JOSE GARCIA", "Ørsted & Søn", "王小明", "José García"]
    rows = "\n".join(f"P{number},Person,{name},,,,," for number, name in enumerate(names))
    found = read(
        tmp_path,
        f"{HEADER},email\n" + rows.replace(",,,,,", ",,,,,,") + "\nX,Person,X Y,,,,,,jose.garcia.2@people.example\n",
    )
    emails = [contact["email"] for contact in found]
    assert emails[:2] == ["jose.garcia@people.example", "jose.garcia.3@people.example"]
    assert len(set(emails)) == len(emails)
    assert all(email.isascii() for email in emails)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        (f"{HEADER}\n", "no contacts"),
        ("number,type,name\nP1,Person,A\n", "line 1: the header lacks address, country"),
        (f"{HEADER},name\n", "line 1, column 9: name stands twice"),
        (f"{HEADER}\nP1,Person,A,,,,\n", "line 2, column 8: 7 values, but the header names 8 columns"),
        (f"{HEADER}\nP1,Person,A,,,,,,x\n", "line 2, column 9: 9 values"),
        (f"{HEADER}\nP1,person,A,,,,,\n", "line 2, column 2 (type): 'person' is no type"),
        (f"{HEADER}\nP1,Person, ,,,,,\n", "line 2, column 3 (name): this must not be empty"),
        (f"{HEADER}\n,Person,A,,,,,\n", "line 2, column 1 (number): this must not be empty"),
        (f"{HEADER}\nP1,Person,{'A' * 101},,,,,\n", "line 2, column 3 (name): 101 characters"),
        (
            f"{HEADER}\nP1,Person,A,,,,,\n\np1,Person,B,,,,,\n",
            "line 4, column 1 (number): 'p1' stands in line 2 already",
        ),
        (f"{HEADER}\nP1,Person,A,,,,C9,\n", "line 2, column 7 (company_number): no contact of type Company"),
        (f"{HEADER},email\nP1,Person,A,,,,,,a@b\n", "line 2, column 9 (email): 'a@b' is no e-mail address"),
        (f'{HEADER}\nP1,Person,"A,,,,,\n', "this is not CSV"),
        (f"{HEADER}\nP1,Person,J\u00fcrgen,,,,,\n".encode("latin-1"), "line 2: it is not UTF-8 text"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(BadFile) as refused:
        read(tmp_path, text)
    assert says in str(refused.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="it cannot be read"):
        read_contacts(tmp_path / "none.csv")
