"""The roster: what is known of each of a company's contacts without reading its row, packed into 64 rows. Pure.

An entry is 33 bytes: the GUID, the key's hash, the stamp as 100 ns since year 1 with its number of digits, and flags.
Buckets go by a checksum of the GUID and not by its first byte, since the GUIDs that a server makes one after another
begin alike. 64 rows of 1 MiB hold 1.9 million contacts.
"""

import functools
import hashlib
import re
import struct
import zlib
from collections.abc import Iterable
from datetime import date

from shared.cards.emails import key_of
from shared.cards.model import BcContact
from shared.cards.normalise import matching_key
from shared.engine.company_state import RosterEntry

BUCKETS = 64
_ENTRY = struct.Struct(">16sQQB")
_PERSON, _BLOCKED, _AS_TEXT = 1, 2, 4  # flags; the number of the stamp's digits stands above them
_DIGITS_AT = 3
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?Z")
_DAY = 86_400


def entry(contact: BcContact) -> RosterEntry:
    """What the roster says of a contact."""
    key = ""
    if contact.is_person:
        key = key_of(contact.text("email"))
    elif contact.is_company:
        key = matching_key(contact.text("displayName"))
    return RosterEntry(contact.id, contact.modified, key_hash(key), contact.is_person, contact.privacy_blocked)


def key_hash(key: str) -> int:
    """64 bits of a matching key; 0 for a blank one and for no other."""
    if not key:
        return 0
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1


def bucket(bc_id: str) -> int:
    """Which row a contact belongs to."""
    return zlib.crc32(_guid(bc_id)) % BUCKETS


def packed(entries: Iterable[RosterEntry]) -> bytes:
    """The entries of a bucket."""
    parts: list[bytes] = []
    for each in entries:
        flags = (_PERSON if each.person else 0) | (_BLOCKED if each.privacy_blocked else 0)
        stamp = _ticks(each.stamp)
        if stamp is None:  # an unknown way of writing time: kept as it is, the text behind the entry
            text = each.stamp.encode()
            parts += [_ENTRY.pack(_guid(each.id), each.key, len(text), flags | _AS_TEXT), text]
        else:
            ticks, digits = stamp
            parts.append(_ENTRY.pack(_guid(each.id), each.key, ticks, flags | digits << _DIGITS_AT))
    return b"".join(parts)


def unpacked(body: bytes) -> dict[str, RosterEntry]:
    """The entries of a bucket by id."""
    found: dict[str, RosterEntry] = {}
    place = 0
    while place < len(body):
        guid, key, ticks, flags = _ENTRY.unpack_from(body, place)
        place += _ENTRY.size
        if flags & _AS_TEXT:
            stamp = body[place : place + ticks].decode()
            place += ticks
        else:
            stamp = _written(ticks, flags >> _DIGITS_AT)
        hexed = guid.hex()
        bc_id = f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"
        found[bc_id] = RosterEntry(bc_id, stamp, key, flags & _PERSON != 0, flags & _BLOCKED != 0)
    return found


def _guid(bc_id: str) -> bytes:
    if _GUID.fullmatch(bc_id) is None:
        raise ValueError("a contact's id is not a GUID as Business Central writes it")
    return bytes.fromhex(bc_id.replace("-", ""))


def _ticks(stamp: str) -> tuple[int, int] | None:
    """100 ns since year 1, and how many digits the fraction has; None when the text would not come back the same."""
    match = _STAMP.fullmatch(stamp)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(each) for each in match.groups()[:6])
    fraction = match[7] or ""
    try:
        days = date(year, month, day).toordinal()
    except ValueError:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    seconds = days * _DAY + hour * 3600 + minute * 60 + second
    return seconds * 10_000_000 + int(fraction.ljust(7, "0")), len(fraction)


def _written(ticks: int, digits: int) -> str:
    minutes, rest = divmod(ticks, 600_000_000)
    seconds, fraction = divmod(rest, 10_000_000)
    text = f"{_minute(minutes)}:{seconds:02d}"
    return f"{text}.{f'{fraction:07d}'[:digits]}Z" if digits else f"{text}Z"


@functools.lru_cache
def _minute(minutes: int) -> str:
    days, minutes = divmod(minutes, _DAY // 60)
    return f"{date.fromordinal(days).isoformat()}T{minutes // 60:02d}:{minutes % 60:02d}"
