"""python -m dev.demo [file.csv]: tell the story, or sync the contacts of a file; exit 1 when a claim does not hold."""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dev.azurite import AzuriteError
from dev.demo import from_file, story
from dev.demo.contacts_file import BadFile, read_contacts
from dev.demo.telling import Teller
from dev.host import HostStartError
from dev.system import System
from dev.system.simulator_process import SimulatorError


def main() -> int:
    """Read the command line, start everything, tell, stop everything; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m dev.demo", description="Sync made-up contacts, or those of a file."
    )
    parser.add_argument("contacts", nargs="?", type=Path, help="CSV file with contacts (see README.md)")
    path: Path | None = parser.parse_args().contacts
    # the end by a signal is an orderly one, too: nothing is left running
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    teller = Teller()
    if path is None:
        return _run(teller, {}, lambda system: story.tell(system, teller))
    try:
        contacts = read_contacts(path)
    except BadFile as error:
        print(f"{path}: {error}.", file=sys.stderr)
        return 2
    # a folder filled for the first time by a file's owner is no accident, however large (R26)
    settings = {"HOLD_OUTLOOK_CREATIONS": str(len(contacts))}
    return _run(teller, settings, lambda system: from_file.tell(system, teller, path, contacts))


def _run(teller: Teller, settings: dict[str, str], tell: Callable[[System], None]) -> int:
    began = time.monotonic()
    teller.say("Starting the storage emulator, the simulators and the app …")
    try:
        with System(settings=settings) as system:
            teller.say(f"… ready after {time.monotonic() - began:.1f} s.")
            tell(system)
            defects = system.simulators.graph.defects()
    except (AzuriteError, HostStartError, SimulatorError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    teller.say("")
    if teller.broken or defects:
        teller.say(f"{len(teller.broken)} claims did not hold: {'; '.join(teller.broken)}")
        return 1
    teller.say(
        f"Everything held, in {time.monotonic() - began:.0f} s. `make serve` keeps it running for you to play with."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
