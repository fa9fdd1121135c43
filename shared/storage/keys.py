"""PartitionKey and RowKey of every row: the only place that knows them. Pure.

Keys are ids or hashes, never addresses. Ids from elsewhere that are long or may hold any character (Outlook ids, e-mail
keys) are hashed; the rest must consist of letters, digits and `.`, `_`, `-`. A row key is a path, joined by `|`.

    table      partition          row keys
    mailboxes  mailbox            lease
                                  request|current, request|plain|COMPANY|PROFILE, request|own|RUN
                                  COMPANY|PROFILE|positions
                                  COMPANY|PROFILE|link|BC ID, ...|outlook|HASH
                                  COMPANY|PROFILE|parked|HASH, ...|mail|HASH|HASH
                                  COMPANY|PROFILE|hidden|BC ID, ...|retry|SIDE|HASH, ...|hold|KIND|NUMBER
    companies  company            lease, state, state|writes, told, asked, settings, countries
                                  log|SEQUENCE, contact|BC ID, roster|BUCKET, claim|HASH, outside|BC ID|PROFILE,
                                  hold|KIND|NUMBER, erased|KEYED HASH, log-ages
               app                retention, erased|key
    profiles   company            PROFILE
               companies          COMPANY
               mailbox.MAILBOX    COMPANY|PROFILE
               address.HASH       COMPANY|PROFILE
               pauses             all, all|COMPANY, all|COMPANY|PROFILE
    marks      company            PROFILE
    reports    mailbox            RUN ID, newest first
    journal    mailbox            RUN ID|NUMBER, ...|NUMBER.PART, newest run first
    imports    company            lease, order|NAME, run|NAME|RUN ID, newest first
    subscriptions  graph, bc      of|COMPANY|PROFILE, id|HASH|COMPANY|PROFILE (BC: without PROFILE)
"""

import hashlib
import re
from datetime import datetime

from shared.engine.run_ids import run_id

MOST_CHARACTERS = 512  #: of a key; Azurite's limit, Azure's is 1,024
_PART = re.compile(r"[A-Za-z0-9._-]{1,200}")
_RUN_ID = re.compile(r"\d{13}\.([A-Za-z0-9_-]{1,100})\.[0-9a-f]{8}")


def part(text: str) -> str:
    """An id as it may stand in a key; raises ValueError for one that must be hashed."""
    if not _PART.fullmatch(text):
        raise ValueError("an id in a storage key holds other characters than letters, digits, dot, dash, underscore")
    return text


def path(*parts: str) -> str:
    """A row key of several parts."""
    key = "|".join(part(each) for each in parts)
    if len(key) > MOST_CHARACTERS:
        raise ValueError("a storage key is too long")
    return key


def hashed(text: str) -> str:
    """128 bits of SHA-256 in hex: for ids of others."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def below(prefix: str) -> tuple[str, str]:
    """The range (from, up to and without) of the row keys that begin with `prefix` and a `|`."""
    return f"{prefix}|", f"{prefix}}}"  # "}" comes right after "|"


def before(since: datetime) -> str:
    """Where the row keys of reports begin that were asked for before `since`."""
    return f"{run_id('', since, '')[:13]}~"  # "~" comes after the "." of those asked for at that very moment


def mailbox_of(run: str) -> str | None:
    """The mailbox that a run belongs to, by the run's id; None when this is none."""
    match = _RUN_ID.fullmatch(run)
    return match[1] if match else None


def import_of(run: str) -> tuple[str, str] | None:
    """The company and the import that a run belongs to, by the run's id; None when this is none."""
    company, _, name = (mailbox_of(run) or "").partition("_")
    return (company, name) if company and name else None


def log(sequence: int) -> str:
    """Row key of a change log entry."""
    return f"log|{sequence:016d}"


def sequence_of(row_key: str) -> int:
    """The sequence in a change log's row key."""
    return int(row_key.removeprefix("log|"))
