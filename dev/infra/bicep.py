"""What is written in a Bicep file: parameters, outputs, resources and modules, with literals as Python values."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
MISSING = object()  #: the default of a parameter that has none


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource or module: its whole type with version (a module: its path) and its body."""

    symbol: str
    type: str
    body: dict[str, Any]
    existing: bool = False  #: only referred to, not made


@dataclass(slots=True)
class File:
    """One Bicep file. What is no literal is the text of its expression."""

    path: Path
    errors: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)  #: name -> default
    variables: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    modules: list[Resource] = field(default_factory=list)


def read(path: Path) -> File:
    """Parse one file; syntax errors are in `errors`."""
    root = _PARSER.parse(path.read_bytes()).root_node
    file = File(path, [f"{path.name}:{line}: syntax error" for line in _broken(root)])
    if not file.errors:
        for node in _declarations(root):
            _declare(file, node)
    return file


def _broken(node: Node) -> Iterator[int]:
    if node.type == "ERROR" or node.is_missing:
        yield node.start_point[0] + 1
        return
    for child in node.children:
        yield from _broken(child)


def _declarations(root: Node) -> Iterator[Node]:
    for node in root.named_children:
        yield from node.named_children if node.type == "statement" else (node,)


def _declare(file: File, node: Node) -> None:
    children = node.named_children
    if node.type == "parameter_declaration":
        has_default = any(child.type == "=" for child in node.children)
        file.params[_text(children[0])] = _value(children[-1]) if has_default else MISSING
    elif node.type == "variable_declaration":
        file.variables[_text(children[0])] = _value(children[-1])
    elif node.type == "output_declaration":
        file.outputs[_text(children[0])] = _value(children[-1])
    elif node.type == "module_declaration":
        file.modules.append(Resource(_text(children[0]), _string(children[1]), _body(children[-1])))
    elif node.type == "resource_declaration":
        file.resources += _resources(node, "")


def _resources(node: Node, parent: str) -> Iterator[Resource]:
    """The resource and those nested in it, which inherit its type and version."""
    children = node.named_children
    said = _string(children[1])
    kind, _, version = parent.partition("@")
    whole = said if "@" in said else f"{kind}/{said}@{version}"
    existing = any(child.type == "existing" for child in node.children)
    yield Resource(_text(children[0]), whole, _body(children[-1]), existing)
    for each in _object(children[-1]).named_children:
        if each.named_children and each.named_children[0].type == "resource_declaration":
            yield from _resources(each.named_children[0], whole)


def _object(node: Node) -> Node:
    while node.type in ("if_statement", "for_statement"):
        node = node.named_children[-1]
    return node


def _body(node: Node) -> dict[str, Any]:
    value = _value(_object(node))
    return value if isinstance(value, dict) else {}


def _value(node: Node) -> Any:
    if node.type == "object":
        pairs = [each.named_children for each in node.named_children if each.type == "object_property"]
        return {_string(pair[0]): _value(pair[-1]) for pair in pairs if pair[0].type != "resource_declaration"}
    if node.type == "array":
        return [_value(each) for each in node.named_children]
    text = _text(node)
    if node.type == "string":
        return _string(node)
    if node.type == "number":
        return int(text)
    return text == "true" if node.type == "boolean" else text


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _string(node: Node) -> str:
    return _text(node).strip("'").replace("\\'", "'")
