"""One request to one mailbox, with what its handlers need."""

import json
from dataclasses import dataclass
from typing import Any

from dev.simulators.exchange import Answer, Request
from dev.simulators.graph.ids import Form, form_of
from dev.simulators.graph.mailbox import Contact, Folder, Mailbox
from dev.simulators.graph.refusals import Refused, malformed_id, not_found
from dev.simulators.graph.switches import Switches
from dev.simulators.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose token, user and permission were found good."""

    request: Request
    mailbox: Mailbox
    switches: Switches
    world: World

    @property
    def root(self) -> str:
        """Graph's root address."""
        return self.world.roots["graph"]

    @property
    def immutable(self) -> bool:
        """Whether the answer carries immutable ids."""
        return wants_immutable_ids(self.request)

    def context(self, rest: str) -> str:
        """Return an @odata.context."""
        return f"{self.root}/v1.0/$metadata#users('{self.mailbox.user_id}')/{rest}"

    def link(self, options: str) -> str:
        """Return an absolute link to the same path with other options."""
        return f"{self.root}{self.request.path}?{options}"

    def folder(self, id: str | None, missing: str = "ErrorItemNotFound") -> Folder:  # noqa: A002
        """Return the contact folder with this id (None: the default one); raises 400 or 404."""
        if id is None:
            return self.mailbox.folders[self.mailbox.default_folder]
        if form_of(id) is not Form.FOLDER:
            raise malformed_id()
        found = self.mailbox.folders.get(id)
        if found is None or id == self.mailbox.deleted_items:
            raise not_found() if missing == "ErrorItemNotFound" else Refused(404, missing, "The folder was not found.")
        return found

    def contact(self, folder_id: str | None, id: str) -> Contact:  # noqa: A002
        """Return the contact that a path names; raises 400 or 404."""
        folder = None if folder_id is None else self.folder(folder_id)
        form = form_of(id)
        wanted = Form.IMMUTABLE if self.immutable else Form.DEFAULT
        if form not in (Form.IMMUTABLE, Form.DEFAULT) or (self.switches.ids_need_prefer and form is not wanted):
            raise malformed_id()
        found = self.mailbox.contact(id)
        if found is None or not self._reachable(found, folder):
            raise not_found()
        return found

    def _reachable(self, contact: Contact, folder: Folder | None) -> bool:
        if folder is not None and self.switches.folder_path_checks_folder:
            return contact.folder == folder.id
        if folder is None and self.switches.short_path_scope == "default-folder":
            return contact.folder == self.mailbox.default_folder
        return self.switches.short_path_scope == "with-deleted" or not self.mailbox.is_deleted(contact.folder)


def wants_immutable_ids(request: Request) -> bool:
    """Tell whether the request prefers immutable ids."""
    return any(part.replace(" ", "").lower() == 'idtype="immutableid"' for part in request.preferences())


def json_body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request; raises 400 and 415."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "RequestBodyRead", "A request with a body needs Content-Type: application/json.")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Refused(400, "RequestBodyRead", "Unable to read JSON request payload.") from None
    if not isinstance(body, dict):
        raise Refused(400, "RequestBodyRead", "Empty Payload. JSON content expected.")
    return body


def no_options(request: Request) -> None:
    """Refuse query options where none are documented."""
    if request.options:
        raise Refused(400, "RequestBroker--ParseUri", "Query options are not supported here.")


def done(status: int, payload: Any = None) -> Answer:
    """Return an answer of success."""
    return Answer(status, payload)
