"""The admin door: a held run is approved (R26)."""

import pytest

from tests.functions.desk import ADA, Desk


def held_run(desk: Desk) -> str:
    """Fifteen of thirty contacts are gone from Business Central; answers the run that holds their removal."""
    ids = [desk.world.bc.put(displayName=f"P {each}", email=f"p{each}@x.example") for each in range(30)]
    desk.save()
    run(desk)
    for bc_id in ids[:15]:
        desk.world.bc.delete(bc_id)
    return run(desk)


def run(desk: Desk, mode: str = "incremental") -> str:
    desk.world.clock.advance(seconds=1)
    run_id = desk.call("POST", "/api/sync", {"user": ADA, "mode": mode}).body["runId"]
    desk.work()
    return str(run_id)


HOLDS = [{"kind": "outlook-removals", "count": 15}]


def test_r26_a_held_run_is_approved_and_carried_out(desk: Desk) -> None:
    run_id = held_run(desk)
    state = desk.call("GET", f"/api/profiles/{ADA}").body["state"]
    assert [(each["kind"], each["count"], each["run"]) for each in state["holds"]] == [
        ("outlook-removals", 15, f"/api/runs/{run_id}")
    ]

    answer = desk.call("POST", f"/api/admin/runs/{run_id}/approve", {"holds": HOLDS, "actor": "the admin"})
    desk.work()

    assert answer.status == 202
    assert answer.sent["jobs"] == [{"mailbox": ADA}]
    done = desk.call("GET", answer.body["run"]).body
    assert (done["status"], done["approves"], done["actor"]) == ("succeeded", f"/api/runs/{run_id}", "the admin")
    assert done["toOutlook"]["deleted"] == 15
    (held,) = desk.call("GET", f"/api/runs/{run_id}").body["held"]
    assert (held["approved"]["actor"], held["approved"]["run"]) == ("the admin", answer.body["run"])
    assert desk.call("GET", f"/api/profiles/{ADA}").body["state"]["holds"] == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"holds": HOLDS}, (400, "missing-member", "actor")),
        ({"actor": "a"}, (400, "missing-member", "holds")),
        ({"actor": "a", "holds": []}, (400, "bad-member", "holds")),
        ({"actor": "a", "hold": HOLDS}, (400, "unknown-member", "hold")),
        ({"actor": "a", "holds": [*HOLDS, *HOLDS]}, (400, "bad-member", "holds")),
        ({"actor": "a", "holds": [{"kind": "outlook-removals", "count": 14}]}, (409, "count-differs", "holds")),
        ({"actor": "a", "holds": [{"kind": "bc-removals", "count": 15}]}, (409, "not-held", "holds")),
    ],
)
def test_r26_an_approval_names_what_it_approves_and_who_gives_it(
    desk: Desk, body: object, problem: tuple[int, str, str]
) -> None:
    run_id = held_run(desk)
    assert desk.call("POST", f"/api/admin/runs/{run_id}/approve", body).problem == problem


def test_r26_a_refused_approval_says_what_to_do(desk: Desk) -> None:
    run_id = held_run(desk)

    def says(run_id: str, count: int = 15, kind: str = "outlook-removals") -> str:
        body = {"holds": [{"kind": kind, "count": count}], "actor": "the admin"}
        answer = desk.call("POST", f"/api/admin/runs/{run_id}/approve", body)
        assert answer.status in (404, 409)
        return str(answer.body["detail"])

    preview = desk.call("POST", "/api/sync", {"user": ADA, "mode": "full", "preview": True}).body["runId"]
    desk.work()
    assert "Start the run itself" in says(preview)
    assert "approve 15 if" in says(run_id, 14)
    assert "It held: outlook-removals" in says(run_id, kind="removals")
    assert "state.holds" in says("nothing")
    newer = run(desk, mode="full")
    assert f"approve that one: {newer}" in says(run_id)
    desk.world.clock.advance(days=8)
    assert "Start a run" in says(newer)
    waiting = desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"}).body["runId"]
    assert "Wait for its end" in says(waiting)


def test_r26_only_a_held_run_is_approved(desk: Desk) -> None:
    desk.save()
    body = {"holds": HOLDS, "actor": "the admin"}
    assert desk.call("POST", f"/api/admin/runs/{run(desk)}/approve", body).problem == (409, "not-held", "id")
    assert desk.call("POST", "/api/admin/runs/nothing/approve", body).problem == (404, "unknown-run", "id")
