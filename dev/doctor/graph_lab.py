"""A mailbox's scratch folder, and requests into it as they stand: no adapter smooths what the service says."""

import time
from collections.abc import Mapping
from typing import Any

from dev.doctor.probing import Unclear, needed
from dev.doctor.scratch import NAME, remove_for_good
from dev.doctor.surroundings import Patient
from shared.engine.sides import Folder
from shared.outlook import wire
from shared.outlook.service import Requests
from shared.transport.client import Answer

KEY = "String {8f4c1e52-5d0e-4bb4-9c5a-0d0c70c0ffee} Name DoctorKey"  #: an extended property of the doctor's own
_EXPAND_KEY = f"singleValueExtendedProperties($filter=id eq '{KEY}')"


class GraphLab:
    """For one run of probes."""

    def __init__(self, patient: Patient, mailbox_id: str, folder: Folder, wait: float) -> None:
        self.patient = patient
        self.mailbox = mailbox_id
        self.folder = folder
        self.wait = wait
        self.path = wire.contacts_path(mailbox_id, folder.id)
        self._client = patient.bare_graph()
        self._removed: list[str] = []

    def send(
        self,
        method: str,
        url: str,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        immutable: bool = True,
    ) -> Answer:
        """One request; the answer whatever its status."""
        sent = {**(wire.PREFER if immutable else {}), **(headers or {})}
        return self._client.request(method, url, pace=self.patient.pace(), what="doctor.probe", json=json, headers=sent)

    def make(self, **properties: Any) -> dict[str, Any]:
        """A contact in the scratch folder."""
        body = {"displayName": NAME, **properties}
        return dict(needed(self.send("POST", self.path, body), "making a contact").body)

    def at(self, contact: Mapping[str, Any]) -> str:
        """The path of a contact in the scratch folder."""
        return wire.contact_path(self.mailbox, self.folder.id, str(contact["id"]))

    def short(self, contact: Mapping[str, Any]) -> str:
        """The path of a contact that names no folder."""
        return f"{wire.user_path(self.mailbox)}/contacts/{contact['id']}"

    def change(self, contact: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
        """Change a contact; as the service answers it."""
        return dict(needed(self.send("PATCH", self.at(contact), properties), "changing a contact").body)

    def remove(self, contact: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """An attempt to remove a contact: to Deleted Items, as the app does."""
        self._removed.append(str(contact["id"]))
        return self.send("DELETE", self.at(contact), headers=headers)

    def subfolder(self, name: str) -> str:
        """The id of a folder inside the scratch folder."""
        url = f"{wire.folder_path(self.mailbox, self.folder.id)}/childFolders"
        return str(needed(self.send("POST", url, {"displayName": name}), "making a folder").body["id"])

    def batch(self, parts: list[dict[str, Any]], headers: Mapping[str, str] | None = None) -> dict[str, Answer]:
        """The answers of a batch by id."""
        body = {"requests": [{"id": str(number), **part} for number, part in enumerate(parts)]}
        answer = needed(self.send("POST", "/$batch", body, headers, immutable=False), "a batch")
        return {each["id"]: Answer(each["status"], {}, each.get("body")) for each in answer.body["responses"]}

    def seconds_of(self, parts: list[dict[str, Any]]) -> float:
        """How long a batch takes: the middle of three."""
        taken = []
        for _ in range(3):
            started = time.monotonic()
            refused = [each for each in self.batch(parts).values() if not each.ok]
            taken.append(time.monotonic() - started)
            if refused:
                needed(refused[0], "a part of a batch")
        return sorted(taken)[1]

    def feed(self) -> "Feed":
        """The change feed of the scratch folder, from now on."""
        return Feed(self)

    def clean(self) -> None:
        """Remove for good what lies in Deleted Items, as far as it can be found there; the folder takes the rest."""
        requests = Requests(self.patient.clients.graph, self.patient.pace())
        for each in self._removed:
            remove_for_good(requests, f"{wire.user_path(self.mailbox)}/contacts/{each}")


class Feed:
    """A change feed: what it has shown since it began."""

    def __init__(self, lab: GraphLab) -> None:
        self._lab = lab
        self.items: dict[str, dict[str, Any]] = {}
        self._link = f"{lab.path}/delta?$select=displayName,jobTitle,parentFolderId"
        self.look()
        self.items.clear()

    def look(self) -> None:
        """One round, all pages."""
        for _ in range(100):
            body = needed(self._lab.send("GET", self._link), "the change feed").body
            for item in wire.rows(body):
                self.items[str(item.get("id"))] = item
            self._link = wire.link(body, "nextLink") or wire.link(body, "deltaLink")
            if wire.link(body, "deltaLink"):
                return
        raise Unclear("the change feed does not end")

    def shows(self, contact: Mapping[str, Any]) -> bool:
        """Whether a contact has come, after another round."""
        self.look()
        return contact["id"] in self.items

    def tells_removal(self, contact: Mapping[str, Any]) -> bool:
        """Whether a contact has come as removed, after another round."""
        return self.shows(contact) and "@removed" in self.items[contact["id"]]


def expand_key(path: str) -> str:
    """A path that asks for the doctor's extended property, too."""
    return wire.with_query(path, expand=_EXPAND_KEY)


def key(value: str) -> list[dict[str, str]]:
    """The doctor's extended property with a value."""
    return [{"id": KEY, "value": value}]
