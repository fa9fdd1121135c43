"""What was tried of a set-up, part by part: each says ok, or what to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.errors import SettingsError, SyncError

NOT_TRIED = "Not tried, because of another part."


@dataclass(frozen=True, slots=True)
class Check:
    """One part. What is fine and still says what to do is worth a look."""

    check: str
    ok: bool | None  #: None: could not be tried, because of another part
    detail: str
    what_to_do: str = ""  #: blank when there is nothing to do


@dataclass(slots=True)
class Checks:
    """Collects what was tried, each part once."""

    found: dict[str, Check] = field(default_factory=dict)

    def good(self, check: str, detail: str) -> None:
        """A part that is fine."""
        self.found[check] = Check(check, True, detail)

    def look(self, check: str, detail: str, what_to_do: str) -> None:
        """A part that is fine and worth a look."""
        self.found[check] = Check(check, True, detail, what_to_do)

    def bad(self, check: str, detail: str, what_to_do: str) -> None:
        """A part that fails."""
        self.found[check] = Check(check, False, detail, what_to_do)

    def run(self, check: str, failed: str, attempt: Callable[[], str]) -> bool:
        """Try a part; `failed` says in short what did not work. Without a token it is the token's fault."""
        try:
            self.good(check, attempt())
        except SettingsError as error:
            self.bad("token", "The app gets no token.", str(error))
            return False
        except SyncError as error:
            self.bad(check, failed, str(error))
            return False
        return True

    def is_good(self, check: str) -> bool:
        """Whether a part was tried and is fine."""
        found = self.found.get(check)
        return found is not None and found.ok is True

    def in_order(self, names: Sequence[str]) -> list[Check]:
        """The parts in this order; what was not tried says so."""
        return [self.found.get(each, not_tried(each)) for each in names]


def not_tried(check: str) -> Check:
    """A part that another part kept from being tried."""
    return Check(check, None, NOT_TRIED, "Mend the other parts first.")
