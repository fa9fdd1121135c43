"""make doctor interrupted or killed: nothing that it made for trying stays."""

import signal
import subprocess

import pytest

from dev.doctor.scratch import surely
from dev.doctor.simulated import MEMBER
from tests.integration.surgery import Surgery

pytestmark = pytest.mark.integration


def wait_for_the_slow_question(process: "subprocess.Popen[str]") -> None:
    """Read until the doctor waits for the change feed, which says nothing: scratch folder and contacts are there."""
    assert process.stdout is not None
    for line in process.stdout:
        if "is found by its extended property" in line:
            return
    raise AssertionError("it ended before")


def test_interrupted_it_removes_what_it_made(surgery: Surgery) -> None:
    surgery.graph.switch(delta_delay=1e6)
    process = surgery.process("--probe")
    wait_for_the_slow_question(process)
    assert surgery.left_behind()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert surgery.left_behind() == []
    assert surgery.graph.contacts_of(MEMBER, "deleted") == []


def test_what_a_killed_one_left_is_removed_by_the_next(surgery: Surgery) -> None:
    surgery.graph.switch(delta_delay=1e6)
    process = surgery.process("--probe")
    wait_for_the_slow_question(process)
    process.kill()
    process.communicate(timeout=60)
    assert len(surgery.left_behind()) == 1
    surgery.graph.switch(delta_delay=0.0)
    surgery.asked["write"] = True
    assert surgery.examine()[1] == 0, surgery.red
    assert surgery.left_behind() == []


def test_a_person_who_interrupts_the_cleaning_does_not_stop_it() -> None:
    done = []

    def clean() -> None:
        done.append("begun")
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append("ended")

    with pytest.raises(KeyboardInterrupt):
        surely(clean)
    assert done == ["begun", "begun", "ended"]
