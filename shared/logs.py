"""One way to log: a stable event name and the facts as compact JSON in the message.

In the message, because `extra` is lost on its way to Application Insights in the classic mode. Facts are ids, counts,
codes and durations; never a name, address, phone number, token, header, body or URL.
"""

import json
import logging


def log_event(logger: logging.Logger, event: str, *, level: int = logging.INFO, **facts: object) -> None:
    """Log `event` with its facts: `run_finished {"profile":"7","created":3}`."""
    if not logger.isEnabledFor(level):
        return
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False, default=str)
    logger.log(level, "%s %s", event, text)
