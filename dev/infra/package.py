"""`python -m dev.infra.package FILE.zip`: what is deployed, and nothing else. The same files give the same bytes.

What belongs to the app is named, not what does not: a new folder of the project is not deployed by accident.
"""

import argparse
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = ("function_app.py", "host.json", "requirements.txt")
FOLDERS = ("functions", "shared")
_TIME = (1980, 1, 1, 0, 0, 0)  #: the earliest that the format knows
_READABLE = 0o100644 << 16  #: a plain file that all may read


def contents(root: Path = ROOT) -> Iterator[str]:
    """The paths of what is deployed, below the root, in the order of the package."""
    modules = (path.relative_to(root).as_posix() for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    yield from sorted([*FILES, *modules])


def build(target: Path, root: Path = ROOT) -> None:
    """Write the zip; its folder is made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for name in contents(root):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _READABLE
            entry.create_system = 3  # Unix, wherever it is built
            package.writestr(entry, (root / name).read_bytes())


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(prog="python -m dev.infra.package", description="Build what is deployed.")
    parser.add_argument("target", type=Path, help="the zip to write")
    target = parser.parse_args().target
    build(target)
    print(f"{target}: {len(list(contents()))} files, {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
