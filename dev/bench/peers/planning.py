"""vdirsyncer's sync engine: python -m dev.bench.peers.planning PAIRS EVERY ROUNDS.

Its own storages in memory on both sides and its own status, a SQLite database in memory: nothing is read from or
written to a disk or a server. It plans and carries out in one call; carrying out is 1 % of the pairs, a dictionary's
entry each. Prints the version and the processor time of the best round, in seconds.
"""

import asyncio
import gc
import json
import sys
import time
from importlib.metadata import version

from vdirsyncer.storage.memory import MemoryStorage
from vdirsyncer.sync import sync
from vdirsyncer.sync.status import SqliteStatus
from vdirsyncer.vobject import Item

_CARD = """\
BEGIN:VCARD
VERSION:3.0
UID:person-{number}
FN:Anna Maria Adler {number}
N:Adler;Anna;Maria;;
TITLE:{title}
EMAIL:anna.adler.{number}@people.example
TEL;TYPE=WORK:+44 20 {number:08d}
ADR;TYPE=WORK:;;{number} High Street;London;;W1 3AL;Great Britain
END:VCARD
"""


async def plan(pairs: int, every: int, rounds: int) -> float:
    """Seconds of the processor for the best of several rounds, each after 1 in `every` pairs was changed on one side.

    Raises RuntimeError when a change did not reach the other side.
    """
    sides, status = (MemoryStorage(), MemoryStorage()), SqliteStatus(":memory:")
    for number in range(pairs):
        await sides[0].upload(_item(number, "Buyer"))
    await sync(*sides, status)
    times = []
    for turn in range(rounds):
        changed = [(number, sides[number // every % 2]) for number in range(0, pairs, every)]
        for number, side in changed:
            item = _item(number, f"Chief {turn}")
            _, etag = await side.get(item.ident)
            await side.update(item.ident, item, etag)
        gc.collect()
        began = time.process_time()
        await sync(*sides, status)
        times.append(time.process_time() - began)
        for number, side in changed:
            other = sides[0] if side is sides[1] else sides[1]
            item, _ = await other.get(f"person-{number}")
            if f"Chief {turn}" not in item.raw:
                raise RuntimeError("a change did not reach the other side")
    return min(times)


def _item(number: int, title: str) -> Item:
    return Item(_CARD.format(number=number, title=title))


if __name__ == "__main__":
    best = asyncio.run(plan(*(int(each) for each in sys.argv[1:])))
    print(json.dumps({"version": version("vdirsyncer"), "processor": best}))
