"""What stays as an undo left it, until it changes (R36). Pure."""

import hashlib
import json

from shared.cards.model import Card

UNDONE = "undone"  #: a parked contact's reason: its creation in BC was undone


def looks(card: Card) -> str:
    """A card by which it is only recognised: 64 bits of SHA-256 in hex."""
    return hashlib.sha256(json.dumps(list(card)).encode()).hexdigest()[:16]
