"""Entra, Microsoft Graph and Business Central as real TLS servers on 127.0.0.1.

They speak the services' contracts strictly. Tests start them in a thread::

    with start_simulators() as simulators:
        simulators.graph.create_user("ada@contoso.example")

and `python -m dev.simulators --state-dir DIR` runs them as a process of their own. Each service has a control
interface (`control.py`, `control_client.py`) through which tests and the demo act as users, set switches, faults,
latencies and the clock, and read the request log.
"""
