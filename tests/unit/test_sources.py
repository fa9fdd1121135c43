"""What the code of the app must not contain, whatever else it does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    ROOT / "function_app.py",
    *sorted((ROOT / "functions").rglob("*.py")),
    *sorted((ROOT / "shared").rglob("*.py")),
]
#: what makes objects or runs code out of data, or starts programs
MODULES = {"pickle", "marshal", "shelve", "dill", "yaml", "subprocess", "xml"}
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "_create_unverified_context", "disable_warnings"}


def forbidden(source: str) -> Iterator[str]:
    """What stands in the source that must not, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found = {each.name.partition(".")[0] for each in names} & MODULES
            case ast.ImportFrom(module=str(module)):
                found = {module.partition(".")[0]} & MODULES
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                found = {name}
            case ast.Attribute(attr=name) if name in CALLS - {"compile"} or name == "CERT_NONE":  # re.compile is fine
                found = {name}
            case ast.keyword(arg=("verify" | "verify_ssl" | "connection_verify" | "check_hostname"), value=value):
                found = {"unverified"} if isinstance(value, ast.Constant) and not value.value else set()
            case ast.Assign(
                targets=[ast.Attribute(attr=("verify" | "check_hostname"))], value=ast.Constant(value=False)
            ):
                found = {"unverified"}
            case _:
                continue
        yield from (f"{getattr(node, 'lineno', '?')}: {each}" for each in found)


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from yaml import load", "eval(x)", "os.system(x)", "requests.get(u, verify=False)",
        "session.verify = False", "ssl._create_unverified_context()", "c.verify_mode = ssl.CERT_NONE",
        "TableClient(connection_verify=False)", "c.check_hostname = False",
    ],
)  # fmt: skip
def test_what_is_forbidden_is_found(source: str) -> None:
    assert list(forbidden(source))


def test_no_certificate_goes_unchecked_and_no_data_becomes_code() -> None:
    assert len(SOURCES) > 100
    found = {str(each.relative_to(ROOT)): list(forbidden(each.read_text(encoding="utf-8"))) for each in SOURCES}
    assert {name: lines for name, lines in found.items() if lines} == {}
