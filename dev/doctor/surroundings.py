"""Where the doctor gets settings and credentials, and the app's parts that it examines with."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dev.doctor.azure_cli import AzureCliTokens
from dev.host.errors import HostStartError
from dev.host.settings import load_settings
from shared.bootstrap import Clients, Surroundings, build, clients_for
from shared.engine.services import Services
from shared.errors import SettingsError
from shared.pace import Pace
from shared.settings import STORAGE, Settings, read
from shared.transport.client import Client

_PROJECT = Path(__file__).resolve().parents[2]
_EMULATOR = "UseDevelopmentStorage=true"
_IDENTITY = "MANAGED_IDENTITY_CLIENT_ID"
_ENDPOINTS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")  #: where Azure hands out tokens of managed identities
PATIENCE = 60.0  #: seconds for one part


@dataclass(frozen=True, slots=True)
class Patient:
    """An installation, as it is seen from here."""

    settings: Settings
    services: Services
    clients: Clients
    credential: str  #: in words
    storage: bool  #: whether the settings name a storage account that can be looked at from here

    def pace(self, seconds: float = PATIENCE) -> Pace:
        """Time for one part."""
        return Pace(time.monotonic() + seconds)

    def bare_graph(self) -> Client:
        """A client that sends no header of its own accord and repeats no failure, for asking what Graph does."""
        service = replace(self.clients.graph.service, headers={}, is_final=lambda answer: answer.status == 500)
        return Client(service, self.clients.tokens)


def environment_of(process: Mapping[str, str], folder: Path = _PROJECT) -> dict[str, str]:
    """The process's environment, filled up from local.settings.json. Raises SettingsError for a file that is broken."""
    found = dict(process)
    try:
        load_settings(folder, found)
    except HostStartError as error:
        raise SettingsError(str(error)) from None
    return found


def patient_of(environment: Mapping[str, str]) -> Patient:
    """The installation that an environment describes. Raises SettingsError that names all that is missing or wrong.

    Storage is left out where the settings name none, or the emulator's sample. A managed identity is only there inside
    Azure: elsewhere a certificate or a secret counts, else the Azure CLI.
    """
    found = dict(environment)
    storage = any(found.get(name) for name in (f"{STORAGE}__accountName", f"{STORAGE}__tableServiceUri"))
    storage = storage or found.get(STORAGE, "") not in ("", _EMULATOR)
    if not storage:
        found[STORAGE] = _EMULATOR
    credential = _credential(found)
    by_cli = credential.startswith("the Azure CLI")
    if by_cli:
        found[_IDENTITY] = "not used"
    settings = read(found)
    tokens = AzureCliTokens(tenant=settings.tenant_id, client_id=settings.client_id) if by_cli else None
    around = Surroundings(now=lambda: datetime.now(UTC), tokens=tokens)
    clients = clients_for(settings, around)
    around = replace(around, tokens=clients.tokens)
    return Patient(settings, build(settings, around), clients, credential, storage)


def _credential(environment: dict[str, str]) -> str:
    """Which credential counts here, in words; takes the managed identity away where there can be none."""
    if environment.get(_IDENTITY) and any(environment.get(each) for each in _ENDPOINTS):
        return "the managed identity"
    environment[_IDENTITY] = ""
    if environment.get("ENTRA_CLIENT_CERTIFICATE"):
        return "the certificate"
    if environment.get("ENTRA_CLIENT_SECRET"):
        return "the client secret"
    return "the Azure CLI, signed in as the app"
