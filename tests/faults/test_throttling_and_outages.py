"""Services that slow us down, fail or fall silent for a while: the run succeeds, by a continuation if need be (R32)."""

from collections.abc import Callable
from typing import Any

import pytest

from dev.simulators.faults import Act
from dev.storage_faults import BUSY, QUEUES, TABLES, TIMED_OUT
from tests.faults import story
from tests.faults.scene import Scene
from tests.integration.office import FOLDER

pytestmark = pytest.mark.integration

type Play = Callable[[Scene], None]

GRAPH_429 = {
    "status": 429,
    "body": {"error": {"code": "ApplicationThrottled", "message": "Application is over its Request limit."}},
}
GRAPH_503 = {"status": 503, "body": {"error": {"code": "ErrorServerBusy", "message": "The server cannot service it."}}}
BC_429 = {"status": 429, "body": {"error": {"code": "Application_TooManyRequests", "message": "Too many requests."}}}
BC_503 = {"status": 503, "body": {"error": {"code": "Internal_TenantUnavailable", "message": "Not accessible."}}}
WAIT = {"headers": {"Retry-After": "7"}}
FOR_EVER: dict[str, Any] = {"times": None}
THIRD: dict[str, Any] = {"times": None, "probability": 0.3}


def fault(act: str = "answer", **conditions: Any) -> Play:
    """A fault of a service."""
    return lambda scene: void(scene.graph.add_fault(act, **conditions))


def storage_fault(act: str = "answer", **conditions: Any) -> Play:
    """A fault of the storage account."""
    return lambda scene: void(scene.storage.add(act, **conditions))


def void(_: object) -> None:
    """Nothing to answer."""


def updating(scene: Scene) -> None:
    """The environment is being updated for 20 minutes: what BC answers then (BC reference 11.2)."""
    scene.bc.add_fault("answer", service="bc", item=False, **BC_503, headers={"Retry-After": "60"}, **FOR_EVER)
    scene.clock.after(20 * 60, scene.bc.clear_faults)


def moving(scene: Scene) -> None:
    """The mailbox moves to another server for 20 minutes."""
    scene.graph.add_fault(
        "answer", service="graph", path="/users/", status=503,
        body={"error": {"code": "ErrorMailboxMoveInProgress", "message": "Moving."}}, **FOR_EVER,
    )  # fmt: skip
    scene.clock.after(20 * 60, scene.graph.clear_faults)


def replica_lags(scene: Scene) -> None:
    """Whatever is read without asking for the primary is ten minutes old."""
    scene.bc.switch(replica=True, replica_lag_ms=600_000)


SERVICES = {
    f"{service} answers {answer['status']} {'with' if headers else 'without'} Retry-After, {where}": fault(
        service=service, item=item, **answer, **headers, **THIRD
    )
    for service, answers in (("graph", (GRAPH_429, GRAPH_503)), ("bc", (BC_429, BC_503)))
    for answer in answers
    for headers in (WAIT, {})
    for where, item in (("whole calls", False), ("items of batches", True))
}

GATEWAYS = {
    f"{service} answers {status}, {what}": fault(act, service=service, status=status, body=text, **THIRD)
    for service in ("graph", "bc")
    for status, act, text, what in (
        (500, "answer", {"error": {"code": "InternalServerError", "message": "Internal."}}, "not done"),
        (502, "answer", "<html>Bad gateway</html>", "not done, a page of the gateway"),
        (504, "lost-answer", "", "done all the same"),
    )
}

NETWORK = {
    f"{service}: {what}": fault(act, service=service, **conditions)
    for service in ("graph", "bc")
    for act, what, conditions in (
        (Act.DROP.value, "connections cut before the effect", THIRD),
        (Act.LOST_DROP.value, "connections cut after the effect", THIRD),
        (Act.SILENCE.value, "no answer ever comes, nothing done", {"times": 3}),
        (Act.LOST_SILENCE.value, "no answer to a batch ever comes, done all the same", {"times": 2, "path": "batch"}),
    )
}


OTHERS: dict[str, Play] = {
    "tokens revoked before the run": lambda scene: scene.graph.revoke_tokens(),
    "the token ends in mid-run at Graph": fault(
        service="graph", skip=1, status=401, body={"error": {"code": "InvalidAuthenticationToken", "message": "No"}}
    ),
    "the token ends in mid-batch at Graph": fault(
        service="graph", item=True, skip=1, status=401, times=2,
        body={"error": {"code": "InvalidAuthenticationToken", "message": "Expired"}},
    ),
    "the token ends in mid-run at BC": fault(
        service="bc", skip=2, status=401, body={"error": {"code": "Authentication_InvalidCredentials", "message": "No"}}
    ),
    "the BC environment is updated for 20 minutes": updating,
    "the mailbox moves for 20 minutes": moving,
    "BC's replica is ten minutes old": replica_lags,
    "the delta link is gone (SyncStateNotFound)": lambda scene: scene.graph.expire_delta("ada@contoso.example", FOLDER),
    "the delta is reset (410 with Location)": lambda scene: scene.graph.expire_delta(
        "ada@contoso.example", FOLDER, with_location=True
    ),
    "410 ResyncRequired": fault(
        service="graph", path="delta", status=410, body={"error": {"code": "resyncRequired", "message": "Resync."}}
    ),
}  # fmt: skip

