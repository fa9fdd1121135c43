"""docs/notes.md names every code that a report or an answer can hold, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from shared.business_central import reactions
from shared.outlook import subscriptions
from shared.outlook.errors import MAILBOX_TEXTS, Meaning
from shared.planning.importing import Unfit

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "notes.md"
#: which argument is the code
POSITIONS = {
    "about": 1, "Note": 1, "_note": 1, "lost_edits": 2, "_park": 1, "_field_note": 2, "Refusal": 0, "_leave": 0,
    "_conflict": 0, "Remark": 1, "_failed": 2, "close_as_failed": 2, "problem": 1, "Hold": 0, "HeldKind": 0,
    "_cannot": 0, "Why": 0,
}  # fmt: skip
#: A code from elsewhere: a variable, or an attribute of an error that has got it at another place of the code.
PASSED_ON = re.compile(r"(\w+\.)?(code|error_code|reason|kind)|code\[:80\]|\*refusal|code\.value|_mailbox_code\(says\)")
#: reasons for which a contact is set aside without a note
SILENT = {"kept", "untagged"}


def sources() -> Iterator[ast.Module]:
    for folder in ("shared", "functions"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(file.read_text(encoding="utf-8"))


def expressions(module: ast.Module) -> Iterator[ast.expr]:
    """What stands where a code belongs."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            yield from (
                each.value
                for each in node.body
                if isinstance(each, ast.Assign) and [ast.unparse(name) for name in each.targets] == ["code"]
            )
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            names = [ast.unparse(each) for each in ast.walk(node.targets[0]) if isinstance(each, ast.Name)]
            if all(re.fullmatch("(OUTLOOK|BC)_(REMOVALS|CREATIONS|UPDATES)|LEAVERS|REMOVALS", each) for each in names):
                yield from node.value.elts
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            position = POSITIONS.get(name, len(node.args))
            yield from node.args[position : position + 1]
            yield from (each.value for each in node.keywords if each.arg in ("code", "error_code"))


def codes_in(expression: ast.expr) -> set[str]:
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        return {expression.value}
    text = ast.unparse(expression)
    if found := re.fullmatch(r"Meaning\.(\w+)\.value", text):
        return {Meaning[found[1]].value}
    assert PASSED_ON.fullmatch(text), f"Where does this code come from: {text}?"
    return set()


def in_the_code() -> set[str]:
    found = {code for module in sources() for expression in expressions(module) for code in codes_in(expression)}
    found |= {each.value for each in MAILBOX_TEXTS if each is not Meaning.NO_DIRECTORY}  # answered as no-permission
    found |= {each.value for each in Unfit}
    found |= {*reactions._REFUSALS.values(), *reactions._SPECIAL.values(), *subscriptions._REFUSALS}
    return found - SILENT


def on_the_page() -> list[list[str]]:
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [[code, *rest.split(" | ")] for code, rest in rows]


def test_the_page_has_every_code_and_no_other() -> None:
    codes = [row[0] for row in on_the_page()]
    assert len(codes) == len(set(codes)), "a code stands twice"
    assert set(codes) == in_the_code()


def test_each_code_has_a_meaning() -> None:
    assert all(len(row[1].strip()) > 10 for row in on_the_page())


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {f"docs/{file.name}" for file in (ROOT / "docs").glob("*.*")} | {"docs/decisions"}
    linked = set(re.findall(r"\]\(([^)#]+)[^)]*\)", readme))
    assert pages <= {each.rstrip("/") for each in linked}
    assert all((ROOT / each).exists() for each in linked if not each.startswith("http"))
