"""Time stamps: milliseconds since 1970 inside, BC's text outside."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """Return a time with a zone as whole milliseconds since 1970."""
    return (moment - _EPOCH) // _MILLISECOND


def parse_stamp(text: str) -> int:
    """Return an ISO 8601 time with a zone as milliseconds since 1970; raises ValueError."""
    return int(parse_exact(text))


def parse_exact(text: str) -> float:
    """Return an ISO 8601 time with a zone as milliseconds since 1970, fractions kept; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return (moment - _EPOCH) / _MILLISECOND


def stamp_text(stamp: int) -> str:
    """Return a stamp as BC writes it: UTC, Z, and no trailing zeros in the fraction (2.1)."""
    seconds, rest = divmod(stamp, 1000)
    text = (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    return f"{text}.{rest:03d}".rstrip("0") + "Z" if rest else f"{text}Z"
