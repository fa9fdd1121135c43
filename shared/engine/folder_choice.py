"""Which folder a profile may have (R27), judged when it is saved; the run then makes or renames it."""

import unicodedata
from collections.abc import Iterable

from shared.engine.model import Positions, Profile
from shared.engine.sides import FolderStamp, OutlookSide
from shared.errors import RequestError

LONGEST = 255  #: characters of a folder's name (Graph reference 2.2)
MAIN_FOLDER = "default"  #: what callers write for the mailbox's main contacts folder


def read_folder(text: str) -> tuple[str, bool]:
    """A folder as callers name it: its name, or the main folder. Raises RequestError `folder-name`."""
    name = unicodedata.normalize("NFC", text).strip()
    if name.casefold() == MAIN_FOLDER:
        return "", True
    if not name:
        raise _bad_name("The folder's name is empty: give it a name, or leave `folder` out.")
    if len(name) > LONGEST:
        raise _bad_name(f"The folder's name has {len(name)} characters; at most {LONGEST} are possible.")
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in name):
        raise _bad_name("The folder's name holds control characters, such as a line break; leave them out.")
    return name, False


def default_name(default: str, company_name: str, others: Iterable[Profile]) -> str:
    """The name of a folder that nobody named: in a mailbox with a further profile the company's name is added (R27)."""
    taken = {key(each.folder_name) for each in others if not each.main_folder}
    if key(default) not in taken:
        return default
    return f"{default} ({company_name})"[:LONGEST]


def check_free(profile: Profile, others: Iterable[Profile]) -> None:
    """No two profiles on one folder. `others` are the mailbox's other profiles. Raises RequestError `folder-taken`."""
    for other in others:
        if profile.main_folder and other.main_folder:
            raise _taken("The main contacts folder of this mailbox is used by another profile; choose a folder's name.")
        if not profile.main_folder and not other.main_folder and key(profile.folder_name) == key(other.folder_name):
            raise _taken("Another profile uses the folder of this name in this mailbox; choose another name.")


def check_unmoved(before: Profile, after: Profile, positions: Positions) -> None:
    """What a profile that has run cannot change: links point into that folder of that mailbox."""
    if not positions.folder_id:
        return
    if before.mailbox_id != after.mailbox_id:
        raise RequestError(
            "The profile has contacts in another mailbox. Remove the profile first (contacts=keep or remove).",
            code="mailbox-fixed",
            status=409,
            field="mailbox",
        )
    if before.main_folder != after.main_folder:
        raise RequestError(
            "A profile that has run cannot change between a folder of its own and the main folder. Remove the profile "
            "(contacts=keep or remove) and make it anew.",
            code="folder-fixed",
            status=409,
            field="folder",
        )


def check_in_mailbox(
    outlook: OutlookSide, profile: Profile, positions: Positions, environment: str, *, adopt: bool, usual: bool
) -> None:
    """Whether a folder of that name is already there and may be taken.

    `usual`: it is the default name, whose folder is taken over (its unknown contacts fall under R26). `adopt`: an admin
    takes over a folder with contacts. Raises RequestError `folder-taken`, `folder-exists`, `folder-not-empty`.
    """
    if profile.main_folder:
        return
    named = outlook.folder_named(profile.folder_name)
    if named is None or named.id == positions.folder_id:
        return
    if named.stamp == FolderStamp(profile.company_id, profile.id, environment):
        return
    if named.stamp is not None:
        raise _taken("The mailbox's folder of this name belongs to another profile; choose another name.")
    if positions.folder_id:
        raise RequestError(
            "The folder cannot be renamed: the mailbox has a folder of that name. Choose another name.",
            code="folder-exists",
            status=409,
            field="folder",
        )
    if usual or adopt or next(iter(outlook.contacts(named.id)), None) is None:
        return
    raise RequestError(
        "The mailbox has a folder of this name that holds contacts. Choose another name, or let an administrator save "
        "the profile with `adopt: true`: then the folder is synced.",
        code="folder-not-empty",
        status=409,
        field="folder",
    )


def key(name: str) -> str:
    """A folder's name as it is compared: Exchange takes no two names that differ by case only."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def _bad_name(message: str) -> RequestError:
    return RequestError(message, code="folder-name", field="folder")


def _taken(message: str) -> RequestError:
    return RequestError(message, code="folder-taken", status=409, field="folder")
