"""What is installed: pinned, complete, and not in the way of our own packages."""

import re
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[^=\s;]+", line) for line in lines), "every line pins one version"
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines)}


RUNTIME = pins(PROJECT / "requirements.txt")
ALL = RUNTIME | pins(PROJECT / "dev" / "requirements.txt")


def needed_by(name: str) -> set[str]:
    """The packages that a package requires on this machine, extras left out."""
    found = [re.match(r"([A-Za-z0-9_.-]+)(.*)", line) for line in distribution(name).requires or ()]
    return {normal(each[1]) for each in found if each and "extra ==" not in each[2]}


def test_everything_installed_is_pinned_in_the_version_installed() -> None:
    installed = {normal(each.name): each.version for each in distributions()}
    assert {name: version for name, version in installed.items() if name != "pip"} == ALL


@pytest.mark.parametrize("name", sorted(RUNTIME))
def test_what_runs_in_azure_needs_nothing_that_is_not_pinned_for_it(name: str) -> None:
    # packages that are needed on other systems or Python versions only are not installed here
    needed = needed_by(name) & ALL.keys()
    assert needed <= RUNTIME.keys()


def test_no_package_for_azure_has_a_top_level_module_named_like_one_of_ours() -> None:
    # In Azure the app's folder comes last on the import path: such a package would hide ours, there only.
    ours = {"functions", "shared", "function_app"}
    for name in RUNTIME:
        top_level = {Path(file).parts[0].removesuffix(".py") for file in distribution(name).files or ()}
        assert not top_level & ours, name
