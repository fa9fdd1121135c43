"""BC's e-mail field: several addresses joined by ";" (R3), and which addresses BC accepts (BC reference 2.6)."""

import re

from shared.cards.normalise import clean, email_key

OUTLOOK_MOST = 3  #: addresses that an Outlook contact can hold
_PLAIN = re.compile(r"[^\s@;,<>()\[\]\\\":]+@[^\s@;,<>()\[\]\\\":]+")


def split(text: str) -> tuple[str, ...]:
    """The addresses in their order, trimmed, blank ones left out."""
    if ";" not in text:  # as nearly always
        only = clean(text)
        return (only,) if only else ()
    return tuple(part for part in (clean(each) for each in text.split(";")) if part)


def join(addresses: tuple[str, ...]) -> str:
    """The canonical text of several addresses."""
    return ";".join(addresses)


def is_valid(address: str) -> bool:
    """Whether BC would take this single address: one "@", a dot inside the domain, and nothing exotic.

    BC also parses it as a .NET MailAddress; forms that this parser treats specially (display names, quoted parts,
    comments) are refused here, since the sync cannot know what BC makes of them.
    """
    if not _PLAIN.fullmatch(address):
        return False
    local, domain = address.split("@")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return False
    return "." in domain[1:] and not domain.startswith(".") and ".." not in domain and "." not in domain[-2:]


def first_valid(text: str) -> str:
    """The matching key's address: the first valid one (R1, R3), blank when there is none."""
    return next((each for each in split(text) if is_valid(each)), "")


def key_of(text: str) -> str:
    """The matching key of a BC contact's e-mail text (R3, R7); blank when it has no valid address."""
    return email_key(first_valid(text))


def keys_of(text: str) -> tuple[str, ...]:
    """Matching keys of all valid addresses of an Outlook contact, the first first, each once."""
    return tuple(dict.fromkeys(email_key(each) for each in split(text) if is_valid(each)))


def shown_in_outlook(bc_text: str) -> str:
    """What Outlook shall hold of BC's e-mail text: the first three addresses (R3)."""
    return join(split(bc_text)[:OUTLOOK_MOST])


def merged_into_bc(outlook_text: str, bc_text: str) -> str:
    """BC's new e-mail text when Outlook's addresses changed: those that Outlook never saw stay (R3)."""
    seen = {email_key(each) for each in split(outlook_text)}
    unseen = tuple(each for each in split(bc_text)[OUTLOOK_MOST:] if email_key(each) not in seen)
    return join(split(outlook_text) + unseen)
