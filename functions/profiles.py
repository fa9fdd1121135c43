"""User door: one user's own set-up."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.answers import Standing, answer, check_body, profile_body
from functions.deadlines import QUICK, SAVING, within
from functions.incoming import caller, etag_of, read_body, subject
from functions.problems import answering
from shared.bootstrap import get_services
from shared.engine.versions import version_of
from shared.engine.watching import Source

if TYPE_CHECKING:
    from shared.engine.model import Profile
    from shared.engine.services import Services

bp = func.Blueprint()


@bp.function_name("user_profile")
@bp.route(route="api/profiles/{user}", methods=["GET", "PUT", "PATCH"])
@answering
def user_profile(req: func.HttpRequest) -> func.HttpResponse:
    """Read, save or change a user's profile."""
    services = get_services()
    if req.method.upper() == "GET":
        from shared.engine.callers import find_profile

        found = find_profile(services, subject(req), caller(req), within(services, QUICK))
        return profile_answer(services, found, status=200)
    return save_profile(services, req, whole=req.method.upper() == "PUT", admin=False)


@bp.function_name("user_validate")
@bp.route(route="api/profiles/{user}/validate", methods=["POST"])
@answering
def user_validate(req: func.HttpRequest) -> func.HttpResponse:
    """Try the connection, with the profile as it is saved or as the body has it."""
    from functions.bodies import ProfileBody
    from shared.engine.validate import validate

    services, body = get_services(), read_body(req, ProfileBody)
    wish = body.wish(etag_of(req, body.etag))
    checks = validate(services, subject(req, body), wish, caller(req, body), within(services, SAVING))
    # without notifications everything works, only later
    fine = all(each.ok for each in checks if each.check != "webhook")
    return answer({"ok": fine, "checks": [check_body(each) for each in checks]})


def save_profile(services: "Services", req: func.HttpRequest, *, whole: bool, admin: bool) -> func.HttpResponse:
    """PUT and PATCH, for both doors."""
    from functions.bodies import ProfileBody
    from shared.engine.profiles import save

    body = read_body(req, ProfileBody)
    saved, created = save(
        services,
        subject(req, body),
        body.wish(etag_of(req, body.etag)),
        caller(req, body),
        within(services, SAVING),
        whole=whole,
        admin=admin,
    )
    return profile_answer(services, saved, status=201 if created else 200)


def profile_answer(services: "Services", profile: "Profile", *, status: int) -> func.HttpResponse:
    """A profile with when it was last run."""
    positions = services.mailboxes.peek(profile.mailbox_id, profile.company_id, profile.id).positions()
    from shared.engine.pauses import pause_of

    subscription = services.subscriptions.get(Source.GRAPH, profile.company_id, profile.id)
    feed = services.companies.feed(profile.company_id)
    company_holds = [each for each in (feed.stopped, feed.held) if each is not None]
    paused = pause_of(services.pauses.all(), profile.company_id, profile.id)
    standing = Standing(positions, subscription, services.now(), paused, [*positions.holds.values(), *company_holds])
    name = services.companies.settings(profile.company_id).name
    headers = {"ETag": f'"{version_of(profile.etag)}"'}
    return answer(profile_body(profile, name, standing), status=status, headers=headers)
