"""Runs all simulators until it is told to end: python -m dev.simulators --state-dir DIR."""

import argparse
import json
import signal
import threading
from dataclasses import asdict
from pathlib import Path

from dev.simulators.launch import ALL, start_simulators


def main() -> None:
    """Start the simulators, write DIR/simulators.json with their addresses, and wait for SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m dev.simulators", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True, help="folder for certificates and simulators.json")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per real second")
    parser.add_argument("--services", default=",".join(ALL), help="which to start, by comma")
    for name in ALL:
        parser.add_argument(f"--{name}-port", type=int, default=0, help="default: a free one")
    chosen = parser.parse_args()
    chosen.state_dir.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ports = {name: getattr(chosen, f"{name}_port") for name in ALL}
    folder = chosen.state_dir.resolve()
    with start_simulators(chosen.services.split(","), ports=ports, folder=folder, speed=chosen.speed) as simulators:
        state = folder / "simulators.json"
        partial = state.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(simulators.addresses), indent=2) + "\n", encoding="utf-8")
        partial.replace(state)  # readers that wait for the file never see half of it
        for name, value in asdict(simulators.addresses).items():
            print(f"{name:15} {value}")
        ended.wait()
        state.unlink()


if __name__ == "__main__":
    main()
