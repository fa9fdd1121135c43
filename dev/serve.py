"""python -m dev.serve: the app with storage and simulated services, kept running until Ctrl-C, to play with.

The company and the three users of the demo are there, with profiles and nothing synced yet. The timer fires every half
minute.
"""

import argparse
import shlex
import signal
import sys
import threading
from pathlib import Path

from dev.azurite import AzuriteError
from dev.demo.cast import ADA
from dev.demo.story import set_up
from dev.demo.telling import Teller
from dev.host import HostStartError
from dev.system import System
from dev.system.settings import ADMIN_KEY, USER_KEY
from dev.system.simulator_process import SimulatorError

_PROJECT = Path(__file__).resolve().parents[1]
_LOG = _PROJECT / ".state" / "app.log"
_SETTINGS = {
    "AzureWebJobs.fan_out.Disabled": "false",
    "SYNC_SCHEDULE": "*/30 * * * * *",
    "AzureWebJobs.upkeep.Disabled": "false",
    "UPKEEP_SCHEDULE": "15 * * * * *",
}


def main() -> int:
    """Start everything, say where it is, wait for SIGINT or SIGTERM, stop everything; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dev.serve", description="Keep the whole system running.")
    parser.add_argument("--port", type=int, default=0, help="the app's port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--tls-port", type=int, default=0, help="the same for https (default: a free one)")
    chosen = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    _LOG.parent.mkdir(exist_ok=True)
    _LOG.unlink(missing_ok=True)
    teller = Teller()
    teller.say("Starting the storage emulator, the simulators and the app …")
    try:
        with System(
            settings=_SETTINGS, ports={"app": chosen.port, "app_tls": chosen.tls_port}, log=_LOG, announced=True
        ) as system:
            set_up(system, teller)
            _say_where(system, teller)
            ended.wait()
            teller.say("Stopping …")
    except (AzuriteError, HostStartError, SimulatorError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _say_where(system: System, teller: Teller) -> None:
    simulated = system.simulators.addresses
    teller.heading("Running")
    where = [
        ("app", system.host.url),
        ("  for the services", system.host.https_url),
        ("  key of the user door", USER_KEY),
        ("  key of the admin door", ADMIN_KEY),
        ("  log", str(_LOG.relative_to(_PROJECT))),
        ("Graph", simulated.graph_root),
        ("Business Central", simulated.bc_root),
        ("Entra", f"{simulated.authority_host}/{simulated.tenant}"),
        ("  certificate authority", simulated.ca_file),
        ("storage, tables", f"http://127.0.0.1:{system.azurite.ports['table']}"),
        ("storage, queues", f"http://127.0.0.1:{system.azurite.ports['queue']}"),
    ]
    for name, value in where:
        _line(f"{name:24} {value}")
    teller.heading("Try")
    for what, command in _examples(system):
        _line(f"# {what}")
        _line(command)
        _line("")
    _line("The timer fires every half minute. After a user's first sync changes are announced, too: an edit in Outlook")
    _line("arrives within seconds, one in Business Central after the half minute that it takes to tell.")
    _line("Ctrl-C stops everything; nothing is kept.")


def _examples(system: System) -> list[tuple[str, str]]:
    app, simulated = system.host.url, system.simulators.addresses
    user, admin = (f"-H 'x-functions-key: {key}'" for key in (USER_KEY, ADMIN_KEY))
    act = f"curl -sS --cacert {shlex.quote(simulated.ca_file)}"
    graph, bc = f"{simulated.graph_root}/control", f"{simulated.bc_root}/control"
    body = f'{{"user": "{ADA.address}", "mode": "incremental"}}'
    change = '{"contact": "KT200001", "values": {"jobTitle": "Head of Purchasing"}}'
    look = f'{{"user": "{ADA.address}", "folder": "{ADA.place}"}}'
    newcomer = (
        f'{{"user": "{ADA.address}", "folder": "{ADA.place}", "contact": {{"displayName": "Ines Novak", '
        '"emailAddresses": [{"address": "ines.novak@trade.example"}]}}'
    )
    why = f"{app}/api/profiles/{ADA.address}/contacts/explain"
    return [
        ("sync Ada's contacts now, and wait for the report", f"curl -sS {user} '{app}/api/sync?wait=30' -d '{body}'"),
        ("what would be done? nothing is written", f"curl -sS {user} '{app}/api/sync?wait=30' -d '{_preview(body)}'"),
        ("Ada's runs", f"curl -sS {user} {app}/api/profiles/{ADA.address}/runs"),
        ("why is this contact (not) synced?", f'curl -sS {user} {why} -d \'{{"contact": "KT200001"}}\''),
        ("all profiles", f"curl -sS {admin} {app}/api/admin/profiles"),
        ("be a user of Business Central: change a contact", f"{act} {bc}/update -d '{change}'"),
        (
            "be Ada in Outlook: add a contact (once her folder is there)",
            f"{act} {graph}/create_contact -d '{newcomer}'",
        ),
        ("be Ada in Outlook: look into the folder", f"{act} {graph}/contacts_of -d '{look}'"),
    ]


def _preview(body: str) -> str:
    return body.replace("}", ', "preview": true}')


def _line(text: str) -> None:
    # not folded: commands are to be copied
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
