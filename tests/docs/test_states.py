"""The diagram of a run's states is the table in the code."""

import re
from pathlib import Path

from shared.engine.model import NEXT, RunStatus

PAGE = Path(__file__).parents[2] / "docs" / "how-a-run-works.md"
NAMES = {
    "queued": RunStatus.QUEUED,
    "running": RunStatus.RUNNING,
    "succeeded": RunStatus.SUCCEEDED,
    "with_notes": RunStatus.WITH_NOTES,
    "held": RunStatus.HELD,
    "failed": RunStatus.FAILED,
}


def test_the_state_diagram_matches_the_code() -> None:
    drawn = {(NAMES[a], NAMES[b]) for a, b in re.findall(r"^    (\w+) --> (\w+)$", PAGE.read_text(), re.MULTILINE)}
    assert drawn == {(state, after) for state, targets in NEXT.items() for after in targets}
