"""What `Imports` promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.engine.import_state import ONCE, HeldBack, ImportOrder, ImportRun, Source, SourceKind, Who
from shared.engine.model import RunStatus
from shared.engine.run_ids import import_run_id
from shared.engine.state import Busy
from shared.errors import LeaseLost, RequestError
from tests.contract.storage_kinds import START, World


def order(world: World, name: str = "sales") -> ImportOrder:
    return ImportOrder(
        world.company, name, Source(SourceKind.GROUP, group=world.user), id="0a1b2c3d", filter={"city": "Ulm"}
    )


def run(world: World, name: str = "sales", *, minutes: int = 0, **more: object) -> ImportRun:
    at = START + timedelta(minutes=minutes)
    made = ImportRun(import_run_id(world.company, name, at, "00000001"), order(world, name), at)
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_saved_import_is_found_by_name_listed_and_deleted(world: World) -> None:
    saved = world.imports.save_order(order(world))
    world.imports.save_order(order(world, "branch"))
    assert world.imports.order(world.company, "sales") == saved
    assert [each.name for each in world.imports.orders(world.company)] == ["branch", "sales"]
    assert world.company in world.imports.companies()
    world.imports.delete_order(saved)
    assert world.imports.order(world.company, "sales") is None


def test_nobody_overwrites_an_import_that_he_has_not_seen(world: World) -> None:
    first = world.imports.save_order(order(world))
    world.imports.save_order(replace(first, filter={}))
    for stale in (first, order(world)):
        with pytest.raises(RequestError) as caught:
            world.imports.save_order(stale)
        assert caught.value.code == "changed-meanwhile"


def test_a_run_is_found_by_its_id(world: World) -> None:
    begun = run(world, added=(Who("u", "ü@x.example"),), approved={"leavers": ("a", "b")})
    world.imports.save(begun)
    assert world.imports.run(begun.run_id) == begun
    assert world.imports.run("nothing") is None
    assert world.imports.run(f"{begun.run_id[:-1]}9") is None


def test_the_last_run_is_over_and_no_preview_and_of_this_import(world: World) -> None:
    over = {"status": RunStatus.HELD, "held": (HeldBack("leavers", 1, "more than 10", ("u",)),)}
    for each in (
        run(world, minutes=1, **over),
        run(world, minutes=2, **over),
        run(world, minutes=3),
        run(world, minutes=4, preview=True, **over),
        run(world, "sales-2", minutes=5, **over),
        run(world, ONCE, minutes=6, **over),
    ):
        world.imports.save(each)
    assert world.imports.last(world.company, "sales") == run(world, minutes=2, **over)
    assert world.imports.newest(world.company, "sales") == run(world, minutes=3)
    assert world.imports.last(world.company, "nobody") is None
    assert world.imports.newest(world.company, "nobody") is None


def test_one_worker_at_a_time_and_a_late_one_writes_nothing(world: World) -> None:
    begun = run(world)
    world.imports.save(begun)
    held = world.imports.hold(world.company, "one")
    assert not isinstance(held, Busy)
    assert isinstance(world.imports.hold(world.company, "two"), Busy)
    held.save(replace(begun, status=RunStatus.RUNNING))
    if world.memory is not None:
        world.memory.stop_renewing()
    else:
        held._lease.stop()  # type: ignore[union-attr]
    world.wait(61)
    other = world.imports.hold(world.company, "two")
    assert not isinstance(other, Busy)
    with pytest.raises(LeaseLost):
        held.save(replace(begun, status=RunStatus.FAILED))
    assert world.imports.run(begun.run_id) == replace(begun, status=RunStatus.RUNNING)
    other.release()
    assert not isinstance(world.imports.hold(world.company, "three"), Busy)


def test_old_runs_go_and_saved_imports_stay(world: World) -> None:
    world.imports.save_order(order(world))
    for minutes in (1, 2, 3):
        world.imports.save(run(world, minutes=minutes))
    assert world.imports.remove_before(world.company, START + timedelta(minutes=3)) == 2
    assert world.imports.remove_before(world.company, START + timedelta(minutes=3)) == 0
    assert world.imports.run(run(world, minutes=3).run_id) is not None
    assert world.imports.order(world.company, "sales") is not None


def test_a_report_about_ten_thousand_users_can_be_stored(world: World) -> None:
    people = tuple(
        Who(
            f"{number * 7919:08x}-{number % 65536:04x}-4000-8000-{number * 104729:012x}",
            f"user.{number}@contoso.example",
        )
        for number in range(20_000)
    )
    large = run(world, added=people)
    world.imports.save(large)
    assert world.imports.run(large.run_id) == large