ENTRA_503 = {"error": "temporarily_unavailable", "error_description": "AADSTS90033: Later.", "error_codes": [90033]}


def without_token(act: str = "answer", *, times: int | None = 3, **conditions: Any) -> Play:
    """A process that has just begun needs tokens, and the identity platform fails; for 20 minutes if not so often."""

    def play(scene: Scene) -> None:
        scene.stage.services = scene.stage.new_process()
        scene.graph.add_fault(act, service="entra", times=times, **conditions)
        if times is None:
            scene.clock.after(20 * 60, scene.graph.clear_faults)

    return play


def ends_in_mid_run(scene: Scene) -> None:
    """Graph refuses the token when the run is half done, and there is no other one for a while."""
    body = {"error": {"code": "InvalidAuthenticationToken", "message": "Expired"}}
    scene.graph.add_fault("answer", service="graph", skip=1, status=401, body=body)
    scene.graph.add_fault("answer", service="entra", status=503, body=ENTRA_503, times=6)


TOKENS: dict[str, Play] = {
    **{
        f"no token: {status} {'with' if headers else 'without'} Retry-After": without_token(
            path="/token", status=status, body=body, **headers
        )
        for status, body in ((429, "Too many requests"), (503, ENTRA_503))
        for headers in (WAIT, {})
    },
    "no token: 500": without_token(path="/token", status=500, body={"error": "server_error"}),
    "no token: 502, a page of the gateway": without_token(path="/token", status=502, body="<html>Bad gateway</html>"),
    "no token: 504, issued all the same": without_token("lost-answer", path="/token", status=504, body=""),
    "no token: a page with status 200": without_token(path="/token", status=200, body="<html>Please wait</html>"),
    "no token: connections cut": without_token("drop", path="/token"),
    "no token: connections cut, issued all the same": without_token("lost-drop", path="/token"),
    "no token: no answer ever comes": without_token("silence", path="/token"),
    "the authority's description: 429": without_token(path="openid", status=429, body="Too many requests"),
    "the authority's description: 503": without_token(path="openid", status=503, body=""),
    "the authority's description: connections cut": without_token("drop", path="openid"),
    "no token for 20 minutes (503)": without_token(times=None, status=503, body=ENTRA_503),
    "no token for 20 minutes (500)": without_token(times=None, status=500, body={"error": "server_error"}),
    "no token for 20 minutes (connections cut)": without_token("drop", times=None),
    "the token ends in mid-run, and there is no other for a while": ends_in_mid_run,
}

STORAGE = {
    "tables answer ServerBusy to 30 %": storage_fault(service=TABLES, **BUSY, **THIRD),
    "tables answer OperationTimedOut to 30 %": storage_fault(service=TABLES, **TIMED_OUT, **THIRD),
    "tables cut 30 % of connections before the effect": storage_fault("drop", service=TABLES, **THIRD),
    "tables cut 30 % of connections after the effect": storage_fault("lost-drop", service=TABLES, **THIRD),
    "tables do not answer to 30 %, done all the same": storage_fault("lost-silence", service=TABLES, **THIRD),
    "table writes meet a conflict (412) now and then": storage_fault(
        service=TABLES, path="batch", status=412, body="UpdateConditionNotSatisfied", times=None, probability=0.2
    ),
    "queues answer ServerBusy to 30 %": storage_fault(service=QUEUES, **BUSY, **THIRD),
}

MATRIX = {**SERVICES, **GATEWAYS, **NETWORK, **OTHERS, **TOKENS, **STORAGE}


@pytest.mark.parametrize("play", MATRIX.values(), ids=MATRIX.keys())
def test_the_run_succeeds_and_both_sides_converge(scene: Scene, play: Play) -> None:
    profile = story.begin(scene)
    story.edit(scene, profile)
    run_id = scene.ask(profile)
    play(scene)

    scene.work(profile)

    rules = scene.graph.faults()
    assert not rules or any(each["acted"] for each in rules), "the fault never happened"
    assert not scene.storage.has_rules() or scene.storage.acted(), "the fault never happened"
    story.assert_nothing_deleted(scene, profile)
    scene.clear_faults()
    scene.work(profile)
    report = scene.services.reports.get(run_id)
    assert report is not None
    assert report.status.value.startswith("succeeded"), (report.status, report.error_code, report.error)
    scene.good_sync(profile)  # who failed alone is tried again (R31)
    story.assert_converged(scene, profile)
