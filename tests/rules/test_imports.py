"""Imports of users: who joins, stays, leaves and comes back, and what is held."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from shared.engine.callers import Caller
from shared.engine.import_run import AT_ONCE
from shared.engine.import_state import ImportRun, OnLeave, Source, SourceKind, Who
from shared.engine.importing import ImportWish, approve, ask, begin_night, serve, work_at
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import RunStatus
from shared.engine.pauses import Pause
from shared.engine.sides import BcUser
from shared.errors import RequestError, RetryableError, SourceUnreadable, Throttled
from shared.filters import FilterError
from shared.pace import Pace
from shared.planning.importing import Person, Unfit
from shared.planning.model import Direction
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World

GROUP = "99999999-0000-0000-0000-000000000001"
FROM_GROUP = Source(SourceKind.GROUP, group=GROUP)
ADMIN = Caller(actor="boss")


class Office:
    """A world with one group in it."""

    def __init__(self) -> None:
        self.world = World.new()

    @property
    def group(self) -> list[Person]:
        return self.world.directory.tenant.groups.setdefault(GROUP, [])

    def members(self, *names: str) -> None:
        """These are in the group now, and no others."""
        self.group[:] = [Person(each, f"{each}@contoso.example") for each in names]

    def ask(self, source: Source = FROM_GROUP, *, seconds: float = 60, **more: object) -> ImportRun:
        """An import as a request makes it."""
        services = self.world.services
        wish = ImportWish(source, **({"filter": {}} | more))  # type: ignore[arg-type]
        run = ask(services, wish, "", ADMIN, Pace(services.monotonic() + 5))
        return work_at(services, run, seconds)

    def night(self) -> ImportRun:
        """The timer fires, and all that follows from it."""
        self.world.clock.advance(hours=24)
        (job,) = begin_night(self.world.services, self.world.clock())
        return self.work(job.import_run)

    def work(self, run_id: str) -> ImportRun:
        """Messages until the run is over."""
        self.world.state.messages.sent.clear()
        serve(self.world.services, CompanyJob(COMPANY, Reason.IMPORT, import_run=run_id))
        for _ in range(50):
            run = self.world.state.imports.rows[run_id]
            if run.is_over:
                return run
            self.world.clock.advance(seconds=61)
            for message in self.world.state.messages.take_due():
                serve(self.world.services, CompanyJob(message.id, Reason.IMPORT, import_run=message.reason))
        raise AssertionError("the run never ends")

    def approve(self, run: ImportRun, **wanted: int) -> ImportRun:
        return self.work(approve(self.world.services, run.run_id, wanted, "boss").run_id)

    def enabled(self) -> set[str]:
        return {each.id for each in self.world.state.profiles.in_company(COMPANY) if each.enabled}

    def linked(self, user: str, contacts: int) -> None:
        """The user's folder is filled by a run."""
        for number in range(contacts):
            self.world.bc.put(displayName=f"P {number}", email=f"p{number}@x.example")
        assert self.world.sync(user).to_outlook.created == contacts


@pytest.fixture
def office() -> Office:
    return Office()


def users(people: Iterable[Who]) -> list[str]:
    return [each.user for each in people]


def reasons(run: ImportRun) -> dict[str, str]:
    return {each.user or each.address: each.code for each in run.left_out}


# ---------------------------------------------------------------- who is taken on


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


# ---------------------------------------------------------------- nights


