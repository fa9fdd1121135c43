"""What all simulators share: clock, log, faults, latency, tokens, and the servers themselves."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
import requests

from dev.simulators.clock import SimClock
from dev.simulators.control_client import ControlRefused
from dev.simulators.exchange import Request
from dev.simulators.faults import Faults
from dev.simulators.launch import Addresses, Simulators
from dev.simulators.request_log import RequestLog
from dev.simulators.tokens import TokenRefused, Tokens


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "simulators" in request.fixturenames:
        simulators = request.getfixturevalue("simulators")
        simulators.entra.clear_faults()
        simulators.entra.set_speed(1)
        simulators.entra.set_latency("entra")


def metadata_of(simulators: Simulators) -> str:
    return f"{simulators.authority}/v2.0/.well-known/openid-configuration"


def test_a_frozen_clock_moves_only_when_told():
    clock = SimClock(datetime(2026, 3, 1, tzinfo=UTC), speed=0)
    assert clock.stamp() == "2026-03-01T00:00:00Z"
    clock.advance(61)
    assert clock.stamp() == "2026-03-01T00:01:01Z"


def test_a_fast_clock_shortens_what_clients_have_to_wait():
    clock = SimClock(speed=600)
    assert clock.real_seconds(300) == 0.5
    before = clock.now()
    clock.speed = 0
    assert (clock.now() - before).total_seconds() < 60  # changing the speed does not jump


def test_the_clock_is_set_over_the_control_interface(simulators):
    simulators.entra.set_speed(0)
    simulators.entra.set_clock(datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC))
    simulators.graph.advance_clock(1)  # one clock for all
    assert simulators.entra.now() == datetime(2031, 5, 6, 7, 8, 10, tzinfo=UTC)


def test_a_token_is_refused_for_the_reason_that_applies():
    clock = SimClock(speed=0)
    tokens = Tokens(clock)
    token = tokens.issue("t", "c", "https://a", frozenset({"Read"}))
    audiences = frozenset({"https://a"})
    assert tokens.check(f"Bearer {token}", audiences, "t").roles == {"Read"}
    for header, wanted, tenant, reason in (
        (None, audiences, "t", "empty"),
        ("Basic x", audiences, "t", "empty"),
        ("Bearer x.y.z", audiences, "t", "malformed"),
        (f"Bearer {token}", frozenset({"https://b"}), "t", "audience"),
        (f"Bearer {token}", audiences, "other", "tenant"),
    ):
        with pytest.raises(TokenRefused, match=reason):
            tokens.check(header, wanted, tenant)
    clock.advance(3600)
    with pytest.raises(TokenRefused, match="expired"):
        tokens.check(f"Bearer {token}", audiences, "t")


def test_every_request_is_logged_without_tokens_in_its_path(simulators, session):
    before = simulators.entra.log_number()
    session.get(metadata_of(simulators) + "?$skiptoken=abc&x=1")
    (entry,) = simulators.entra.log(since=before)
    assert entry["path"].endswith("?$skiptoken=***&x=1")
    assert (entry["service"], entry["kind"], entry["status"]) == ("entra", "metadata", 200)
    assert simulators.entra.counts(since=before)["entra"]["kinds"] == {"metadata": 1}


def test_a_hundred_thousand_log_entries_are_counted_quickly():
    log = RequestLog()
    facts = {"time": "", "service": "graph", "method": "GET", "status": 200, "kind": "x", "milliseconds": 0.0}
    absent = {"mailbox": None, "batch": None, "item": None, "fault": None}
    started = time.perf_counter()
    for number in range(100_000):
        log.add(path=f"/v1.0/{number}", sent_bytes=0, **facts, **absent)
    assert log.counts()["graph"]["kinds"] == {"x": 100_000}
    assert time.perf_counter() - started < 5


def test_a_fault_answers_for_the_service_as_often_as_it_was_told_to(simulators, session):
    simulators.entra.add_fault(
        "answer", service="entra", skip=1, times=2, status=503, body="<html>busy</html>", headers={"Retry-After": "7"}
    )
    answers = [session.get(metadata_of(simulators)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert answers[1].text == "<html>busy</html>"


def test_a_dropped_connection_is_an_error_to_the_client(simulators, session):
    simulators.entra.add_fault("drop", path="openid-configuration")
    with pytest.raises(requests.ConnectionError):
        session.get(metadata_of(simulators))
    assert session.get(metadata_of(simulators)).status_code == 200
    assert simulators.entra.log()[-2]["status"] == 0


@pytest.mark.parametrize("act", ["lost-drop", "lost-answer"])
def test_a_lost_answer_is_lost_after_the_work_was_done(simulators, session, act):
    simulators.entra.add_fault(act, path="openid-configuration")
    before = simulators.entra.log_number()
    if act == "lost-drop":
        with pytest.raises(requests.ConnectionError):
            session.get(metadata_of(simulators))
    else:
        assert session.get(metadata_of(simulators)).status_code == 504
    assert simulators.entra.log(since=before)[0]["kind"] == "metadata"  # it came as far as the service


def test_probabilities_are_repeatable():
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.add("answer", path="/other", probability=0.5, times=None)
        faults.add("drop", probability=0.5, times=None, seed=seed)
        return [faults.strike(Request("graph", "GET", "/", "", {})) is not None for _ in range(50)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 10 < sum(struck(1)) < 40


def test_latency_passes_in_simulated_time(simulators, session):
    simulators.entra.set_speed(100)
    simulators.entra.set_latency("entra", request=5)
    started = time.perf_counter()
    session.get(metadata_of(simulators))
    assert 0.04 < time.perf_counter() - started < 2


def test_the_control_interface_says_what_is_wrong(simulators):
    with pytest.raises(ControlRefused, match="no action 'nonsense'"):
        simulators.entra.call("nonsense")
    with pytest.raises(ControlRefused, match="unexpected keyword"):
        simulators.entra.call("fault", act="drop", colour="red")


def test_the_simulators_run_as_a_process_that_other_processes_control(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "dev.simulators", "--state-dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    try:
        state = tmp_path / "simulators.json"
        deadline = time.monotonic() + 30
        while not state.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)  # another process: there is no event to wait for
        with Simulators(Addresses(**json.loads(state.read_text()))) as simulators:
            moments = [service.now() for service in (simulators.entra, simulators.graph, simulators.bc)]
            assert sorted(moments) == moments  # one clock
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
        assert not state.exists()
    finally:
        process.kill()
        process.wait()
