"""Starts the simulators, in a thread of this process."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.simulators.business_central.control import BusinessCentralControl
from dev.simulators.business_central.service import BusinessCentral
from dev.simulators.certificates import make_certificates
from dev.simulators.control_client import ControlClient
from dev.simulators.entra.control import EntraControl
from dev.simulators.entra.service import Entra
from dev.simulators.graph.control import GraphControl
from dev.simulators.graph.service import Graph
from dev.simulators.serving import Servers, Service
from dev.simulators.world import BC_AUDIENCE, CLIENT_ID, CLIENT_SECRET, TENANT, World

ALL = ("entra", "graph", "bc")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where running simulators are, and what opens them; what the state file of `python -m dev.simulators` holds.

    Roots have no trailing slash and no path: Graph is called at `{graph_root}/v1.0/...`, the authority is
    `{authority_host}/{tenant}`. A root is empty when that simulator was not started.
    """

    graph_root: str
    bc_root: str
    authority_host: str
    tenant: str
    client_id: str
    client_secret: str
    graph_scope: str
    bc_scope: str
    ca_file: str
    server_file: str  #: key and certificate of a server at 127.0.0.1 that whoever trusts `ca_file` trusts


class Simulators:
    """Running simulators. `graph`, `bc` and `entra` act on them through the control interface."""

    def __init__(
        self,
        addresses: Addresses,
        servers: Servers | None = None,
        folder: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        """Make control clients for simulators that run at `addresses`, here or in another process."""
        self.addresses = addresses
        self.ca_file = Path(addresses.ca_file)
        self.graph_root = addresses.graph_root
        self.bc_root = addresses.bc_root
        self.authority = f"{addresses.authority_host}/{addresses.tenant}"
        self.graph = GraphControl(self.graph_root, self.ca_file)
        self.bc = BusinessCentralControl(self.bc_root, self.ca_file)
        self.entra = EntraControl(addresses.authority_host, self.ca_file)
        self._servers = servers
        self._folder = folder

    def environment(self) -> dict[str, str]:
        """Return what a client process needs in its environment to trust the simulators' certificates."""
        return {"REQUESTS_CA_BUNDLE": str(self.ca_file), "SSL_CERT_FILE": str(self.ca_file)}

    def stop(self) -> None:
        """Close the control clients, and stop the servers if they run in this process."""
        clients: list[ControlClient] = [self.graph, self.bc, self.entra]
        for client in clients:
            client.close()
        if self._servers:
            self._servers.stop()
        if self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def start_simulators(
    services: Sequence[str] = ALL,
    *,
    ports: Mapping[str, int] | None = None,
    folder: Path | None = None,
    speed: float = 1.0,
) -> Simulators:
    """Start the named simulators in a thread and return once they can be called.

    `ports` gives fixed ports by service name, `folder` a place for the certificates (default: a temporary one),
    `speed` that of the simulated clock.
    """
    temporary = None if folder else tempfile.TemporaryDirectory(prefix="simulators-")
    certificates = make_certificates(folder or Path(temporary.name if temporary else "."))
    world = World(ca_file=certificates.ca_file)
    world.clock.speed = speed
    servers = Servers(world, [_create(name, world) for name in services], certificates.server_file, ports or {})
    servers.start()
    addresses = Addresses(
        graph_root=world.roots.get("graph", ""),
        bc_root=world.roots.get("bc", ""),
        authority_host=world.roots.get("entra", ""),
        tenant=TENANT,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        graph_scope=f"{world.roots.get('graph', '')}/.default",
        bc_scope=f"{BC_AUDIENCE}/.default",
        ca_file=str(certificates.ca_file),
        server_file=str(certificates.server_file),
    )
    return Simulators(addresses, servers, temporary)


def _create(name: str, world: World) -> Service:
    match name:
        case "entra":
            return Entra(world)
        case "graph":
            return Graph(world)
        case "bc":
            return BusinessCentral(world)
        case _:
            raise ValueError(f"no simulator {name!r}; there are {ALL}")