def test_joiners_are_added_and_leavers_switched_off(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales", filter={"city": "Ulm"})
    office.members("ben", "cleo")
    run = office.night()
    assert (users(run.added), users(run.disabled), run.kept, run.by_timer) == (["cleo"], ["ada"], 1, True)
    assert office.enabled() == {"ben", "cleo"}
    ada, cleo = (office.world.state.profiles.get(COMPANY, each) for each in ("ada", "cleo"))
    assert ada is not None and ada.left
    assert cleo is not None and dict(cleo.filter) == {"city": "Ulm"}


def test_a_night_without_changes_writes_nothing(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    before = dict(office.world.state.profiles.rows)
    office.world.directory.tenant.tried.clear()
    run = office.night()
    assert (run.status, run.kept, run.added, run.disabled) == (RunStatus.SUCCEEDED, 2, (), ())
    assert office.world.state.profiles.rows == before
    assert office.world.directory.tenant.tried == []


def test_a_leaver_who_returns_is_switched_on_again_as_before(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    before = office.world.profile("ada", filter={"city": "Bern"})
    office.members("ben")
    office.night()
    office.members("ada", "ben")
    run = office.night()
    assert users(run.enabled) == ["ada"]
    ada = office.world.state.profiles.get(COMPANY, "ada")
    assert ada is not None
    assert (ada.enabled, ada.left, ada.filter, ada.imported) == (True, False, before.filter, before.imported)


def test_whoever_switched_the_own_profile_off_is_left_alone(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    before = office.world.profile("ada", enabled=False)
    office.members("ben")
    office.night()
    office.members("ada", "ben")
    office.night()
    assert office.world.state.profiles.get(COMPANY, "ada") == before


def test_profiles_made_by_hand_or_by_another_import_do_not_leave(office: Office) -> None:
    office.world.profile("hand")
    office.members("once")
    office.ask()
    office.members("ada")
    office.ask(name="branch")
    office.members("ben")
    office.world.state.imports.saved.clear()
    office.ask(name="sales")
    office.members("cleo")
    run = office.night()
    assert users(run.disabled) == ["ben"]
    assert office.enabled() == {"hand", "once", "ada", "cleo"}


def test_an_import_of_the_same_name_made_anew_is_another_one(office: Office) -> None:
    office.members("ada")
    office.ask(name="sales")
    office.world.state.imports.saved.clear()
    office.members("ben")
    assert office.ask(name="sales").disabled == ()
    assert office.enabled() == {"ada", "ben"}


def test_who_moves_to_another_group_goes_on(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="branch")
    office.members("ben")
    office.night()
    office.members("ada")
    run = office.ask(name="sales")
    assert users(run.enabled) == ["ada"]
    ada = office.world.state.profiles.get(COMPANY, "ada")
    assert ada is not None and ada.imported.startswith("sales.")


def test_reports_go_with_their_age(office: Office) -> None:
    office.members("ada")
    first = office.ask(name="sales")
    second = office.night()
    office.world.clock.advance(days=28)
    third = office.night()
    office.world.clock.advance(days=1)
    fourth = office.night()
    assert set(office.world.state.imports.rows) == {third.run_id, fourth.run_id}
    assert {first.run_id, second.run_id}.isdisjoint(office.world.state.imports.rows)


# ---------------------------------------------------------------- when nothing is changed


def unknown() -> SourceUnreadable:
    return SourceUnreadable("Entra has no group with this object id.", code="unknown-group")


@pytest.mark.parametrize("what", ["empty", "all unfit", "unreadable", "gone"])
def test_a_group_that_is_empty_or_unreadable_changes_nothing_and_says_so(office: Office, what: str) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    tenant, before = office.world.directory.tenant, dict(office.world.state.profiles.rows)
    match what:
        case "empty":
            office.members()
        case "all unfit":
            office.group[:] = [replace(each, unfit=Unfit.DISABLED) for each in office.group]
        case "unreadable":
            tenant.refusal = SourceUnreadable("Grant it GroupMember.Read.All.", code="no-permission")
        case "gone":
            tenant.groups.clear()
    run = office.night()
    assert run.status is RunStatus.FAILED
    assert run.error_code == {"unreadable": "no-permission", "gone": "unknown-group"}.get(what, "source-empty")
    assert run.error
    assert office.world.state.profiles.rows == before


def test_a_paused_company_imports_nobody(office: Office) -> None:
    office.members("ada")
    office.ask(name="sales")
    office.members("ada", "ben")
    office.world.state.pauses.save(Pause(COMPANY))
    assert begin_night(office.world.services, office.world.clock()) == []
    assert office.ask(name="sales").error_code == "paused"
    assert users(office.ask(name="sales", preview=True).added) == ["ben"]
    assert office.enabled() == {"ada"}


def many(office: Office, count: int, left: int) -> ImportRun:
    """`left` of `count` members leave over night."""
    names = [f"u{number:03d}" for number in range(count)]
    office.members(*names)
    office.ask(name="sales", seconds=10_000)
    office.members(*names[left:])
    return office.night()


@pytest.mark.parametrize(
    ("count", "left", "held"),
    [
        (40, 10, False),
        (40, 11, True),
        (55, 11, False),
        (54, 11, True),
        (100, 21, True),
        (12, 11, True),
        (100, 20, False),
    ],
)
def test_r26_disabling_more_than_ten_and_more_than_a_fifth_is_held(
    office: Office, count: int, left: int, held: bool
) -> None:
    run = many(office, count, left)
    assert (run.status is RunStatus.HELD, len(run.disabled)) == (held, 0 if held else left)
    assert len(office.enabled()) == (count if held else count - left)
    if held:
        assert [(each.kind, each.count) for each in run.held] == [("leavers", left)]
        assert f"{count} profiles" in run.held[0].limit


def test_r26_what_is_held_happens_when_a_person_approves_it_and_to_nobody_else(office: Office) -> None:
    run = many(office, 40, 15)
    back = office.world.state.imports.rows[run.run_id].held[0].users[0]
    office.group.append(Person(back, f"{back}@contoso.example"))
    office.group[:] = [each for each in office.group if each.id != "u039"]
    done = office.approve(run, leavers=15)
    assert (done.status, done.approves, done.actor) == (RunStatus.SUCCEEDED, run.run_id, "boss")
    assert {*users(done.disabled)} == ({*run.held[0].users} - {back}) | {"u039"}
    stored = office.world.state.imports.rows[run.run_id].held[0]
    assert (stored.approved_by, stored.approved_run) == ("boss", done.run_id)


def test_r26_what_is_held_stays_held_however_few_they_become_and_whatever_a_night_cannot_read(office: Office) -> None:
    run = many(office, 40, 15)
    waiting = run.held[0].users[:3]
    office.group.extend(Person(each, f"{each}@contoso.example") for each in run.held[0].users[3:])
    office.world.directory.tenant.refusal = unknown()
    failed = office.night()
    assert (failed.status, failed.held[0].users) == (RunStatus.FAILED, run.held[0].users)
    office.world.directory.tenant.refusal = None
    again = office.night()
    assert (again.status, again.held[0].users, again.disabled) == (RunStatus.HELD, waiting, ())
    assert users(office.approve(again, leavers=3).disabled) == list(waiting)


def test_r26_those_who_join_in_the_same_run_do_not_make_leavers_fewer(office: Office) -> None:
    names = [f"u{number:03d}" for number in range(100)]
    office.members(*names)
    office.ask(name="sales")
    office.members(*names[25:], *(f"new{number:03d}" for number in range(3 * AT_ONCE)))
    tenant = office.world.directory.tenant
    try_mailboxes = tenant.try_mailboxes

    def slowly(user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        office.world.clock.advance(seconds=9)
        return try_mailboxes(user_ids)

    tenant.try_mailboxes = slowly  # type: ignore[method-assign]
    office.world.limits = replace(office.world.limits, run_budget=8)
    run = office.night()
    assert (run.pieces, len(run.added), run.held[0].count, run.disabled) == (3, 300, 25, ())


@pytest.mark.parametrize(
    ("wanted", "code"), [({"leavers": 14}, "count-differs"), ({"removals": 15}, "not-held"), ({}, "")]
)
def test_r26_an_approval_names_what_it_approves(office: Office, wanted: dict[str, int], code: str) -> None:
    run = many(office, 40, 15)
    if not code:
        later = office.night()
        wanted, code = {"leavers": 15}, "not-newest"
        assert later.run_id != run.run_id
    with pytest.raises(RequestError) as caught:
        approve(office.world.services, run.run_id, wanted, "boss")
    assert caught.value.code == code


# ---------------------------------------------------------------- what becomes of leavers' contacts


@pytest.mark.parametrize("on_leave", [None, OnLeave.KEEP, OnLeave.REMOVE])
def test_leavers_keep_their_contacts_unless_the_import_says_otherwise(office: Office, on_leave: OnLeave | None) -> None:
    office.members("ada", "ben")
    office.ask(name="sales", on_leave=on_leave)
    office.linked("ada", 5)
    folder = office.world.folder("ada")
    office.members("ben")
    run = office.night()
    left = len(office.world.mailbox("ada").in_folder(folder))
    if on_leave is OnLeave.REMOVE:
        assert (left, users(run.removed), run.contacts_removed) == (0, ["ada"], 5)
        assert office.world.state.profiles.get(COMPANY, "ada") is None
    else:
        assert (left, run.removed) == (5, ())


def test_whom_an_administrator_switches_on_at_that_moment_keeps_everything(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales", on_leave=OnLeave.REMOVE)
    office.linked("ada", 5)
    office.members("ben")
    office.world.faults.before(
        "profiles.get", lambda: office.world.profile("ada", enabled=True, left=False, imported="")
    )
    run = office.night()
    assert (users(run.disabled), run.removed) == (["ada"], ())
    assert len(office.world.mailbox("ada").in_folder(office.world.folder("ada"))) == 5


def test_r26_many_contacts_of_a_leaver_wait_for_a_person(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales", on_leave=OnLeave.REMOVE)
    office.linked("ada", 12)
    folder = office.world.folder("ada")
    office.members("ben")
    run = office.night()
    assert (users(run.disabled), run.removed) == (["ada"], ())
    assert [(each.kind, each.count, each.users) for each in run.held] == [("removals", 12, ("ada",))]
    again = office.night()
    assert [(each.kind, each.count) for each in again.held] == [("removals", 12)]
    assert len(office.world.mailbox("ada").in_folder(folder)) == 12
    done = office.approve(again, removals=12)
    assert (done.status, users(done.removed), done.contacts_removed) == (RunStatus.SUCCEEDED, ["ada"], 12)
    assert office.world.mailbox("ada").in_folder(folder) == {}


# ---------------------------------------------------------------- pieces


def test_what_one_answer_has_no_time_for_goes_on_in_pieces_and_tries_nobody_twice(office: Office) -> None:
    names = [f"u{number:04d}" for number in range(5 * AT_ONCE)]
    office.members(*names)
    tenant = office.world.directory.tenant
    tenant.unusable = dict.fromkeys(names[::7], Unfit.NO_MAILBOX)
    try_mailboxes = tenant.try_mailboxes

    def slowly(user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        office.world.clock.advance(seconds=5)
        return try_mailboxes(user_ids)

    tenant.try_mailboxes = slowly  # type: ignore[method-assign]
    run = office.ask(name="sales", seconds=8)
    assert not run.is_over
    assert len(run.added) + len(run.left_out) == 2 * AT_ONCE
    office.world.limits = replace(office.world.limits, run_budget=8)
    run = office.work(run.run_id)
    assert (run.status, len(run.added), len(run.left_out)) == (RunStatus.SUCCEEDED, 428, 72)
    assert len(tenant.tried) == len(set(tenant.tried)) == len(names)
    assert run.pieces == 3
    assert office.enabled() == {each for each in names if each not in tenant.unusable}


@pytest.mark.parametrize("after", [False, True])
def test_a_death_in_the_middle_doubles_nothing(office: Office, after: bool) -> None:
    office.members(*(f"u{number}" for number in range(30)))
    office.world.faults.die(12, after=after, call="profiles.save")
    with pytest.raises(Died):
        office.ask(name="sales")
    office.world.faults.restart()
    (run_id,) = office.world.state.imports.rows
    office.world.clock.advance(seconds=61)
    run = office.work(run_id)
    assert run.status is RunStatus.SUCCEEDED
    assert len(office.enabled()) == 30


def test_a_service_that_is_away_is_asked_again_later(office: Office) -> None:
    office.members("ada")
    office.world.faults.fail(1, RetryableError("away"), call="graph.members")
    run = office.ask(name="sales")
    assert not run.is_over
    office.world.faults.fail(1, Throttled("later", retry_after=90), call="graph.members")
    serve(office.world.services, CompanyJob(COMPANY, Reason.IMPORT, import_run=run.run_id))
    (message,) = [each for each in office.world.state.messages.sent if each.queue == "import"]
    assert (message.due - office.world.clock()).total_seconds() == 90
    assert users(office.work(run.run_id).added) == ["ada"]


def test_two_instances_begin_a_night_once_and_do_not_work_at_the_same_time(office: Office) -> None:
    office.members("ada")
    office.ask(name="sales")
    office.world.clock.advance(hours=24)
    services = office.world.services
    (job,) = begin_night(services, office.world.clock())
    assert begin_night(services, office.world.clock()) == []
    held = office.world.state.imports.hold(COMPANY, "the other")
    serve(services, job)
    assert office.world.state.imports.rows[job.import_run].status is RunStatus.QUEUED
    assert [each.queue for each in office.world.state.messages.sent if each.queue == "import"] == ["import"]
    held.release()  # type: ignore[union-attr]
    assert office.work(job.import_run).status is RunStatus.SUCCEEDED
