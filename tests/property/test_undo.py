"""Random histories in which runs are undone (R36): people at work, a run, perhaps more work, then the undo of that run.

1. On both sides every field and contact that nobody touched since is as it was before the run; what somebody touched
   stays, with a note; nothing else moves.
2. The next incremental and full runs write nothing, for the others once they have followed BC's changes; only whom the
   undo put out of the filter leaves (R22), with a note where that takes what a user typed.
3. The same undo once more writes nothing.

`UNDONE_HISTORIES` in the environment sets how many histories are played (default 150; CI and the bench play more).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from shared.cards.model import BcContact, Origin, OutlookContact
from shared.engine.model import Mode, Report
from shared.errors import RequestError
from shared.filters import matches, parse_filter
from shared.planning.model import NoteKind, OnOutOfScope
from tests.fakes.world import COMPANY as THE_COMPANY
from tests.fakes.world import World
from tests.property.histories.admins import Admins
from tests.property.histories.bc_users import BcUsers
from tests.property.histories.outlook_users import OutlookUsers
from tests.property.histories.stage import POLICIES
from tests.rules.glances import links
from tests.rules.scenes import undo

HISTORIES = int(os.environ.get("UNDONE_HISTORIES", "150"))
PARTS = ("name", "given_name", "middle_name", "surname")
USERS = ("ada", "bob")
COMPANY = ("company", "company_number")

type Picture = dict[str, dict[str, str]]  #: by id: what a contact holds


def of_bc(w: World) -> Picture:
    """All contacts of the company."""
    return {key: _values_of(each) | {"company_number": each.company_number} for key, each in w.bc.rows.items()}


def of_outlook(w: World, user: str) -> Picture:
    """All contacts of a user's folder."""
    return {key: _values_of(each) for key, each in w.mailbox(user).in_folder(w.folder(user)).items()}


def _values_of(contact: BcContact | OutlookContact) -> dict[str, str]:
    return dict(contact.card._asdict())


@dataclass(frozen=True)
class Done:
    """A run, and what it met and left."""

    user: str
    mode: Mode
    report: Report
    bc: tuple[Picture, Picture]
    outlook: tuple[Picture, Picture]
    others: dict[str, Picture]  #: the other folders
    filters: Mapping[str, dict[str, str]]
    all_settled: bool  #: the other user had nothing to tell BC


class Undone(BcUsers, OutlookUsers, Admins):
    """People, runs, and the undo of the last one."""

    done: Done | None = None

    @initialize(**POLICIES)
    def start(self, **policies: object) -> None:
        """An office that has been in sync for a while."""
        self.given: dict[str, set[str]] = {}
        super().start(third=None, held=False, persons=0, synced=False, **policies)
        for number in range(4):
            self.somebody_new_in_bc(number, number)
        self.a_move_across_the_filter(1, "Berlin")
        self._round()
        for number in range(len(USERS)):
            self.somebody_new_in_outlook(number, number, number, complete=1, company=False, tagged=False)
        self._round()

    @rule(user=st.sampled_from(USERS), mode=st.sampled_from(Mode), others_first=st.booleans())
    def a_run(self, user: str, mode: Mode, others_first: bool) -> None:
        """Somebody asks for it."""
        w = self.world
        for other in USERS if others_first else ():
            if other != user:
                w.sync(other)
        bc, outlook = of_bc(w), of_outlook(w, user)
        report = w.sync(user, mode)
        self.done = Done(
            user,
            mode,
            report,
            (bc, of_bc(w)),
            (outlook, of_outlook(w, user)),
            self._others(user),
            self._filters(),
            others_first,
        )

    @precondition(lambda self: self.done is not None)
    @rule(again=st.booleans())
    def an_undo(self, again: bool) -> None:
        """Of the last run, whatever people have done since; `again`: repeated at once, which mends records, too."""
        assert self.done is not None
        done, self.done, w = self.done, None, self.world
        user = done.user
        bc, outlook = of_bc(w), of_outlook(w, user)
        others = self._others(user)
        try:
            report = undo(w, done.report, user=user, recreate=True)
        except RequestError as refused:
            assert refused.code == "nothing-to-undo"
            assert done.bc[0] == done.bc[1] and done.outlook[0] == done.outlook[1]
            return
        undone = of_bc(w), of_outlook(w, user)
        assert [each for each in report.notes if each.kind is NoteKind.FAILED] == []
        _as_before(report, COMPANY, *done.bc, bc, undone[0])
        _as_before(report, PARTS, *done.outlook, outlook, undone[1])
        assert self._others(user) == others

        if again:
            self._writes_nothing(lambda: undo(w, done.report, user=user, recreate=True))
        if (bc, outlook, self._filters()) != (done.bc[1], done.outlook[1], done.filters):
            return
        undone = self._without_leavers(user, *undone)
        self._writes_nothing(lambda: w.sync(user))
        written = w.written()
        w.full(user)
        self._stays(done, undone)  # whatever else a full run finds, it does not redo what was undone
        if done.mode is Mode.FULL:
            assert w.written() == written
        for other in others:
            w.sync(other)
        if done.all_settled and others == done.others:
            self._round()
            self._stays(done, undone)
            self._writes_nothing(self._round)
            self._writes_nothing(lambda: undo(w, done.report, user=user, recreate=True))

    def address(self, user: str, email: int) -> str:
        """One that nobody on that side has: a duplicate is matched when a run, or an undo, makes room for it (R7)."""
        cards = of_outlook(self.world, user) if user else of_bc(self.world)
        taken = self.given.setdefault(user, set())
        taken |= {each["email"] for each in cards.values()}
        address = next(each for each in (f"p{number}@x.example" for number in count()) if each not in taken)
        taken.add(address)
        return address

    def changed_address(self, email: int) -> str:
        """One that nobody has."""
        return f"{self.ledger.new(True)}@x.example"

    def teardown(self) -> None:
        """Whatever was undone and edited, it comes to rest."""
        if not hasattr(self, "world"):
            return
        if self.done is None:
            self.a_run(USERS[0], Mode.INCREMENTAL, others_first=True)
        self.an_undo(again=False)
        for _ in range(2):
            self._round()
        self._writes_nothing(self._round)

    def _filters(self) -> dict[str, dict[str, str]]:
        profiles = self.world.state.profiles.rows
        return {user: dict(profiles[THE_COMPANY, user].filter) for user in USERS}

    def _others(self, user: str) -> dict[str, Picture]:
        return {other: of_outlook(self.world, other) for other in USERS if other != user}

    def _without_leavers(self, user: str, bc: Picture, outlook: Picture) -> tuple[Picture, Picture]:
        """The two pictures after a run of which nothing is wanted but to take out whom the filter leaves out (R22)."""
        w = self.world
        wanted = parse_filter(self._filters()[user])
        leaving = {
            link.outlook_id
            for key, link in links(w, user).items()
            if link.origin is not Origin.OWN and key in w.bc.rows and not matches(wanted, w.bc.rows[key].values)
        }
        if w.state.profiles.rows[THE_COMPANY, user].policies.on_out_of_scope is OnOutOfScope.KEEP or not leaving:
            return bc, outlook
        report = w.sync(user)
        assert of_outlook(w, user) == {key: each for key, each in outlook.items() if key not in leaving}
        told = {(each.outlook_id, each.value) for each in report.notes if each.code == "lost-by-removal"}
        in_bc = {value for each in of_bc(w).values() for value in each.values()}
        for key in leaving & outlook.keys():
            lost = {
                value for which, value in outlook[key].items() if value not in ("", *in_bc) and which not in PARTS[1:]
            }
            assert {(key, value) for value in lost} <= told, "what a user typed went without a note"
        return bc, of_outlook(w, user)

    def _stays(self, done: Done, undone: tuple[Picture, Picture]) -> None:
        for now, then in zip((of_bc(self.world), of_outlook(self.world, done.user)), undone, strict=True):
            assert now | then == now, "a later run redid what was undone"
            back = {key for picture in (*done.bc, *done.outlook) for key in picture} - then.keys()
            assert not back & now.keys(), "a later run brought back what was taken back"

    def _round(self) -> None:
        for mode in Mode:
            for user in USERS:
                report = self.world.sync(user, mode)
                assert report.status in ("succeeded", "succeeded with notes"), (report.status, report.error)

    def _writes_nothing(self, act: Callable[[], object]) -> None:
        before = self.world.written()
        act()
        assert self.world.written() == before, "something was written"


