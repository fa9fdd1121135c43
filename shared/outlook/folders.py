"""The contact folders of a mailbox (R27, Graph reference 2)."""

from dataclasses import replace

from shared.cards.normalise import matching_key
from shared.engine.sides import Folder, FolderStamp
from shared.errors import FolderMissing, InvalidValue, MailboxUnavailable, OutcomeUnknown, RetryableError
from shared.outlook import stamps, wire
from shared.outlook.errors import Meaning, mailbox_failure, meaning
from shared.outlook.service import Requests
from shared.transport.client import Answer

_NOT_THERE = frozenset({Meaning.GONE, Meaning.FOLDER_GONE, Meaning.BAD_ID})


class Folders:
    """Finds, makes, renames and stamps folders that lie directly in the mailbox's contacts."""

    def __init__(self, requests: Requests, mailbox: str) -> None:
        """`mailbox` is the user's object id."""
        self._requests = requests
        self._mailbox = mailbox

    def folder(self, folder_id: str, parent_id: str = "") -> Folder | None:
        """One request. None when the folder is gone, or lies elsewhere than in `parent_id` where that is given.

        A folder that a user deleted lives on in Deleted Items with its id (reference 2.3).
        """
        url = wire.with_query(
            wire.folder_path(self._mailbox, folder_id), select=wire.FOLDER_SELECT, expand=stamps.EXPAND_FOLDER
        )
        answer = self._requests.send("GET", url, what="folder")
        if not answer.ok:
            if meaning(answer) in _NOT_THERE:
                return None
            raise mailbox_failure(answer)
        found = _folder(answer.body)
        if found is None:
            raise RetryableError("Outlook's answer about the contact folder cannot be read; the run goes on later.")
        return found if not parent_id or found.parent_id == parent_id else None

    def find(self, stamp: FolderStamp) -> Folder | None:
        """The folder with this stamp; of several (a user's copies) the first listed."""
        return next((each for each in self._listed() if stamps.same_folder_stamp(each.stamp, stamp)), None)

    def named(self, name: str) -> Folder | None:
        """The folder with this name; the main folder does not count, where the service lists it."""
        listed = self._listed()
        for each in listed:
            if matching_key(each.name) == matching_key(name) and each.id != self._main_id(listed):
                return each
        return None

    def main(self) -> Folder:
        """The mailbox's main contacts folder. Raises MailboxUnavailable when it cannot be told."""
        main_id = self._main_id(self._listed())
        found = self.folder(main_id) if main_id else None
        if found is None:
            raise MailboxUnavailable(
                "The main contacts folder of this mailbox cannot be found while it is empty. Create one contact in it "
                "in Outlook and try again, or use a folder of the sync's own.",
                code="main-folder-unknown",
            )
        return found

    def create(self, name: str, stamp: FolderStamp) -> Folder:
        """Create with the stamp. Raises InvalidValue `folder-exists` or `folder-name`."""
        body = {"displayName": name, "singleValueExtendedProperties": stamps.folder_written(stamp)}
        try:
            answer = self._requests.send("POST", wire.folders_path(self._mailbox), what="folder.create", json=body)
        except OutcomeUnknown:
            found = self.find(stamp)  # it may have been made (R9)
            if found is None:
                raise RetryableError("It is not known whether the contact folder was made; looked at later.") from None
            return found
        made = _folder(_written(answer).body)
        if made is None:
            raise RetryableError("Outlook's answer about the new contact folder cannot be read; looked at later.")
        return replace(made, stamp=stamp)

    def rename(self, folder_id: str, name: str) -> Folder:
        """Rename and read again. Raises InvalidValue `folder-exists` or `folder-name`, FolderMissing."""
        path = wire.folder_path(self._mailbox, folder_id)
        _written(self._requests.send("PATCH", path, what="folder.rename", json={"displayName": name}))
        found = self.folder(folder_id)
        if found is None:
            raise FolderMissing("The contact folder does not exist any more.")
        return found

    def stamp(self, folder_id: str, stamp: FolderStamp) -> None:
        """Write the stamp into an existing folder. Raises FolderMissing."""
        body = {"singleValueExtendedProperties": stamps.folder_written(stamp)}
        answer = self._requests.send(
            "PATCH", wire.folder_path(self._mailbox, folder_id), what="folder.stamp", json=body
        )
        if not answer.ok:
            raise mailbox_failure(answer)

    def _listed(self) -> list[Folder]:
        """All folders directly in the mailbox's contacts; the main folder may be among them (reference 2.1)."""
        url = wire.with_query(
            wire.folders_path(self._mailbox),
            top=str(wire.FOLDER_PAGE),
            select=wire.FOLDER_SELECT,
            expand=stamps.EXPAND_FOLDER,
        )
        rows = self._requests.rows(url, what="folders")
        return [folder for row in rows if (folder := _folder(row)) is not None]

    def _main_id(self, listed: list[Folder]) -> str:
        """The main folder's id, blank when it cannot be told. No way of getting it is certain, so, in this order:

        a parent that is listed itself; the parent of the documented first contact, unless that is a listed folder; the
        parent of a listed folder, when it is a contact folder, else that listed folder is the main one; the alias
        "contacts".
        """
        ids = {each.id for each in listed}
        both = [each.parent_id for each in listed if each.parent_id in ids]
        if both:
            return both[0]
        held = self._folder_of_a_contact()
        if held and held not in ids:
            return held
        if listed:
            first = next((each for each in listed if each.id == held), listed[0])
            parent = self._contact_folder(first.parent_id) if first.parent_id else None
            return parent.id if parent else first.id
        alias = self._contact_folder("contacts")
        return alias.id if alias else ""

    def _contact_folder(self, folder_id: str) -> Folder | None:
        """A folder that may be no contact folder at all, which the service can say in any way."""
        url = wire.with_query(wire.folder_path(self._mailbox, folder_id), select=wire.FOLDER_SELECT)
        answer = self._requests.send("GET", url, what="folder.look")
        if answer.ok:
            return _folder(answer.body)
        if meaning(answer) in _NOT_THERE | {Meaning.REFUSED, Meaning.OTHER}:
            return None
        raise mailbox_failure(answer)

    def _folder_of_a_contact(self) -> str:
        """The folder of some contact of the main folder, blank when there is none (reference 2.1)."""
        url = wire.with_query(f"{wire.user_path(self._mailbox)}/contacts", top="1", select="id,parentFolderId")
        answer = self._requests.get(url, what="contacts.first")
        return next((wire.raw_text(row.get("parentFolderId")) for row in wire.rows(answer.body)), "")


def _written(answer: Answer) -> Answer:
    """The answer to a write of a folder. Raises what a refusal means."""
    if answer.ok:
        return answer
    if meaning(answer) is Meaning.REFUSED:
        raise InvalidValue("Outlook does not accept this folder name. Choose another one.", code="folder-name")
    raise mailbox_failure(answer)


def _folder(row: object) -> Folder | None:
    if not isinstance(row, dict) or not wire.raw_text(row.get("id")):
        return None
    return Folder(
        id=wire.raw_text(row.get("id")),
        name=wire.raw_text(row.get("displayName")).strip(),
        parent_id=wire.raw_text(row.get("parentFolderId")),
        stamp=stamps.folder_stamp_of(row),
    )
