"""Requests to contact folders (reference 2)."""

from dev.simulators.exchange import Answer
from dev.simulators.graph.call import Call, done, json_body, no_options
from dev.simulators.graph.extended import PropertyKey, parse_properties
from dev.simulators.graph.mailbox import Folder
from dev.simulators.graph.query import read_query
from dev.simulators.graph.refusals import Refused, bad_request
from dev.simulators.graph.schema import EXTENDED, FOLDER, read_folder
from dev.simulators.graph.wire import Asked, folder_json

_LIST = ("$select", "$expand", "$filter", "$top", "$skip", "$count")


def list_folders(call: Call, parent_id: str | None) -> Answer:
    """List the folders below the default Contacts folder (parent None), or below any other."""
    query = read_query(call.request, FOLDER, _LIST, "ContactFolder")
    parent = call.folder(parent_id)
    found = [folder for folder in call.mailbox.children(parent.id) if not folder.hidden]
    if parent_id is None and call.switches.list_default_folder:
        found.insert(0, parent)
    if query.test:
        found = [folder for folder in found if query.test(folder)]
    size = min(query.top or call.switches.folder_page_size, 1000)
    end = query.skip + size
    page: dict[str, object] = {"@odata.context": call.context("contactFolders")}
    if query.count:
        page["@odata.count"] = len(found)
    if end < len(found):
        page["@odata.nextLink"] = call.link(with_skip(call.request.query, end))
    page["value"] = [
        folder_json(folder, call.switches, select=query.select, expand=query.expand)
        for folder in found[query.skip : end]
    ]
    return done(200, page)


def get_folder(call: Call, folder_id: str | None) -> Answer:
    """Return one folder."""
    query = read_query(call.request, FOLDER, ("$select", "$expand"), "ContactFolder")
    return done(200, _shown(call, call.folder(folder_id), query.select, query.expand))


def create_folder(call: Call, parent_id: str | None) -> Answer:
    """Create a folder below the default Contacts folder (parent None), or below any other."""
    no_options(call.request)
    body = json_body(call.request)
    values = read_folder(body, call.switches)
    if "displayName" not in values:
        raise bad_request("A folder needs a displayName.", "ErrorInvalidArgument")
    parent = call.folder(parent_id, "ErrorParentFolderNotFound")
    if values.get("parentFolderId", parent.id) != parent.id:
        raise bad_request("parentFolderId does not match the address.", "ErrorInvalidArgument")
    extended = _extended(body)
    _refuse_taken(call, parent.id, values["displayName"])
    return done(201, _shown(call, call.mailbox.add_folder(values["displayName"], parent.id, extended)))


def update_folder(call: Call, folder_id: str | None) -> Answer:
    """Rename a folder, stamp it, or try to move it."""
    no_options(call.request)
    folder = call.folder(folder_id)
    body = json_body(call.request)
    values = read_folder(body, call.switches)
    extended = _extended(body)
    parent = values.get("parentFolderId", folder.parent)
    if parent != folder.parent:
        if call.switches.folder_reparent == "refuse":
            raise bad_request("Moving a folder by PATCH is not supported.", "ErrorInvalidPropertySet")
        parent = call.folder(parent, "ErrorParentFolderNotFound").id
    name = values.get("displayName", folder.name)
    if (name, parent) != (folder.name, folder.parent):
        if folder.id == call.mailbox.default_folder:
            raise bad_request("The default folder cannot be changed.", "ErrorInvalidArgument")
        _refuse_taken(call, parent, name, folder)
    folder.name = name
    folder.extended.update(extended)
    if call.switches.folder_reparent == "move":
        folder.parent = parent
    return done(200, _shown(call, folder))


def delete_folder(call: Call, folder_id: str | None, *, purge: bool) -> Answer:
    """Delete a folder; it lives on below Deleted Items, or goes for good."""
    no_options(call.request)
    folder = call.folder(folder_id)
    if folder.id == call.mailbox.default_folder:
        raise Refused(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    if purge or not call.switches.deleted_folder_resolves:
        call.mailbox.purge_folder(folder)
    else:
        call.mailbox.delete_folder(folder)
    return done(204)


def with_skip(query: str, skip: int) -> str:
    """Return a raw query with another $skip."""
    kept = [part for part in query.split("&") if part and not part.lower().startswith(("$skip=", "%24skip="))]
    return "&".join([*kept, f"$skip={skip}"])


def _extended(body: dict[str, object]) -> dict[PropertyKey, str]:
    return parse_properties(body[EXTENDED]) if EXTENDED in body else {}


def _refuse_taken(call: Call, parent: str, name: str, itself: Folder | None = None) -> None:
    sibling = call.mailbox.sibling(parent, name)
    if sibling is not None and sibling is not itself:
        raise Refused(
            call.switches.folder_exists_status, "ErrorFolderExists", "A folder with the specified name already exists."
        )


def _shown(call: Call, folder: Folder, select: tuple[str, ...] = (), expand: Asked = ()) -> dict[str, object]:
    context = call.context("contactFolders/$entity")
    return folder_json(folder, call.switches, select=select, expand=expand, context=context)
