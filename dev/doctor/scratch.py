"""Things made for trying, which are removed again whatever happens: a contact folder of our own, persons of one name.

The folder carries a stamp that nothing else has, so that one left by a doctor that was killed is found and removed by
the next. Persons have no e-mail address: no profile's filter lets them in (R1), so they reach nobody's folder.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dev.doctor.surroundings import Patient
from shared.business_central.walk import walk
from shared.business_central.wire import ANY_VERSION, query
from shared.engine.connection import NOBODY
from shared.engine.sides import Folder, FolderStamp
from shared.errors import InvalidValue, SyncError
from shared.outlook import wire
from shared.outlook.folders import Folders
from shared.outlook.service import Requests

NAME = "Contact sync doctor"
STAMP = FolderStamp(company_id=NOBODY, profile_id="doctor", environment="doctor")
_MOST = 10  #: folders that are removed in one go
_SETTLES = 2.0  #: seconds in which a request that was interrupted arrives


@contextmanager
def scratch_folder(patient: Patient, mailbox_id: str) -> Iterator[Folder]:
    """A folder beside the user's others, removed for good at the end with all that is in it."""
    _remove_folders(patient, mailbox_id)
    made: Folder | None = None
    with _removed_after(lambda: _remove_folders(patient, mailbox_id, made)):
        folders = Folders(Requests(patient.clients.graph, patient.pace()), mailbox_id)
        made = folders.create(f"{NAME} {patient.services.new_id()}", STAMP)
        yield made


@contextmanager
def scratch_persons(patient: Patient, company_id: str) -> Iterator[str]:
    """A name that nobody has; all persons of that name are removed at the end."""
    name = f"{NAME} {patient.services.new_id()}"
    with _removed_after(lambda: _remove_persons(patient, company_id, name)):
        yield name


def surely(clean: Callable[[], None]) -> None:
    """Clean up, and from the beginning when somebody interrupts just that; they cannot interrupt twice."""
    try:
        clean()
    except KeyboardInterrupt:
        clean()
        raise


def remove_for_good(requests: Requests, path: str) -> bool:
    """Remove a folder or a contact past Deleted Items, or to there where the service cannot; whether it is away."""
    for method, url in (("POST", f"{path}/permanentDelete"), ("DELETE", path)):
        answer = requests.send(method, url, what="doctor.remove")
        if answer.ok or answer.status == 404:
            return True
    return False


@contextmanager
def _removed_after(remove: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        time.sleep(_SETTLES)
        raise
    finally:
        surely(remove)


def _remove_folders(patient: Patient, mailbox_id: str, made: Folder | None = None) -> None:
    requests = Requests(patient.clients.graph, patient.pace())
    folders = Folders(requests, mailbox_id)
    removed: set[str] = set()
    for _ in range(_MOST):
        found = made if made and made.id not in removed else folders.find(STAMP)
        if found is None or found.id in removed:  # a list may lag behind
            return
        if not remove_for_good(requests, wire.folder_path(mailbox_id, found.id)):
            break
        removed.add(found.id)
    raise SyncError(f"A folder “{NAME} …” is left in the mailbox and could not be removed: remove it in Outlook.")


def _remove_persons(patient: Patient, company_id: str, name: str) -> None:
    client, pace = patient.clients.business_central, patient.pace()
    contacts = f"companies({company_id})/contacts"
    try:
        for row in list(
            walk(client, pace, query(contacts, filter=f"displayName eq '{name}'", select="id"), what="doctor")
        ):
            path = f"{contacts}({row['id']})"
            answer = client.request("DELETE", path, pace=pace, what="doctor.remove", headers=ANY_VERSION)
            if not answer.ok and answer.status != 404:
                raise InvalidValue(f"{answer.status} {answer.error()[0]}")
    except SyncError as error:
        raise SyncError(
            f"The contact “{name}” is left in Business Central and could not be removed ({error}): delete it there."
        ) from error
