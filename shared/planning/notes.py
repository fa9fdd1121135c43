"""Notes about a contact, filled in with what is known of it (R35)."""

from collections.abc import Collection

from shared.cards import emails
from shared.cards.model import FIELDS, BcContact, Card, Field, OutlookContact
from shared.cards.names import one_name
from shared.cards.translate import Countries, agree
from shared.planning.merge import Merge, Remark
from shared.planning.model import Link, Note, NoteKind


def about(
    kind: NoteKind,
    code: str,
    reason: str,
    *,
    bc: BcContact | None = None,
    outlook: OutlookContact | None = None,
    link: Link | None = None,
    field: str = "",
    value: str = "",
) -> Note:
    """One note; name and e-mail from whichever side is known, of who is privacy blocked neither (R39)."""
    card = bc.card if bc else outlook.card if outlook else link.base_bc if link else Card()
    card = Card() if bc is not None and bc.privacy_blocked else card
    return Note(
        kind,
        code,
        reason,
        bc_id=bc.id if bc else link.bc_id if link else "",
        outlook_id=outlook.id if outlook else link.outlook_id if link else "",
        name=one_name(card),
        email=next(iter(emails.split(card.email)), ""),
        field=field,
        value=value,
    )


def of_merge(merge: Merge, bc: BcContact, outlook: OutlookContact) -> list[Note]:
    """The notes of a merge."""
    return [_of_remark(remark, bc, outlook) for remark in merge.remarks]


def _of_remark(remark: Remark, bc: BcContact, outlook: OutlookContact) -> Note:
    return about(
        remark.kind, remark.code, remark.reason, bc=bc, outlook=outlook, field=remark.field.value, value=remark.value
    )


def lost_edits(
    link: Link, outlook: OutlookContact, code: str, reason: str, countries: Countries, *, spared: Collection[Field] = ()
) -> list[Note]:
    """What a user had typed into a contact that is removed (R24), and what is not in BC: it never got there (R17 to
    R19, R37), or an undo took it out (R36). `spared`: fields that somebody else has told about."""
    return [
        about(
            NoteKind.CONFLICT, code, reason, outlook=outlook, link=link, field=which.value, value=_now(outlook, which)
        )
        for which in FIELDS
        if which not in spared and _now(outlook, which) and _is_lost(which, link, outlook, countries)
    ]


def _is_lost(which: Field, link: Link, outlook: OutlookContact, countries: Countries) -> bool:
    if which in link.left or outlook.card.get(which) != link.base_outlook.get(which):
        return True
    value = one_name(outlook.card) if which is Field.NAME else outlook.card.get(which)
    return not agree(which, link.base_bc.get(which), value, countries)


def _now(outlook: OutlookContact, which: Field) -> str:
    return outlook.card.get(which)
