"""The claims of a run on e-mail addresses, so that two mailboxes never create the same person in BC (R9)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.engine.services import Services

CLAIM_TIME = timedelta(minutes=10)  #: longer than BC works on one request (BC reference 8.1)


@dataclass(slots=True)
class Claims:
    """Taken before persons are looked for and created; given back when the company feed knows of them."""

    services: Services
    company_id: str
    run_id: str
    held: list[str] = field(default_factory=list)  #: e-mail keys

    def take(self, email_keys: Sequence[str]) -> frozenset[str]:
        """Those of the keys that are this run's now; the others somebody else is creating at this moment."""
        until = self.services.now() + CLAIM_TIME
        granted = self.services.companies.claim(self.company_id, email_keys, self.run_id, until)
        self.held += sorted(granted)
        return granted

    def give_back(self) -> None:
        """The created persons are in the snapshot, or nothing was created."""
        if self.held:
            self.services.companies.release_claims(self.company_id, self.held, self.run_id)
            self.held = []
