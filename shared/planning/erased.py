"""Who was erased, known only by keyed hashes (R39). Pure."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.cards import emails


@dataclass(frozen=True, slots=True)
class Erased:
    """The erased persons of one company, by BC id and by e-mail key; what is looked for must be known to be found."""

    key: bytes = field(default=b"", repr=False)  #: the deployment's, never logged
    marks: frozenset[str] = frozenset()

    def __contains__(self, text: str) -> bool:
        """Whether this BC id or e-mail key is that of somebody who was erased."""
        return bool(self.marks and text) and self.mark(text) in self.marks

    def mark(self, text: str) -> str:
        """The hash that is stored: 128 bits of HMAC-SHA-256 in hex."""
        return hmac.digest(self.key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]

    def any_of(self, texts: Iterable[str]) -> bool:
        """Whether one of these is in it."""
        return bool(self.marks) and any(each in self for each in texts)

    def has_first(self, email_text: str) -> bool:
        """Whether the matching key of an e-mail field is in it: a second address may be many people's (R3)."""
        return bool(self.marks) and emails.key_of(email_text) in self

    def has_address(self, email_text: str) -> bool:
        """Whether one of the addresses of an e-mail field is in it."""
        return bool(self.marks) and self.any_of(emails.keys_of(email_text))


NOBODY = Erased()
ERASING = "erasing"  #: a parked contact's reason: it is still to be removed for good
