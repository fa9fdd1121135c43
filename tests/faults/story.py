"""What happens on both sides while something is wrong, and what both sides must show in the end."""

from typing import Any

from shared.engine.model import Mode, Profile
from tests.faults.scene import Scene

PEOPLE = tuple(f"Person {letter}" for letter in "ABCDEFGHIJKL")
NEW_IN_BC, NEW_IN_OUTLOOK, DELETED = "Nora Bc", "Olaf Outlook", "Person L"
EVERYBODY = {*PEOPLE, NEW_IN_BC, NEW_IN_OUTLOOK} - {DELETED}


def begin(scene: Scene) -> Profile:
    """A user whose folder is in sync, positions and all."""
    scene.persons(*PEOPLE)
    profile = scene.user("ada")
    scene.good_sync(profile)
    scene.good_sync(profile)
    return profile


def edit(scene: Scene, profile: Profile) -> None:
    """Edits of all kinds on both sides, one of them a deletion."""
    user = profile.mailbox_id
    scene.edit_in_bc("Person A", jobTitle="Buyer")
    scene.edit_in_bc("Person B", phoneNumber="+49 30 1234")
    scene.edit_in_outlook(user, "Person C", jobTitle="Seller")
    scene.edit_in_outlook(user, "Person D", mobilePhone="+49 171 5678")
    scene.persons(NEW_IN_BC)
    scene.add_in_outlook(user, NEW_IN_OUTLOOK)
    scene.delete_in_bc(DELETED)


def assert_converged(scene: Scene, profile: Profile) -> None:
    """Both sides show everything typed on either, nobody twice, nobody gone but who was deleted; it stays so."""
    in_bc, in_folder = scene.in_bc(), scene.in_folder(profile.mailbox_id)
    assert (set(in_bc), set(in_folder)) == (EVERYBODY, EVERYBODY)
    assert _seen(in_bc, "jobTitle") == _seen(in_folder, "jobTitle") == {"Person A": "Buyer", "Person C": "Seller"}
    assert in_folder["Person B"]["businessPhones"] == ["+49 30 1234"]
    assert in_bc["Person D"]["mobilePhoneNumber"] == "+49 171 5678"
    scene.good_sync(profile)
    since = scene.graph.log_number()
    scene.good_sync(profile, Mode.FULL)
    assert scene.writes(since) == 0, "another round has nothing to write"


def assert_nothing_deleted(scene: Scene, profile: Profile) -> None:
    """Whatever is wrong, it deletes nobody (R25): only the person deleted in BC may be gone."""
    assert set(scene.in_bc()) >= {*PEOPLE} - {DELETED}
    assert set(scene.in_folder(profile.mailbox_id)) >= {*PEOPLE} - {DELETED}


def _seen(rows: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    return {key: row[name] for key, row in rows.items() if row.get(name)}
