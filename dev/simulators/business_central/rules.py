"""Rules about single values: names, e-mail addresses, phone numbers (2.3, 2.6)."""

import re
from dataclasses import replace

from dev.simulators.business_central.contact import PERSON, Contact

#: What .NET's MailAddress takes before the @: no blanks, brackets, commas or quotes outside quotation marks.
_LOCAL = re.compile(r"""(?:[^\s()<>\[\]:;@\\,."\x00-\x1f][^\s()<>\[\]:;@\\,"\x00-\x1f]*|"[^"\\]*")""")
_DOMAIN = re.compile(r"""[^\s()<>\[\]:;@\\,."\x00-\x1f][^\s()<>\[\]:;@\\,"\x00-\x1f]*""")


def split_name(contact: Contact) -> Contact:
    """Fill first, middle and surname from the name (2.3); companies have none."""
    words = [word for word in contact.display_name.split(" ") if word] if contact.type == PERSON else []
    first, middle, surname = "", "", ""
    if len(words) == 1:
        first = words[0]
    elif words:
        surname = words.pop()
        middle = words.pop() if len(words) > 1 else ""
        first = " ".join(words)
    return replace(contact, first_name=first[:30], middle_name=middle[:30], surname=surname[:30])


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
