"""GET …/contacts/delta (reference 4)."""

import base64
import binascii
import zlib
from typing import Any

from dev.simulators.exchange import Answer, Request
from dev.simulators.graph.call import Call
from dev.simulators.graph.mailbox import Folder
from dev.simulators.graph.query import read_expand, read_select
from dev.simulators.graph.refusals import Refused, bad_query
from dev.simulators.graph.schema import CONTACT
from dev.simulators.graph.sync_state import Change, GenerationLost, Page, Round
from dev.simulators.graph.wire import contact_json

_ALWAYS = ("changeKey", "lastModifiedDateTime", "parentFolderId")


def delta(call: Call, folder_id: str | None) -> Answer:
    """Serve a page of a round: the first without a token, others by the link of the page before."""
    folder = call.folder(folder_id, "ErrorSyncFolderNotFound")
    state = _state(call, folder)
    size = _page_size(call.request, call.switches.delta_page_limit)
    page = folder.sync.page(state, size, call.world.clock.timestamp(), call.switches, call.world.random)
    token = _token(folder, page.generation)
    name, option = ("deltaLink", "$deltatoken") if page.is_last else ("nextLink", "$skiptoken")
    return Answer(
        200,
        {
            "@odata.context": f"{call.root}/v1.0/$metadata#Collection(contact)",
            f"@odata.{name}": call.link(f"{option}={token}"),
            "value": _items(call, folder, page),
        },
        {"Preference-Applied": "odata.track-changes"},
    )


def _state(call: Call, folder: Folder) -> Round:
    options = dict(call.request.options)
    tokens = [options.pop(name) for name in ("$deltatoken", "$skiptoken") if name in options]
    if tokens and options:
        raise bad_query("A delta link takes no further query options.")
    if not tokens or tokens == [""]:
        return _first(call, options)
    if folder.sync.forced_reset:
        folder.sync.forced_reset = ""
        folder.sync.forget_links()
        location = {"Location": call.link("$deltatoken=")}
        raise Refused(410, "ResyncRequired", "Resync required. Replace any local items.", location)
    if len(tokens) > 1:
        raise bad_query("More than one token.")
    try:
        return folder.sync.resume(_generation(folder, tokens[0]))
    except GenerationLost as lost:
        raise Refused(410, "SyncStateNotFound", str(lost)) from None


def _first(call: Call, options: dict[str, str]) -> Round:
    expand = options.pop("$expand", "")
    if expand and not call.switches.delta_expand_works:
        raise Refused(500, "InternalServerError", "Value cannot be null.\r\nParameter name: type")
    read_expand(expand) if expand else None
    select = read_select(options.pop("$select"), CONTACT, "Contact") if "$select" in options else ()
    if options:
        raise bad_query(f"The query options {sorted(options)} are not supported with delta.")
    return Round(select, expand, since=-1)


def _items(call: Call, folder: Folder, page: Page) -> list[dict[str, Any]]:
    shown = (_item(call, folder, page.round, change) for change in page.changes)
    return [item for item in shown if item is not None]


def _item(call: Call, folder: Folder, state: Round, change: Change) -> dict[str, Any] | None:
    kind = {"@odata.type": "#microsoft.graph.contact"}
    if not change.present:
        return {**kind, "id": change.ids[call.immutable], "@removed": {"reason": change.reason}}
    contact = call.mailbox.contact_by_uid(change.uid)
    if contact is None or contact.folder != folder.id:
        return None  # gone since the round began: the next round reports it
    select = state.select
    if state.since >= 0 and call.switches.delta_items == "changed":
        changed = {name for name, sequence in contact.changed_in.items() if sequence > state.since}
        select = tuple(name for name in select or CONTACT if name in changed or name in _ALWAYS) or ("id",)
    expand = read_expand(state.expand) if state.expand else ()
    return kind | contact_json(contact, call.switches, immutable=call.immutable, select=select, expand=expand)


def _page_size(request: Request, limit: int) -> int:
    for preference in request.preferences():
        name, _, value = preference.partition("=")
        if name.strip().lower() == "odata.maxpagesize" and value.strip().isdigit():
            return max(1, min(int(value), limit))
    return limit


def _token(folder: Folder, generation: int) -> str:
    return base64.urlsafe_b64encode(f"{zlib.crc32(folder.id.encode())}:{generation}".encode()).decode().rstrip("=")


def _generation(folder: Folder, token: str) -> int:
    try:
        whose, _, generation = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(":")
        if int(whose) == zlib.crc32(folder.id.encode()):
            return int(generation)
    except (ValueError, binascii.Error):
        pass
    raise Refused(400, "ErrorInvalidSyncStateData", "The sync state data is invalid.")
