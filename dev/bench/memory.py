"""The line about memory: a first sync of a large company in a process of its own, which tells the most it ever held."""

from collections.abc import Sequence

from dev.bench.figures import Figure, Start

CONTACTS = 50_000


def first(start: Start) -> Sequence[Figure]:
    """A first sync with limits and latency off; `growth-contacts` has the same one for its largest company."""
    _, first = start().synced_apart(CONTACTS)
    return [
        Figure("most that the process held", first.told.most, 300, "MiB"),
        Figure("before the run", first.told.before, unit="MiB"),
        Figure("processor time per contact", first.told.worked / CONTACTS * 1_000, unit="ms", decimals=2),
    ]
