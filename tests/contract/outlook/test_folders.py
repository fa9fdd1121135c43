"""What the engine's ports promise, kept by the Outlook adapter against the simulator: folders."""

from dataclasses import replace

import pytest

from dev.simulators.graph.control import GraphControl
from shared.engine.sides import Directory, Folder, OutlookSide
from shared.errors import FolderMissing, InvalidValue, MailboxUnavailable
from shared.outlook.directory import OutlookDirectory
from tests.contract.outlook.office import STAMP, draft, strict_only

pytestmark = pytest.mark.integration


def test_the_adapter_fits_the_ports(directory: OutlookDirectory, user: str) -> None:
    as_directory: Directory = directory
    as_side: OutlookSide = directory.outlook(user)
    assert as_directory
    assert as_side


def test_a_folder_is_found_by_its_stamp_whatever_its_name(
    side: OutlookSide, folder: Folder, graph: GraphControl, user: str
) -> None:
    """R27"""
    graph.rename_folder(user, folder.id, "Mine")
    for number in range(12):
        graph.create_folder(user, f"Other {number}")
    found = side.find_folder(STAMP)
    assert found == replace(folder, name="Mine")
    assert side.folder(folder.id, folder.parent_id) == found
    assert side.find_folder(replace(STAMP, profile_id="p2")) is None
    named = side.folder_named(" mine ")
    assert named is not None
    assert named.id == folder.id
    assert side.folder_named("Business Central") is None


def test_a_taken_name_is_refused(side: OutlookSide, folder: Folder, graph: GraphControl, user: str) -> None:
    """R27"""
    graph.create_folder(user, "Private")
    with pytest.raises(InvalidValue) as created:
        side.create_folder("PRIVATE", STAMP)
    with pytest.raises(InvalidValue) as renamed:
        side.rename_folder(folder.id, "private")
    assert created.value.code == renamed.value.code == "folder-exists"
    assert side.rename_folder(folder.id, "Neu") == replace(folder, name="Neu")


def test_a_deleted_folder_is_gone_even_if_it_still_resolves(
    side: OutlookSide, folder: Folder, graph: GraphControl, user: str
) -> None:
    """R27, Graph 2.3"""
    graph.delete_folder(user, folder.id)
    assert side.folder(folder.id, folder.parent_id) is None
    assert side.find_folder(STAMP) is None
    graph.delete_folder(user, folder.id, purge=True)
    assert side.folder(folder.id, "") is None
    with pytest.raises(FolderMissing):
        side.changes(folder.id, None)
    with pytest.raises(FolderMissing):
        list(side.contacts(folder.id))
    with pytest.raises(FolderMissing):
        side.create(folder.id, [draft()])
    with pytest.raises(FolderMissing):
        side.rename_folder(folder.id, "x")


def test_an_existing_folder_is_stamped(side: OutlookSide, graph: GraphControl, user: str) -> None:
    folder_id = graph.create_folder(user, "Adopted")
    side.stamp_folder(folder_id, STAMP)
    found = side.find_folder(STAMP)
    assert found is not None
    assert (found.id, found.stamp) == (folder_id, STAMP)


@pytest.mark.parametrize("has_contact", [True, False])
@pytest.mark.parametrize("has_folder", [True, False])
def test_the_main_folder_is_found(
    side: OutlookSide, graph: GraphControl, user: str, has_contact: bool, has_folder: bool
) -> None:
    """R27, Graph 2.1"""
    if has_contact:
        graph.create_contact(user, {"displayName": "x"})
    if has_folder:
        graph.create_folder(user, "Private")
    listed = graph.switch()["list_default_folder"]
    if has_contact or has_folder or listed:
        assert side.main_folder().id == graph.read_mailbox(user)["default_folder"]
        assert side.folder_named("Contacts") is None
        return
    with pytest.raises(MailboxUnavailable) as caught:
        side.main_folder()
    assert caught.value.code == "main-folder-unknown"


@strict_only
def test_a_folder_whose_creation_got_no_answer_is_found(side: OutlookSide, graph: GraphControl) -> None:
    """R9"""
    graph.add_fault("lost-answer", service="graph", method="POST", path="contactFolders$")
    assert side.create_folder("Business Central", STAMP).stamp == STAMP
