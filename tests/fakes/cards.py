"""Contacts for tests that need no story."""

from shared.cards.model import Card

#: Every field holds something, e-mail as many addresses as Outlook takes.
FULL_CARD = Card(
    name="Ada B. Lovelace",
    job_title="Analyst",
    company="Contoso",
    email="ada@x.example;al@x.example;a3@x.example",
    phone="+44 1",
    mobile="+44 2",
    website="https://x.example",
    address_1="1 Engine Way",
    address_2="Floor 2",
    city="London",
    state="LDN",
    postal_code="N1",
    country="Great Britain",
    given_name="Ada",
    middle_name="B.",
    surname="Lovelace",
)
