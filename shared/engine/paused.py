"""Fields that are paused since they went to and fro (R38), and their way on."""

from shared.engine.callers import is_object_id
from shared.engine.model import Profile, Report
from shared.engine.requests import Wanted, request_run
from shared.engine.services import Services
from shared.errors import RequestError


def resume(services: Services, profile: Profile, bc_id: str, actor: str) -> Report:
    """Let a contact's paused fields travel again; answers the run that does it.

    Raises RequestError `not-paused` (404), `profile-disabled` (409).
    """
    wanted = bc_id.lower()
    state = services.mailboxes.peek(profile.mailbox_id, profile.company_id, profile.id)
    link = state.links_by_bc([wanted]).get(wanted) if is_object_id(bc_id) else None
    if link is None or not link.paused:
        raise RequestError(
            "No field of this contact is paused for the user. POST .../contacts/explain says what keeps it as it is.",
            code="not-paused",
            status=404,
            field="id",
        )
    return request_run(services, profile, Wanted(resume=(wanted,)), actor)
