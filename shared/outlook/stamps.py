"""Our extended properties in contacts and folders (R9), and the user's mark "private" (R2); Graph reference 6.

One fixed GUID and fixed names for ever: a mailbox has room for few named properties, and a property written in one form
can only be reached in that form. A property cannot be deleted (reference 6.1), so "-" stands for "no stamp".
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from shared.cards.model import Origin, Stamp
from shared.engine.sides import FolderStamp
from shared.outlook.wire import ExtendedProperty, literal, raw_text

_SET = "{4fdefdfe-2ab1-4ce1-8ea3-2767ab58ebf0}"
CONTACT_ID = f"String {_SET} Name BcContactId"
ORIGIN = f"String {_SET} Name BcOrigin"
COMPANY = f"String {_SET} Name BcCompany"
FOLDER_COMPANY = f"String {_SET} Name BcFolderCompany"
FOLDER_PROFILE = f"String {_SET} Name BcFolderProfile"
SENSITIVITY = "Integer 0x0036"  #: 0 normal, 1 personal, 2 private, 3 confidential
_NONE = "-"
_ORIGINS = frozenset(each.value for each in Origin)
_PROPERTIES = "singleValueExtendedProperties"


def _expand(*ids: str) -> str:
    return f"{_PROPERTIES}($filter={' or '.join(f'id eq {literal(each)}' for each in ids)})"


EXPAND_CONTACT = _expand(CONTACT_ID, ORIGIN, COMPANY, SENSITIVITY)
EXPAND_FOLDER = _expand(FOLDER_COMPANY, FOLDER_PROFILE)


def filter_for(bc_id: str) -> str:
    """The filter that finds contacts with this stamp (reference 6.3)."""
    return f"{_PROPERTIES}/Any(ep: ep/id eq {literal(CONTACT_ID)} and ep/value eq {literal(bc_id)})"


def written(stamp: Stamp) -> list[ExtendedProperty]:
    """A contact's stamp as extended properties."""
    return [
        {"id": CONTACT_ID, "value": stamp.bc_id},
        {"id": ORIGIN, "value": stamp.origin.value},
        {"id": COMPANY, "value": f"{stamp.environment}|{stamp.company_id}"},
    ]


def removed() -> list[ExtendedProperty]:
    """What takes a contact's stamp off (R27)."""
    return [{"id": each, "value": _NONE} for each in (CONTACT_ID, ORIGIN, COMPANY)]


def marks_of(contact: Any) -> tuple[Stamp | None, bool]:
    """The stamp that a contact's JSON carries, and whether the user marked the contact as personal or private (R2).
    An unknown origin counts as the user's: such a contact is kept (R27)."""
    found = _values(contact)
    return _stamp(found), found.get(_key(SENSITIVITY), "") in {"1", "2"}


def _stamp(found: Mapping[str, str]) -> Stamp | None:
    bc_id = found.get(_key(CONTACT_ID), "")
    if not bc_id:
        return None
    environment, company_id = _company(found.get(_key(COMPANY), ""))
    origin = found.get(_key(ORIGIN), "")
    known = origin in _ORIGINS
    return Stamp(bc_id, Origin(origin) if known else Origin.USER, environment, company_id)


def folder_written(stamp: FolderStamp) -> list[ExtendedProperty]:
    """A folder's stamp as extended properties."""
    return [
        {"id": FOLDER_COMPANY, "value": f"{stamp.environment}|{stamp.company_id}"},
        {"id": FOLDER_PROFILE, "value": stamp.profile_id},
    ]


def folder_stamp_of(folder: Any) -> FolderStamp | None:
    """The stamp that a folder's JSON carries."""
    found = _values(folder)
    profile_id = found.get(_key(FOLDER_PROFILE), "")
    if not profile_id:
        return None
    environment, company_id = _company(found.get(_key(FOLDER_COMPANY), ""))
    return FolderStamp(company_id=company_id, profile_id=profile_id, environment=environment)


def same_folder_stamp(one: FolderStamp | None, other: FolderStamp) -> bool:
    """Whether two stamps name the same profile; ids and names without regard to case."""
    return one is not None and _folded(one) == _folded(other)


def _folded(stamp: FolderStamp) -> tuple[str, str, str]:
    return stamp.environment.casefold(), stamp.company_id.casefold(), stamp.profile_id.casefold()


@lru_cache(maxsize=256)  # the same in all contacts of a folder: two texts instead of two for each
def _company(text: str) -> tuple[str, str]:
    environment, _, company_id = text.rpartition("|")
    return environment, company_id


def _values(entity: Any) -> dict[str, str]:
    """Values by key of the property; blank ones and "none" left out."""
    listed = entity.get(_PROPERTIES) if isinstance(entity, dict) else None
    found: dict[str, str] = {}
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict):
            value = raw_text(each.get("value")).strip()
            if value and value != _NONE:
                found[_key(raw_text(each.get("id")))] = value
    return found


@lru_cache(maxsize=256)  # a handful, asked for with each contact
def _key(property_id: str) -> str:
    """An id in the form in which ids compare: the service may change the case, and write 0x0036 as 0x36."""
    kind, _, rest = property_id.lower().partition(" ")
    if rest.startswith("0x"):
        rest = "0x" + rest[2:].lstrip("0")
    return f"{kind} {rest}"
