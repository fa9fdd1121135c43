"""Compares the simulator's property tables with Microsoft's metadata (a CSDL file).

Since the simulator refuses every property that is not in its tables, equal tables mean that no request that it
accepted named a property, or gave it a type, that Microsoft does not know.
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from dev.simulators.graph.schema import ADDRESS_PARTS, CONTACT, FOLDER

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def properties_of(file: Path, name: str) -> dict[str, str]:
    """Return the structural properties of a type and its base types, with their types, as the file declares them."""
    types = {
        element.get("Name", ""): element
        for element in ElementTree.parse(file).iter()  # noqa: S314 - a file of Microsoft's on our own disk
        if element.tag in (f"{_EDM}EntityType", f"{_EDM}ComplexType")
    }
    found: dict[str, str] = {}
    wanted: str | None = name
    while wanted:
        element = types[wanted]
        for declared in element.findall(f"{_EDM}Property"):
            found.setdefault(declared.get("Name", ""), declared.get("Type", ""))
        wanted = (element.get("BaseType") or "").removeprefix("graph.") or None
    return found


def differences(file: Path) -> list[str]:
    """Return where the simulator's tables and the file differ; empty when they agree."""
    tables = {
        "contact": {name: kind.value for name, kind in CONTACT.items()},
        "contactFolder": {name: kind.value for name, kind in FOLDER.items()},
        "physicalAddress": dict.fromkeys(ADDRESS_PARTS, "Edm.String"),
        "emailAddress": dict.fromkeys(("name", "address"), "Edm.String"),
        "singleValueLegacyExtendedProperty": dict.fromkeys(("id", "value"), "Edm.String"),
    }
    found = []
    for name, table in tables.items():
        declared = properties_of(file, name)
        for one in sorted(declared.keys() | table.keys()):
            if declared.get(one) != table.get(one):
                found.append(f"{name}.{one}: {table.get(one)} here, {declared.get(one)} in the metadata")  # noqa: PERF401
    return found
