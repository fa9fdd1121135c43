"""Ids as Outlook makes them: long, opaque, case-sensitive, two spaces for contacts (reference 5).

An id carries a checksum, so that a truncated id or one in the wrong case is malformed and not merely unknown.
"""

import base64
import binascii
import hashlib
import zlib
from enum import StrEnum


class Form(StrEnum):
    """The kinds of ids, by their first letters."""

    DEFAULT = "AAMkAG"  #: of a contact, changes when it moves
    IMMUTABLE = "AAkALg"  #: of a contact, survives moves
    FOLDER = "AQMkAG"


def make_id(form: Form, mailbox: str, *parts: int) -> str:
    """Return the id of the object that `parts` name in a mailbox."""
    seed = "/".join((form.value, mailbox, *map(str, parts))).encode()
    body = (
        hashlib.sha256(mailbox.encode()).digest() + hashlib.sha512(seed).digest()[: 44 if form is Form.FOLDER else 58]
    )
    return form.value + base64.urlsafe_b64encode(body + zlib.crc32(form.value.encode() + body).to_bytes(4)).decode()


def form_of(text: str) -> Form | None:
    """Return what kind of id a text is; None when it is malformed."""
    try:
        form = Form(text[:6])
        body = base64.b64decode(text[6:], altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    return form if zlib.crc32(form.value.encode() + body[:-4]).to_bytes(4) == body[-4:] else None


def change_key(number: int) -> str:
    """Return the change key of a save."""
    return "EQAAABYAAAB" + base64.b64encode(number.to_bytes(6)).decode().rstrip("=")
