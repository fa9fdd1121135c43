"""What is written in a folder of Terraform: variables, outputs, locals and resources, literals as Python values."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hcl2

MISSING = object()  #: the default of a variable that has none


@dataclass(slots=True)
class Folder:
    """All files of a configuration. What is no literal is the text of its expression in `${}`."""

    errors: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)  #: name -> default
    outputs: dict[str, Any] = field(default_factory=dict)
    local: dict[str, Any] = field(default_factory=dict)
    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)  #: by type and name
    providers: dict[str, str] = field(default_factory=dict)  #: name -> version


def read(folder: Path) -> Folder:
    """Parse every .tf file of a folder; a file that cannot be parsed is named in `errors`."""
    found = Folder()
    for path in sorted(folder.glob("*.tf")):
        try:
            with path.open() as stream:
                file = _clean(hcl2.load(stream))
        except Exception as error:  # noqa: BLE001 - the parser's own errors have no common base
            found.errors.append(f"{path.name}: {type(error).__name__}")
            continue
        _take(found, file)
    return found


def _take(found: Folder, file: dict[str, Any]) -> None:
    for block in file.get("variable", ()):
        found.variables |= {name: each.get("default", MISSING) for name, each in block.items()}
    for block in file.get("output", ()):
        found.outputs |= {name: each["value"] for name, each in block.items()}
    for block in file.get("locals", ()):
        found.local |= block
    for block in file.get("resource", ()):
        for kind, named in block.items():
            found.resources |= {(kind, name): body for name, body in named.items()}
    for block in file.get("terraform", ()):
        for needed in block.get("required_providers", ()):
            found.providers |= {name: each["version"] for name, each in needed.items()}


def _clean(value: Any) -> Any:
    """Without the quotes and marks that the parser leaves."""
    if isinstance(value, dict):
        return {_unquoted(key): _clean(each) for key, each in value.items() if not key.startswith("__is_")}
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return _unquoted(value) if isinstance(value, str) else value


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
