"""Whether Bicep sets what Azure knows: unknown properties, missing ones, versions that do not exist.

`tests/infra/data/azure-types.json` holds what is needed of the types that Bicep's compiler uses (bicep-types-az, MIT),
without descriptions. `python -m dev.infra.azure_types FOLDER > ...` cuts it anew out of a folder with the types of
whole providers, when a template takes another type or version. Values that are expressions are not looked into.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev.infra import bicep

type Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
_REQUIRED, _READ_ONLY = 1, 2  #: flags of a property
_OF_BICEP = {"scope", "parent", "dependsOn"}  #: every resource takes them


def findings(folder: Path, types: Json) -> list[str]:
    """What Azure would not take of the Bicep files below a folder; `types` is the cut."""
    found = []
    for path in sorted(folder.rglob("*.bicep")):
        for each in bicep.read(path).resources:
            found += [f"{path.name}: {each.symbol}{wrong}" for wrong in _resource(each, types)]
    return found


def _resource(resource: bicep.Resource, types: Json) -> Iterator[str]:
    if (name := types["types"].get(resource.type)) is None:
        yield f": no type {resource.type} is known"
    elif not resource.existing:
        body = {key: value for key, value in resource.body.items() if key not in _OF_BICEP}
        yield from _value(body, name, types["definitions"], "")


def _value(value: Any, name: str, definitions: Json, where: str) -> Iterator[str]:
    shape = definitions[name]
    if "cases" in shape and isinstance(value, dict):
        case = shape["cases"].get(value.get(shape["by"]))
        if case is None:
            yield f"{where}: {shape['by']} {value.get(shape['by'])!r} is not known"
        else:
            yield from _value(value, case, definitions, where)
    elif "items" in shape and isinstance(value, list):
        for each in value:
            yield from _value(each, shape["items"], definitions, f"{where}[]")
    elif "properties" in shape and isinstance(value, dict):
        yield from _object(value, shape, definitions, where)
    elif not isinstance(value, str) and _expected(shape) not in ("any", _kind(value)):
        yield f"{where} must be of the type {_expected(shape)}"


def _object(value: Json, shape: Json, definitions: Json, where: str) -> Iterator[str]:
    for name, each in value.items():
        inner = shape["properties"].get(name) or shape.get("others")
        if name in shape["readOnly"]:
            yield f"{where}.{name} cannot be set"
        elif inner is None:
            yield f"{where}.{name} is not known"
        else:
            yield from _value(each, inner, definitions, f"{where}.{name}")
    for name in shape["required"]:
        if name not in value:
            yield f"{where}.{name} is missing"


def _expected(shape: Json) -> str:
    if "items" in shape:
        return "array"
    return str(shape.get("is", "object"))


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", dict: "object", list: "array"}
    return kinds.get(type(value), "string")


# ---------------------------------------------------------------- the cut


def cut(providers: Path, folder: Path) -> Json:
    """The shapes of all resources of the Bicep files below `folder`, out of files with the types of whole providers."""
    wanted = {each.type for path in folder.rglob("*.bicep") for each in bicep.read(path).resources}
    words = " ".join(path.read_text() for path in folder.rglob("*.bicep"))
    found: Json = {"types": {}, "definitions": {}}
    for path in sorted(providers.glob("*.json")):
        described = json.loads(path.read_text())
        for each in described:
            if each["$type"] == "ResourceType" and each["name"] in wanted:
                found["types"][each["name"]] = _shape(described, each["body"], path.stem, words, found["definitions"])
    return found


def _shape(described: list[Json], reference: Json, prefix: str, words: str, definitions: Json) -> str:
    """Put the shape behind a reference, and those that it needs, into the definitions; answers its name there."""
    number = int(reference["$ref"].removeprefix("#/"))
    name, kind = f"{prefix}#{number}", described[number]
    if name in definitions:
        return name
    shape = definitions[name] = {}

    def inner(to: Json) -> str:
        return _shape(described, to, prefix, words, definitions)

    if kind["$type"] == "ObjectType":
        own = kind["properties"]
        shape["properties"] = {
            each: inner(about["type"]) for each, about in own.items() if not about["flags"] & _READ_ONLY
        }
        shape["required"] = sorted(each for each, about in own.items() if about["flags"] & _REQUIRED)
        shape["readOnly"] = sorted(each for each, about in own.items() if about["flags"] & _READ_ONLY)
        if "additionalProperties" in kind:
            shape["others"] = inner(kind["additionalProperties"])
    elif kind["$type"] == "ArrayType":
        shape["items"] = inner(kind["itemType"])
    elif kind["$type"] == "DiscriminatedObjectType":
        shape["by"] = kind["discriminator"]
        shape["cases"] = {each: inner(to) for each, to in kind["elements"].items() if f"'{each}'" in words}
    else:
        kinds = {"BooleanType": "boolean", "IntegerType": "integer", "AnyType": "any"}
        shape["is"] = kinds.get(kind["$type"], "string")
    return name


def main() -> None:
    """Cut the types anew and print them."""
    parser = argparse.ArgumentParser(prog="python -m dev.infra.azure_types", description="Cut Azure's types anew.")
    parser.add_argument("providers", type=Path, help="folder with the types of whole providers, as JSON files")
    json.dump(
        cut(parser.parse_args().providers, ROOT / "infra" / "bicep"), sys.stdout, sort_keys=True, separators=(",", ":")
    )
    print()


if __name__ == "__main__":
    main()
