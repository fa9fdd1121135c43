"""The profile's folder (R27): found by our stamp, whatever its name; made when missing; renamed as the profile says."""

from dataclasses import dataclass

from shared.engine.model import Positions, Profile
from shared.engine.sides import Folder, FolderStamp, OutlookSide
from shared.errors import InvalidValue, ProfileError


@dataclass(frozen=True, slots=True)
class ChosenFolder:
    """The folder to sync with."""

    folder: Folder | None  #: None only in a preview whose folder does not exist yet
    made: bool  #: whether the sync made it, now or earlier (R26)
    is_new: bool  #: made now, or another than before: what was in the old one is not deleted by the user (R27)
    forgotten: bool = (
        False  #: no record says what of ours it holds: its state was lost, or it is a main folder's first run
    )
    unread: bool = False  #: no run has read it to its end yet, so nothing missing there was deleted by the user (R25)


def choose_folder(
    outlook: OutlookSide, profile: Profile, positions: Positions, environment: str, *, look_only: bool = False
) -> ChosenFolder:
    """Find, make or rename the profile's folder. `look_only` (preview, R34) changes nothing.

    Raises MailboxUnavailable, ProfileError `folder-taken`.
    """
    stamp = FolderStamp(profile.company_id, profile.id, environment)
    if positions.folder_id:
        known = outlook.folder(positions.folder_id, positions.folder_parent_id)
        if known is not None:
            return ChosenFolder(_renamed(outlook, known, profile, positions, look_only), positions.folder_made, False)
    if profile.main_folder:
        known_before = bool(positions.folder_id)
        return ChosenFolder(outlook.main_folder(), made=False, is_new=known_before, forgotten=not known_before)
    return _without_known(outlook, profile, positions, stamp, look_only)


def _without_known(
    outlook: OutlookSide, profile: Profile, positions: Positions, stamp: FolderStamp, look_only: bool
) -> ChosenFolder:
    found = outlook.find_folder(stamp)
    if found is not None:
        folder, known_before = _renamed(outlook, found, profile, positions, look_only), bool(positions.folder_id)
        return ChosenFolder(folder, made=True, is_new=known_before, forgotten=not known_before)
    named = outlook.folder_named(profile.folder_name)
    if named is not None:
        return ChosenFolder(_taken_over(outlook, named, stamp, look_only), False, bool(positions.folder_id))
    if look_only:
        return ChosenFolder(None, True, True)
    try:
        return ChosenFolder(outlook.create_folder(profile.folder_name, stamp), True, True)
    except InvalidValue as error:
        if error.code != "folder-exists":
            raise
        raise ProfileError(
            f"The mailbox has a folder named “{profile.folder_name}” that the sync cannot see, perhaps among the "
            "deleted folders. Give the profile's folder another name, or empty Deleted Items.",
            code="folder-exists",
        ) from error


def _taken_over(outlook: OutlookSide, named: Folder, stamp: FolderStamp, look_only: bool) -> Folder:
    if named.stamp is not None and named.stamp != stamp:
        raise ProfileError(
            f"The folder “{named.name}” belongs to another profile. Give this profile's folder another name.",
            code="folder-taken",
        )
    if not look_only:
        outlook.stamp_folder(named.id, stamp)
    return named


def _renamed(outlook: OutlookSide, known: Folder, profile: Profile, positions: Positions, look_only: bool) -> Folder:
    """An admin's rename is carried out; a user's rename in Outlook stays (R27)."""
    if profile.main_folder or look_only or not positions.folder_name or positions.folder_name == profile.folder_name:
        return known
    try:
        return outlook.rename_folder(known.id, profile.folder_name)
    except InvalidValue as error:
        if error.code != "folder-exists":
            raise
        raise ProfileError(
            f"The folder cannot be renamed to “{profile.folder_name}”: the mailbox has a folder of that name.",
            code="folder-exists",
        ) from error
