"""Requests to contacts (reference 1 and 3)."""

from typing import Any

from dev.simulators.exchange import Answer
from dev.simulators.graph.call import Call, done, json_body, no_options
from dev.simulators.graph.extended import parse_properties
from dev.simulators.graph.folder_requests import with_skip
from dev.simulators.graph.mailbox import Contact
from dev.simulators.graph.query import Query, read_query
from dev.simulators.graph.refusals import Refused, bad_request
from dev.simulators.graph.schema import CONTACT, EXTENDED, read_contact
from dev.simulators.graph.wire import contact_json, etag

_LIST = ("$select", "$expand", "$filter", "$top", "$skip", "$count")


def list_contacts(call: Call, folder_id: str | None) -> Answer:
    """List contacts of a folder (None: the default one) with live $skip paging, or find some by filter."""
    query = read_query(call.request, CONTACT, _LIST)
    folder = call.folder(folder_id)
    found = [contact for contact in call.mailbox.contacts(folder.id) if _passes(call, query, contact)]
    size = min(query.top or call.switches.contact_page_size, call.switches.contact_page_limit)
    end = query.skip + size
    page: dict[str, Any] = {"@odata.context": call.context(f"contactFolders('{folder.id}')/contacts")}
    if query.count:
        page["@odata.count"] = len(found)
    if end < len(found):
        page["@odata.nextLink"] = call.link(with_skip(call.request.query, end))
    page["value"] = [
        contact_json(contact, call.switches, immutable=call.immutable, select=query.select, expand=query.expand)
        for contact in found[query.skip : end]
    ]
    return done(200, page)


def get_contact(call: Call, folder_id: str | None, contact_id: str) -> Answer:
    """Return one contact."""
    query = read_query(call.request, CONTACT, ("$select", "$expand"))
    contact = call.contact(folder_id, contact_id)
    return done(200, _shown(call, contact, query))


def create_contact(call: Call, folder_id: str | None) -> Answer:
    """Create a contact; the answer does not repeat its extended properties."""
    no_options(call.request)
    folder = call.folder(folder_id)
    body = json_body(call.request)
    values = read_contact(body, call.switches)
    extended = parse_properties(body[EXTENDED]) if EXTENDED in body else {}
    if body.get("parentFolderId", folder.id) != folder.id and call.switches.contact_reparent == "refuse":
        raise bad_request("parentFolderId does not match the address.", "ErrorInvalidArgument")
    return done(201, _shown(call, call.mailbox.create(folder.id, values, extended)))


def update_contact(call: Call, folder_id: str | None, contact_id: str) -> Answer:
    """Change the properties that the body names."""
    no_options(call.request)
    contact = call.contact(folder_id, contact_id)
    body = json_body(call.request)
    values = read_contact(body, call.switches)
    extended = parse_properties(body[EXTENDED]) if EXTENDED in body else {}
    target = body.get("parentFolderId", contact.folder)
    if target != contact.folder and call.switches.contact_reparent == "refuse":
        raise bad_request("Moving a contact by PATCH is not supported.", "ErrorInvalidPropertySet")
    _check_if_match(call, contact)
    call.mailbox.update(contact, values, extended)
    if target != contact.folder and call.switches.contact_reparent == "move":
        call.mailbox.move(contact, call.folder(target).id)
    return done(200, _shown(call, contact))


def delete_contact(call: Call, folder_id: str | None, contact_id: str, *, purge: bool) -> Answer:
    """Move a contact to Deleted Items, or remove it for good."""
    no_options(call.request)
    contact = call.contact(folder_id, contact_id)
    _check_if_match(call, contact)
    if purge:
        call.mailbox.purge(contact)
    else:
        call.mailbox.delete(contact)
    return done(204)


def _passes(call: Call, query: Query, contact: Contact) -> bool:
    if query.test is None:
        return True
    if query.by_key and contact.found_from > call.world.clock.timestamp():
        return False
    return query.test(contact)


def _check_if_match(call: Call, contact: Contact) -> None:
    wanted = call.request.headers.get("if-match")
    if wanted in (None, "*") or not call.switches.honour_if_match:
        return
    if wanted.removeprefix("W/").strip('"') != contact.change_key:
        raise Refused(
            412,
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in the request does "
            "not match the current change key for the item.",
            {"ETag": etag(contact)},
        )


def _shown(call: Call, contact: Contact, query: Query | None = None) -> dict[str, Any]:
    query = query or Query()
    return contact_json(
        contact,
        call.switches,
        immutable=call.immutable,
        select=query.select,
        expand=query.expand,
        context=call.context(f"contactFolders('{contact.folder}')/contacts/$entity"),
    )