def _as_before(
    report: Report, together: tuple[str, ...], before: Picture, after: Picture, now: Picture, undone: Picture
) -> None:
    """One side: `now` and `undone` are what it held right before and after the undo, `before` and `after` the run's."""
    for key in before.keys() | after.keys() | now.keys():
        noted = {each.field for each in report.notes if key in (each.bc_id, each.outlook_id)}
        codes = {each.code for each in report.notes if key in (each.bc_id, each.outlook_id)}
        if key not in after and key in before:
            there = {each.email for each in report.notes if each.code == "already-there"}
            assert before[key] in undone.values() or before[key]["email"] in there, f"{key} was not put back"
        elif key not in before and key in after and now.get(key) == after[key]:
            assert key not in undone, f"{key} was not taken back"
        elif key not in before or key not in now:
            assert undone.get(key) == now.get(key), f"{key} was touched"
            assert key in before or key not in after or key not in now or "changed-since" in codes
        else:
            _fields_as_before(key, together, before[key], after[key], now[key], undone[key], noted)


def _fields_as_before(
    key: str,
    together: tuple[str, ...],
    before: Mapping[str, str],
    after: Mapping[str, str],
    now: Mapping[str, str],
    undone: Mapping[str, str],
    noted: set[str],
) -> None:
    for group in _groups(together, now):
        written = [name for name in group if before[name] != after[name]]
        touched = [name for name in written if now[name] != after[name]]
        is_back = all(now[name] == before[name] for name in written)
        for name in group:
            wanted = before if name in written and not touched else now
            assert undone[name] == wanted[name], f"{name} of {key}: {undone[name]!r}, not {wanted[name]!r}"
        if touched and not is_back:
            assert noted - {""}, f"nothing says that {touched} of {key} stays"


def _groups(together: tuple[str, ...], values: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    yield tuple(name for name in together if name in values)
    yield from ((name,) for name in values if name not in together)


#: what is not played here: it says who takes part, where, and not what a contact holds, or makes two of one
for left_out in (
    *("privacy", "another_type", "a_business_relation", "other_categories", "privately", "out_of_the_folder"),
    *("a_copy_in_outlook", "the_folder_is_deleted", "the_folder_is_renamed", "another_policy", "another_direction"),
    *("a_switch", "another_folder_name", "the_state_is_lost", "the_watermark_is_lost", "positions_expire"),
):
    setattr(Undone, left_out, None)

Undone.TestCase.settings = settings(
    max_examples=HISTORIES,
    derandomize="UNDONE_HISTORIES" not in os.environ,  # one run of the tests must not differ from the next
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    print_blob=True,
)
TestUndone = pytest.mark.slow(Undone.TestCase)
