"""The doctor and a tenant that tests spoil."""

import argparse
import io
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from dev.doctor.__main__ import examine
from dev.doctor.page import Page
from dev.doctor.scratch import NAME
from dev.doctor.simulated import MEMBER
from shared.engine.checks import Check
from tests.integration.office import Office

CONSENTED = ["Contacts.Read", "Contacts.ReadWrite", "User.Read.All"]
PROJECT = Path(__file__).parents[2]


class Recorder(Page):
    """The page, read back."""

    def __init__(self) -> None:
        super().__init__(Console(file=io.StringIO(), width=110))
        self.told: dict[str, Check] = {}

    def tell(self, check: Check) -> None:
        super().tell(check)
        assert check.check not in self.told, "a part is told once"
        self.told[check.check] = check
        assert check.ok is not False or len(check.what_to_do) > 20, f"{check} does not say what to do"


@dataclass
class Surgery:
    """A tenant as install.md wants it, which tests spoil, and the doctor."""

    office: Office
    environment: dict[str, str]
    asked: dict[str, Any] = field(default_factory=lambda: {"mailbox": MEMBER, "company": "", "write": False})

    def __post_init__(self) -> None:
        self.graph, self.bc = self.office.graph, self.office.bc
        self.entra = self.office.system.simulators.entra
        self.red: dict[str, str] = {}
        self.company = self.bc.companies()[0]["id"]

    def examine(self) -> tuple[dict[str, Check], int]:
        """What the doctor says, by part, and its exit code."""
        page = Recorder()
        code = examine(page, argparse.Namespace(probe=False, **self.asked), self.environment)
        self.red = {each.check: each.what_to_do for each in page.told.values() if each.ok is False}
        assert code == (1 if self.red else 0), self.red
        return page.told, code

    def process(self, *arguments: str) -> "subprocess.Popen[str]":
        """The doctor as the command that `make doctor` calls."""
        command = [sys.executable, "-u", "-m", "dev.doctor", "--mailbox", MEMBER, *arguments]
        return subprocess.Popen(command, cwd=PROJECT, env=self.environment, stdout=subprocess.PIPE, text=True)

    def left_behind(self) -> list[str]:
        """What is in the mailbox and in BC by the doctor's name."""
        box = self.graph.read_mailbox(MEMBER)
        folders = [each["displayName"] for each in box["folders"] if NAME in each["displayName"]]
        persons = [each["displayName"] for each in self.bc.contacts() if NAME in each["displayName"]]
        return folders + persons


def with_consent(surgery: Surgery) -> None:
    surgery.entra.set_roles("graph", CONSENTED)
