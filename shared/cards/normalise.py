"""What makes no difference: line breaks, Unicode normal form, surrounding blanks (R41), and how things are matched."""

import re
import unicodedata

_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x85\v\f]")
_BLANKS = re.compile(r"\s+")


def clean(text: str) -> str:
    """One text in the form in which cards are compared: NFC, line feeds, no surrounding blanks."""
    if text.isascii() and text.isprintable():  # nothing to replace, and the usual case
        return text.strip()
    return _BREAKS.sub("\n", unicodedata.normalize("NFC", text)).strip()


def matching_key(text: str) -> str:
    """A name or e-mail address as it is matched (R7, R18, R19): case and blanks do not count."""
    return _BLANKS.sub(" ", clean(text)).casefold()


def email_key(address: str) -> str:
    """An e-mail address as it is matched (R7): case and blanks ignored, also inside."""
    return _BLANKS.sub("", clean(address)).casefold()
