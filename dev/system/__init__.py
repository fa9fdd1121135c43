"""The running system on this machine: storage emulator, simulated services, and the app in the development host.

One harness for the demo, `make serve`, the benchmarks and the integration tests::

    with System() as system:
        system.simulators.graph.create_user("ada@contoso.example")
        system.app.save_profile("ada@contoso.example", filter={"city": "London"})
        report = system.app.sync("ada@contoso.example")
"""

from dev.system.app import App, Refused
from dev.system.running import System

__all__ = ["App", "Refused", "System"]
