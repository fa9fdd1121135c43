"""Imports of users: who is taken on, who is left out with the reason, and what is refused at once."""

import pytest

from shared.engine.import_state import OnLeave, Source, SourceKind
from shared.engine.model import RunStatus
from shared.engine.sides import BcUser
from shared.errors import RequestError
from shared.filters import FilterError
from shared.planning.importing import Person, Unfit
from shared.planning.model import Direction
from tests.fakes.world import COMPANY
from tests.rules.importing import FROM_GROUP, Office, reasons, users


def test_members_get_profiles_that_change_nothing_in_bc_unless_that_is_said(office: Office) -> None:
    office.members("ada", "ben")
    run = office.ask(filter={"city": "Ulm"})
    assert (run.status, users(run.added), run.found) == (RunStatus.SUCCEEDED, ["ada", "ben"], 2)
    ada = office.world.state.profiles.get(COMPANY, "ada")
    assert ada is not None
    assert (ada.direction, dict(ada.filter), ada.user_address, ada.imported) == (
        Direction.TO_OUTLOOK, {"city": "Ulm"}, "ada@contoso.example", "",
    )  # fmt: skip
    assert {each.profile_id for each in office.world.state.marks.due(COMPANY, office.world.clock())} == {"ada", "ben"}
    assert office.ask(filter={}, direction=Direction.BOTH, source=Source(SourceKind.USERS, users=("cleo@x.example",)))


def test_who_cannot_be_synced_is_left_out_with_the_reason(office: Office) -> None:
    office.members("ada", "ben", "cleo", "dora")
    office.group.append(Person("eve", "eve@other.example", Unfit.GUEST))
    office.group.append(Person("finn", "finn@contoso.example", Unfit.DISABLED))
    office.world.directory.tenant.unusable = {
        "ben": Unfit.NO_MAILBOX,
        "cleo": Unfit.ROOM,
        "dora": Unfit.NO_PERMISSION,
    }
    run = office.ask()
    assert users(run.added) == ["ada"]
    assert reasons(run) == {
        "ben": "no-mailbox", "cleo": "room", "dora": "no-permission", "eve": "guest", "finn": "account-disabled",
    }  # fmt: skip


def test_a_preview_says_all_that_and_writes_nothing(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    office.members("ben", "cleo", "dora")
    office.world.directory.tenant.unusable = {"dora": Unfit.NO_MAILBOX}
    before = (dict(office.world.state.profiles.rows), dict(office.world.state.imports.saved))
    run = office.ask(name="sales", preview=True, filter={"city": "Ulm"})
    assert (users(run.added), users(run.disabled), reasons(run), run.kept) == (
        ["cleo"],
        ["ada"],
        {"dora": "no-mailbox"},
        1,
    )
    assert (office.world.state.profiles.rows, office.world.state.imports.saved) == before


def test_profiles_that_are_there_stay_as_they_are(office: Office) -> None:
    before = office.world.profile("ada", filter={"city": "Bern"}, enabled=False)
    office.members("ada", "ben")
    run = office.ask(name="sales")
    assert (users(run.added), run.kept) == (["ben"], 1)
    assert office.world.state.profiles.get(COMPANY, "ada") == before
    assert office.world.directory.tenant.tried == ["ben"]


def test_a_list_names_users_by_address_or_id(office: Office) -> None:
    office.world.directory.tenant.users = {"ada@contoso.example": Person("ada", "ada@contoso.example")}
    office.world.profile("ben")
    run = office.ask(Source(SourceKind.USERS, users=("ADA@contoso.example", "ben@contoso.example", "nobody@x.example")))
    assert (users(run.added), run.kept, reasons(run)) == (["ada"], 1, {"nobody@x.example": "unknown-user"})


def test_users_of_bc_bring_the_name_that_stands_for_me(office: Office) -> None:
    office.world.environment.people = [
        BcUser("ADA", "ada@contoso.example"),
        BcUser("BEN", ""),
        BcUser("CLEO", "cleo@contoso.example", Unfit.BC_DISABLED),
    ]
    office.world.directory.tenant.users = {
        f"{each}@contoso.example": Person(each, f"{each}@contoso.example") for each in ("ada", "cleo")
    }
    run = office.ask(Source(SourceKind.BC), filter={"searchName": "%me"})
    assert reasons(run) == {"BEN": "no-address", "cleo@contoso.example": "bc-disabled"}
    assert users(run.added) == ["ada"]
    ada = office.world.state.profiles.get(COMPANY, "ada")
    assert ada is not None and ada.bc_user_name == "ADA"
    with pytest.raises(FilterError):
        office.ask(filter={"searchName": "%me"})


@pytest.mark.parametrize(
    ("source", "more", "code"),
    [
        (Source(SourceKind.GROUP, group="sales"), {}, "bad-member"),
        (Source(SourceKind.USERS, users=("ada",)), {}, "bad-user"),
        (FROM_GROUP, {"name": "Sales!"}, "bad-member"),
        (FROM_GROUP, {"name": "once"}, "bad-member"),
        (FROM_GROUP, {"on_leave": OnLeave.REMOVE}, "bad-member"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_stored(
    office: Office, source: Source, more: dict[str, object], code: str
) -> None:
    with pytest.raises(RequestError) as caught:
        office.ask(source, **more)
    assert caught.value.code == code
    assert not office.world.state.imports.rows and not office.world.state.imports.saved
