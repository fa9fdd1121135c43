"""python -m dev.doctor: see docs/doctor.md. Ends with 1 when something is wrong, 130 when it was interrupted."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial

from dev.doctor import canary
from dev.doctor.examination import Examination, Questions
from dev.doctor.page import Page
from dev.doctor.probing import COLUMNS
from dev.doctor.running import probe_bc, probe_graph
from dev.doctor.surroundings import Patient, environment_of, patient_of
from shared.engine.checks import Check
from shared.errors import SettingsError, SyncError


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine what the environment and local.settings.json describe, or the simulators."""
    parser = argparse.ArgumentParser(prog="python -m dev.doctor", description="Whether the installation can work.")
    parser.add_argument("--mailbox", default="", help="a user whom the app shall reach: e-mail address or object id")
    parser.add_argument("--company", default="", help="a company in Business Central: name or id")
    parser.add_argument("--write", action="store_true", help="write a contact on both sides, and remove it again")
    parser.add_argument("--probe", action="store_true", help="ask the services what no page says; writes, too")
    parser.add_argument("--simulated", action="store_true", help="against simulators on this machine")
    chosen = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    logging.disable(logging.CRITICAL)  # what libraries and the app log of a refusal stands on the page, with what to do
    page = Page()
    try:
        if chosen.simulated:
            from dev.doctor.simulated import simulated_tenant

            page.say("Starting simulators, storage and the app …")
            with simulated_tenant() as tenant:
                chosen.mailbox, chosen.company = chosen.mailbox or tenant.mailbox, chosen.company or tenant.company
                return examine(page, chosen, tenant.environment)
        return examine(page, chosen, os.environ)
    except KeyboardInterrupt:
        page.say("Interrupted. What was made for trying has been removed.")
        return 130


def examine(page: Page, chosen: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Tell every part; answers the exit code."""
    try:
        found = environment_of(environment)
        patient = patient_of(found)
    except SettingsError as error:
        page.tell(Check("settings", False, "They cannot be used.", str(error)))
        page.sum_up()
        return 1
    page.tell(Check("settings", True, f"They are complete. Tokens are got with {patient.credential}."))
    questions = Questions(chosen.mailbox, chosen.company, found.get(canary.VARIABLE, "").strip(), chosen.write)
    examination = Examination(patient, questions)
    for check in examination.checks():
        page.tell(check)
    page.sum_up()
    if chosen.probe:
        _probe(page, patient, examination)
    return 1 if page.counts["bad"] else 0


def _probe(page: Page, patient: Patient, examined: Examination) -> None:
    """Ask what can be asked, and print the table as it grows."""
    page.say("\nWhat the services do that no page of theirs says; the table holds no personal data:\n")
    asked = []
    if examined.mailbox:
        asked.append(partial(probe_graph, patient, examined.mailbox.id))
    if examined.company:
        asked.append(partial(probe_bc, patient, examined.company.id))
    page.markdown(COLUMNS, ())
    for rows in asked:
        try:
            with closing(rows()) as told:  # closed, and so cleaned up after, also where writing to the screen ends
                for row in told:
                    page.rows([row])
        except SyncError as error:
            page.tell(Check("probes", False, "They had to be broken off.", str(error)))
    if len(asked) < 2:
        page.say("\nA side that cannot be used above, or that is not named, is not asked.")


def _interrupted(number: int, frame: object) -> None:
    """Once: what was made is removed then, which a second one must not stop."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    print("\nInterrupted: cleaning up …", file=sys.stderr, flush=True)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
