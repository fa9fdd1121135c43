"""Contacts and folders as they go over the wire (reference 1.2)."""

from collections.abc import Sequence
from typing import Any

from dev.simulators.graph.extended import SENSITIVITY, PropertyKey, written
from dev.simulators.graph.mailbox import Contact, Folder
from dev.simulators.graph.schema import ADDRESS_PARTS, CONTACT, EMAIL_SLOTS, EXTENDED, Kind
from dev.simulators.graph.switches import Switches

type Asked = Sequence[tuple[str, PropertyKey]]


def contact_json(
    contact: Contact,
    switches: Switches,
    *,
    immutable: bool,
    select: Sequence[str] = (),
    expand: Asked = (),
    context: str = "",
) -> dict[str, Any]:
    """Return a contact with the selected properties (none: all); the ETag and the id always come."""
    shown: dict[str, Any] = {"@odata.context": context} if context else {}
    shown["@odata.etag"] = etag(contact)
    shown["id"] = contact.immutable_id if immutable else contact.default_id
    fixed = {
        "createdDateTime": contact.created,
        "lastModifiedDateTime": contact.modified,
        "changeKey": contact.change_key,
        "parentFolderId": contact.folder,
    }
    for name in select or CONTACT:
        if name in fixed:
            shown[name] = fixed[name]
        elif name in EMAIL_SLOTS:
            addresses = contact.values.get("emailAddresses") or []
            slot = EMAIL_SLOTS.index(name)
            shown[name] = addresses[slot] if slot < len(addresses) else None
        elif name != "id":
            shown[name] = _value(name, contact, switches)
    return shown | _extended(_with_sensitivity(contact, switches), expand, switches)


def folder_json(
    folder: Folder, switches: Switches, *, select: Sequence[str] = (), expand: Asked = (), context: str = ""
) -> dict[str, Any]:
    """Return a folder."""
    shown: dict[str, Any] = {"@odata.context": context} if context else {}
    shown |= {"id": folder.id, "parentFolderId": folder.parent, "displayName": folder.name}
    if select:
        shown = {name: value for name, value in shown.items() if name in (*select, "id", "@odata.context")}
    return shown | _extended(folder.extended, expand, switches)


def etag(contact: Contact) -> str:
    """Return a contact's weak entity tag."""
    return f'W/"{contact.change_key}"'


def _value(name: str, contact: Contact, switches: Switches) -> Any:
    value = contact.values.get(name)
    match CONTACT[name]:
        case Kind.TEXT:
            return value if value is not None else _empty(name, contact, switches)
        case Kind.TEXTS | Kind.EMAILS:
            return value or []
        case Kind.ADDRESS:
            # What is not set is left out, or null: both are seen
            held = value or {}
            gaps = held and switches.empty_form != "text" and contact.uid % 2
            return {part: held.get(part) for part in ADDRESS_PARTS if part in held or gaps}
        case _:
            return value


def _empty(name: str, contact: Contact, switches: Switches) -> str | None:
    if switches.empty_form == "mixed":
        return "" if (len(name) + contact.uid) % 3 == 0 else None
    return "" if switches.empty_form == "text" else None


def _with_sensitivity(contact: Contact, switches: Switches) -> dict[PropertyKey, str]:
    return {SENSITIVITY: "0", **contact.extended} if switches.sensitivity_always_present else contact.extended


def _extended(held: dict[PropertyKey, str], expand: Asked, switches: Switches) -> dict[str, Any]:
    if not expand:
        return {}
    found = [
        {"id": written(key, asked, switches.proptag_form), "value": held[key]} for asked, key in expand if key in held
    ]
    return {EXTENDED: found} if found or switches.missing_extended == "empty" else {}
