"""What is installed: pinned, complete, and not in the way of our own packages."""

import re
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    """What a lock file pins; every entry must have a version and at least one hash, and no address stands in it."""
    text = re.sub(r"(?m)^#.*\n", "", path.read_text())
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    found = [
        re.fullmatch(r"([A-Za-z0-9_.-]+)==([^=\s;]+)(?: \\\n    --hash=sha256:[0-9a-f]{64})+", each) for each in entries
    ]
    assert all(found), [each for each, match in zip(entries, found, strict=True) if not match]
    return {normal(each[1]): each[2] for each in found if each}


def wanted(path: Path) -> set[str]:
    """What a list of direct dependencies names."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {normal(re.split("[<>=]", line)[0]) for line in lines if line and not line.startswith("-r")}


RUNTIME = pins(PROJECT / "requirements.txt")
ALL = pins(PROJECT / "dev" / "requirements.txt")
PEERS = PROJECT / "dev" / "bench" / "peers"


def needed_by(name: str) -> set[str]:
    """The packages that a package requires on this machine, extras left out."""
    found = [re.match(r"([A-Za-z0-9_.-]+)(.*)", line) for line in distribution(name).requires or ()]
    return {normal(each[1]) for each in found if each and "extra ==" not in each[2]}


def test_everything_installed_is_pinned_in_the_version_installed() -> None:
    installed = {normal(each.name): each.version for each in distributions()}
    assert {name: version for name, version in installed.items() if name != "pip"} == ALL


def test_development_uses_the_versions_that_run_in_azure() -> None:
    assert RUNTIME.items() <= ALL.items()


def test_what_is_wanted_directly_is_pinned() -> None:
    assert wanted(PROJECT / "requirements.in") <= RUNTIME.keys()
    assert wanted(PROJECT / "dev" / "requirements.in") <= ALL.keys()
    assert {"uv", "pip-audit"} == wanted(PROJECT / "dev" / "tools.in") <= pins(PROJECT / "dev" / "tools.txt").keys()


def test_what_the_bench_compares_with_is_locked_apart_from_everything_else() -> None:
    peers = wanted(PEERS / "requirements.in")
    assert peers <= pins(PEERS / "requirements.txt").keys()
    assert not {"msgraph-sdk", "o365", "vdirsyncer"} & ALL.keys()
    assert {"msgraph-sdk", "o365", "vdirsyncer"} <= peers


def test_setting_up_refuses_whatever_has_another_hash() -> None:
    for script, number in (("dev/setup/python.sh", 1), ("Makefile", 2)):
        installs = [line for line in (PROJECT / script).read_text().split("\n") if "pip install" in line]
        assert len(installs) == number and all("--require-hashes" in line for line in installs)


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
