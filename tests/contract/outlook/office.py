"""What the suites of the Outlook adapter share: a card, ways in which Graph may behave, a user at their Outlook."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from dev.simulators.graph.control import GraphControl
from shared.cards.model import Card, Origin, OutlookContact, Stamp
from shared.engine.sides import Folder, FolderStamp, OutlookDraft, OutlookSide
from shared.errors import ContactError
from tests.fakes.cards import FULL_CARD

CATEGORY = "Business Central"
ADDRESS = "ada@contoso.example"
STAMP = FolderStamp(company_id=str(uuid4()), profile_id="p1", environment="Production")

#: Ways in which the real service may behave where its documentation is silent.
SERVICES: dict[str, dict[str, Any]] = {
    "strict": {},
    "lax": {
        "honour_if_match": False,
        "folder_exists_status": 400,
        "list_default_folder": True,
        "folder_path_checks_folder": False,
        "short_path_scope": "with-deleted",
        "empty_form": "null",
        "fill_email_name": False,
        "missing_extended": "empty",
        "proptag_form": "short",
        "sensitivity_always_present": False,
        "delta_items": "changed",
        "removed_reason_on_move": "changed",
        "users_by_mail": True,
        "retry_after": "fractional",
    },
    "rough": {
        "delta_duplicates": 0.3,
        "delta_replays": 0.5,
        "delta_empty_pages": 0.3,
        "delta_short_pages": 0.3,
        "empty_form": "text",
        "contact_page_limit": 7,
        "delta_page_limit": 5,
        "retry_after": "missing",
        "limit_concurrent": 3,
    },
}

strict_only = pytest.mark.parametrize("graph", ["strict"], indirect=True)


@dataclass
class Outlook:
    """The user at their Outlook, with one folder in view."""

    graph: GraphControl
    user: str
    folder: str

    def contacts(self) -> dict[str, dict[str, Any]]:
        return {each["displayName"]: each for each in self.graph.contacts_of(self.user, self.folder)}

    def add(self, name: str, **properties: Any) -> str:
        return self.graph.create_contact(self.user, {"displayName": name, **properties}, self.folder)


def draft(card: Card = FULL_CARD, bc_id: str = "") -> OutlookDraft:
    return OutlookDraft(card, Stamp(bc_id or str(uuid4()), Origin.SYNC, "Production", STAMP.company_id))


def made(outcome: OutlookContact | ContactError | None) -> OutlookContact:
    assert isinstance(outcome, OutlookContact), outcome
    return outcome


def create(side: OutlookSide, folder: Folder, card: Card = FULL_CARD) -> OutlookContact:
    (outcome,) = side.create(folder.id, [draft(card)])
    return made(outcome)
