"""A copy of the templates in which mistakes can be planted."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
type Plant = Callable[[str, str, str], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folder `infra`, to be changed."""
    shutil.copytree(ROOT / "infra", tmp_path / "infra", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    return tmp_path / "infra"


@pytest.fixture
def plant(copy: Path) -> Plant:
    """Replace a text in a file of the copy; it must be there."""

    def replace(file: str, old: str, new: str) -> None:
        path = copy / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}: the mistake cannot be planted"
        path.write_text(text.replace(old, new, 1))

    return replace
