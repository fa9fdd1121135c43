"""Every rule has its tests, and a reader of the rules finds them: their names begin with the rule's number."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = {
    int(each)
    for each in re.findall(r"^- \*\*R(\d+)\*\*", (ROOT / "docs/rules.md").read_text(encoding="utf-8"), re.MULTILINE)
}
NAMES = re.compile(r"^ *(?:async )?def test_((?:r\d+_)+)", re.MULTILINE)


def named_below(folder: Path) -> set[int]:
    """The rules that tests below a folder name."""
    names = [name for each in folder.rglob("test_*.py") for name in NAMES.findall(each.read_text(encoding="utf-8"))]
    return {int(number) for name in names for number in re.findall(r"\d+", name)}


def test_the_rules_are_numbered_without_a_gap() -> None:
    assert set(range(1, 42)) == RULES


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_has_a_test_that_names_it(rule: int) -> None:
    assert rule in named_below(ROOT / "tests/rules")


def test_no_test_names_a_rule_that_does_not_exist() -> None:
    assert named_below(ROOT / "tests") <= RULES
