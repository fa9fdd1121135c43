"""The pages lead where they say, call what is there, and name what the code, the templates and the alerts have."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dev.infra import bicep, hcl
from tests.docs.http_file import HttpFile, Request
from tests.docs.test_admin_http import OPENAPI, VERBS, findings

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "infra" / "identity" / "README.md", *(ROOT / "docs").glob("*.md")])
#: names in capitals that are no settings of the app: of the shell's commands, the host's, the development's
OTHER_NAMES = {
    "ADMIN_FUNCTIONS", "ADMIN_KEY", "ALERT_EMAILS", "AZURE_RESOURCE_GROUP", "CONTACT_SYNC_NAME", "DEVHOST_KEYS",
    "DEVHOST_MESSAGE_LEASE", "DOCTOR_CANARY_MAILBOX", "ENTRA_CLIENT_ID", "FUZZ_EXAMPLES", "REQUESTS_CA_BUNDLE",
    "RUN_ID", "USER_KEY", "WEBSITE_HOSTNAME",
}  # fmt: skip


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(name: str, language: str = "sh") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text_of(name), re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as its viewer makes them."""
    if page.suffix != ".md":
        return set()
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each) for each in headings]
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_calls_are_those_of_the_interface(page: Path) -> None:
    known = {(verb.upper(), path) for path, each in OPENAPI["paths"].items() for verb in VERBS if verb in each}
    patterns = [(verb, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))) for verb, path in known]
    for verb, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/api/[^`?\s]*)", page.read_text(encoding="utf-8")):
        assert any(verb == each and pattern.fullmatch(path) for each, pattern in patterns), f"{verb} {path}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_settings_that_are_named_exist(page: Path) -> None:
    settings = set(re.findall(r"^\| `(\w+)` \|", text_of("configuration.md"), re.MULTILINE))
    named = set(re.findall(r"`([A-Z]{2,}(?:_[A-Z]+)+)`", page.read_text(encoding="utf-8")))
    assert named <= settings | OTHER_NAMES


def test_every_setting_says_when_to_change_it() -> None:
    rows = [line for line in text_of("configuration.md").splitlines() if re.match(r"\| `\w+` \|", line)]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows]
    assert [each for each in cells if len(each) != 4 or not each[3].strip()] == []


@pytest.mark.parametrize("name", ["install.md", "operations.md", "migrate.md"])
def test_shell_commands_can_be_parsed(name: str) -> None:
    for block in blocks(name):
        ended = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, timeout=30, check=False)
        assert ended.returncode == 0, f"{block}\n{ended.stderr}"


def test_install_names_parameters_and_outputs_of_both_templates() -> None:
    text = text_of("install.md")
    main, terraform = bicep.read(ROOT / "infra" / "bicep" / "main.bicep"), hcl.read(ROOT / "infra" / "terraform")
    asked = re.findall(r"outputs (\w+)", "\n".join(blocks("install.md")))
    assert len(asked) == 6
    assert set(asked) <= main.outputs.keys() | terraform.outputs.keys()
    pairs = re.findall(r"`(\w+)` / `(\w+)`", text)
    assert len(pairs) >= 4
    for ours, theirs in pairs:
        assert ours in main.params, ours
        assert theirs in terraform.variables, theirs
    (written,) = re.findall(r"<<END\n(.*?)END\n", text, re.DOTALL)
    given = set(re.findall(r"^(\w+) +=", written, re.MULTILINE))
    required = {name for name, default in terraform.variables.items() if default is hcl.MISSING}
    assert required <= given <= terraform.variables.keys()


def test_the_bicep_parameters_come_from_the_environment_that_install_sets() -> None:
    wanted = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (ROOT / "infra/bicep/main.bicepparam").read_text()))
    exported = set(re.findall(r"\b([A-Z_]+)=", " ".join(re.findall(r"export (.*)", "\n".join(blocks("install.md"))))))
    assert wanted <= exported
    assert all(f"`{each}`" in text_of("install.md") for each in wanted), "azd env set needs them, too"


def calls() -> list[Request]:
    """The calls of install.md, which begin with the door's name."""
    found = []
    text = "\n".join([*blocks("install.md"), *re.findall(r"`((?:admin|user) [^`]+)`", text_of("install.md"))])
    for door, path, rest, body in re.findall(
        r"^(admin|user) \"?([\w/@.?=]+)\"?([^'\n]*?)(?:-d '(.*?)')?$", text, re.M | re.S
    ):
        verb = re.search(r"-X (\w+)", rest)
        headers = {"x-functions-key": f"{{{{{door}Key}}}}"}
        found.append(Request(0, "", verb[1] if verb else "POST", f"{{{{app}}}}/api/{path}", headers, body))
    return found


def test_installs_calls_are_right() -> None:
    assert len(calls()) == 7
    assert findings(HttpFile({}, calls())) == []


def test_operations_knows_every_alert_every_chart_and_every_status() -> None:
    text = text_of("operations.md")
    alerts = [each["title"] for each in json.loads((ROOT / "infra" / "alerts.json").read_text())]
    items: list[dict[str, Any]] = json.loads((ROOT / "infra" / "workbook.json").read_text())["items"]
    charts = [each["content"]["title"] for each in items if each["type"] == 3]
    first_cells = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
    assert [each for each in [*alerts, *charts] if each not in first_cells] == []
    assert [each for each in OPENAPI["components"]["schemas"]["Status"]["enum"] if f"`{each}`" not in first_cells] == []
    assert f"{len(alerts)} × $0.50" in text


def test_the_costs_add_up() -> None:
    table = text_of("operations.md").partition("| what | arithmetic |")[2]
    rows = [line.strip("|").replace("*", "").split("|") for line in table.splitlines() if line.startswith("| ")]
    numbers = [[int(cell.replace(",", "")) for cell in row[2:]] for row in rows]
    assert [sum(column) for column in zip(*numbers[:-1], strict=True)] == numbers[-1]


def test_each_decision_has_a_number_of_its_own() -> None:
    numbers = [file.name[:4] for file in (ROOT / "docs" / "decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))
