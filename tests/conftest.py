"""For all tests: how busy the machine is must not decide whether a random test passes; figures are told at the end."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The sums of what tests recorded as `record_property("figure", (what, number))`."""
    figures: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figure":
                figures[value[0]] += value[1]
    if figures:
        terminalreporter.section("figures")
    for what, number in figures.items():
        terminalreporter.line(f"{number:8,}  {what}")
