"""Rules about single values: names, e-mail addresses, phone numbers (2.3, 2.6)."""

import re
from dataclasses import replace

from dev.simulators.business_central.contact import PERSON, Contact

#: What .NET's MailAddress takes before the @: no blanks, brackets, commas or quotes outside quotation marks.
_LOCAL = re.compile(r"""(?:[^\s()<>\[\]:;@\\,."\x00-\x1f][^\s()<>\[\]:;@\\,"\x00-\x1f]*|"[^"\\]*")""")
_DOMAIN = re.compile(r"""[^\s()<>\[\]:;@\\,."\x00-\x1f][^\s()<>\[\]:;@\\,"\x00-\x1f]*""")


def name_parts(name: str) -> tuple[str, str, str]:
    """Return first, middle and surname as BC makes them from a name: by blanks, 30 characters each (2.3)."""
    words = [word for word in name.split(" ") if word]
    if len(words) < 2:
        return "".join(words)[:30], "", ""
    surname = words.pop()
    middle = words.pop() if len(words) > 1 else ""
    return " ".join(words)[:30], middle[:30], surname[:30]


def split_name(contact: Contact) -> Contact:
    """Fill first, middle and surname from the name; companies have none."""
    first, middle, surname = name_parts(contact.display_name) if contact.type == PERSON else ("", "", "")
    return replace(contact, first_name=first, middle_name=middle, surname=surname)


def invalid_address(text: str) -> str | None:
    """Return the first part of an e-mail field that is no address, or None when all are (2.6)."""
    if not text.strip():
        return None
    return next((part for part in text.strip(";").split(";") if not _is_address(part.strip())), None)


def has_letters(text: str) -> bool:
    """Tell whether any character is a letter; phone numbers have none (2.6)."""
    return any(character.isalpha() for character in text)


def _is_address(text: str) -> bool:
    if text.count("@") != 1 or "." in text[-2:]:
        return False
    local, domain = text.split("@")
    return bool(_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)) and "." in domain[1:]
