"""A tenant on this machine as install.md wants it: mailboxes limited by Exchange's roles, announced changes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from dev.doctor.canary import VARIABLE
from dev.system import System
from dev.system.settings import TRUST

COMPANY = "CRONUS"
MEMBER = "ada@contoso.example"
OUTSIDER = "ceo@contoso.example"


@dataclass(frozen=True, slots=True)
class Tenant:
    """What the doctor is asked about."""

    environment: Mapping[str, str]
    mailbox: str
    company: str


@contextmanager
def simulated_tenant() -> Iterator[Tenant]:
    """Started, and stopped at the end."""
    with System(announced=True) as system:
        set_up(system)
        system.simulators.bc.seed(count=20, companies=4)
        before = {name: os.environ.get(name) for name in TRUST}
        os.environ.update({name: system.settings[name] for name in TRUST})
        try:
            yield Tenant({**system.settings, VARIABLE: OUTSIDER}, MEMBER, COMPANY)
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def set_up(system: System) -> None:
    """A user in the group and one outside it, and the roles that limit the app to the first."""
    graph, entra = system.simulators.graph, system.simulators.entra
    for address in (MEMBER, OUTSIDER):
        graph.create_user(address)
    entra.set_roles("graph", ["User.Read.All"])
    graph.grant_rbac([MEMBER])
