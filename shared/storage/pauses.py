"""Port `Pauses`: rows of one partition, as a rule none. That there are none is believed for some seconds."""

import time
from collections.abc import Callable, Sequence

from shared.engine.pauses import Pause
from shared.storage import keys, wire
from shared.storage.records import decoded, encoded
from shared.storage.tables import Operation, RowMissing, Tables

_PARTITION = "pauses"
_BELIEVED = 3.0  #: seconds; a pause is never believed from memory, since whoever meets one drops a message


class TablePauses:
    """What is paused. `monotonic` in seconds."""

    def __init__(self, tables: Tables, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._table = tables["profiles"]
        self._monotonic = monotonic
        self._none_until = 0.0

    def all(self) -> Sequence[Pause]:
        """See Pauses."""
        now = self._monotonic()
        if now < self._none_until:
            return ()
        found = [decoded(Pause, row) for row in self._table.range(_PARTITION)]
        self._none_until = 0.0 if found else now + _BELIEVED
        return found

    def save(self, pause: Pause) -> None:
        """See Pauses."""
        self._none_until = 0.0
        row = wire.row(_PARTITION, _key(pause.company_id, pause.profile_id))
        self._table.apply(Operation("put", row | encoded(pause)))

    def remove(self, company_id: str, profile_id: str) -> bool:
        """See Pauses."""
        row = wire.row(_PARTITION, _key(company_id, profile_id))
        try:
            self._table.apply(Operation("delete", row, etag="*"))
        except RowMissing:
            return False
        return True


def _key(company_id: str, profile_id: str) -> str:
    return keys.path("all", *(each for each in (company_id, profile_id) if each))
