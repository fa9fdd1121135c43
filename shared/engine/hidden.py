"""Contacts that stay away from a user who deleted them (R23), and their way back."""

from shared.engine.callers import is_object_id
from shared.engine.model import Mode, Profile, Report
from shared.engine.requests import Wanted, request_run
from shared.engine.services import Services
from shared.errors import RequestError


def unhide(services: Services, profile: Profile, bc_id: str, actor: str) -> Report | None:
    """Let a contact come back; answers the run that brings it, None when the profile is switched off.

    The run is a full one: nothing changed in BC, so an incremental one would not look at the contact. Raises
    RequestError `not-hidden` (404).
    """
    known = is_object_id(bc_id) and services.mailboxes.unhide(
        profile.mailbox_id, profile.company_id, profile.id, bc_id.lower()
    )
    if not known:
        raise RequestError(
            "This contact is not hidden from the user. POST .../contacts/explain says what keeps it away.",
            code="not-hidden",
            status=404,
            field="id",
        )
    return request_run(services, profile, Wanted(mode=Mode.FULL), actor) if profile.enabled else None
