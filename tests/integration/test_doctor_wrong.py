"""make doctor at the running system: each thing that somebody may get wrong is red, with advice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev.doctor.canary import VARIABLE
from dev.doctor.simulated import MEMBER, OUTSIDER
from dev.ports import free_port
from dev.simulators.certificates import make_certificates
from tests.integration.surgery import Surgery, with_consent
from tests.simulators.receiver import running_receiver

pytestmark = pytest.mark.integration


def with_the_mailbox(state: str) -> Callable[[Surgery], None]:
    return lambda surgery: surgery.graph.set_mailbox(MEMBER, state=state)


def with_environment(**settings: str) -> Callable[[Surgery], None]:
    return lambda surgery: surgery.environment.update(settings)


def asking(**questions: Any) -> Callable[[Surgery], None]:
    return lambda surgery: surgery.asked.update(questions)


def both(*spoil: Callable[[Surgery], None]) -> Callable[[Surgery], None]:
    def all_of_them(surgery: Surgery) -> None:
        for each in spoil:
            each(surgery)

    return all_of_them


WRONG: dict[str, tuple[Callable[[Surgery], None], dict[str, str]]] = {
    # settings and tokens
    "a setting missing": (with_environment(BC_ENVIRONMENT=""), {"settings": "BC_ENVIRONMENT is missing"}),
    "a wrong secret": (
        with_environment(ENTRA_CLIENT_SECRET="nonsense"),
        {"token Microsoft Graph": "AADSTS7000215", "token Business Central": "put the secret's value"},
    ),
    "an expired secret": (
        both(
            lambda surgery: (surgery.entra.add_secret("old"), surgery.entra.expire_secret("old"))[0],
            with_environment(ENTRA_CLIENT_SECRET="old"),
        ),
        {"token Microsoft Graph": "AADSTS7000222"},
    ),
    "another app": (
        with_environment(ENTRA_CLIENT_ID="00000000-1111-2222-3333-444444444444"),
        {"token Microsoft Graph": "AADSTS700016"},
    ),
    "another tenant": (
        with_environment(ENTRA_TENANT_ID="00000000-1111-2222-3333-444444444444"),
        {"token Microsoft Graph": "tenant"},
    ),
    "a wrong scope": (
        with_environment(BC_SCOPE="https://nothing.example/.default"),
        {"token Business Central": "AADSTS500011"},
    ),
    # permissions
    "Contacts.Read missing": (
        lambda surgery: surgery.entra.set_roles("graph", ["Contacts.ReadWrite", "User.Read.All"]),
        {"permission Contacts.Read": "admin consent"},
    ),
    "Contacts.ReadWrite missing": (
        lambda surgery: surgery.entra.set_roles("graph", ["Contacts.Read", "User.Read.All"]),
        {"permission Contacts.ReadWrite": "admin consent"},
    ),
    "API.ReadWrite.All missing": (
        lambda surgery: surgery.entra.set_roles("bc", []),
        {"permission API.ReadWrite.All": "admin consent"},
    ),
    "consent besides the limit": (
        with_consent,
        {"permission Contacts.ReadWrite": "undoes their limit", "mailbox outside the group": "Take Contacts.Read"},
    ),
    # mailbox
    "a mailbox outside the scope": (
        lambda surgery: surgery.graph.grant_rbac([]),
        {"mailbox": "Test-ServicePrincipalAuthorization", "mailbox outside the group": "wait and run this again"},
    ),
    "a policy in the way": (
        both(with_consent, lambda surgery: surgery.graph.block_by_policy([MEMBER])),
        {"mailbox": "application access policy"},
    ),
    "no licence": (with_the_mailbox("unlicensed"), {"mailbox": "licence"}),
    "nobody of that name": (asking(mailbox="nobody@contoso.example"), {"mailbox": "knows no such user"}),
    "a guest": (lambda surgery: surgery.graph.change_user(MEMBER, userType="Guest"), {"mailbox": "guest"}),
    "Exchange's reading role alone": (
        both(asking(write=True), lambda surgery: surgery.graph.grant_rbac([MEMBER], write=False)),
        {"write Outlook": "Application Contacts.ReadWrite"},
    ),
    # the mailbox that must not be reached
    "a scope that is too wide": (
        lambda surgery: surgery.graph.grant_rbac([MEMBER, OUTSIDER]),
        {"mailbox outside the group": "InScope True"},
    ),
    "a canary that does not exist": (
        with_environment(**{VARIABLE: "bird@contoso.example"}),
        {"mailbox outside the group": "knows no such user"},
    ),
    "a canary without a mailbox": (
        both(with_consent, lambda surgery: surgery.graph.set_mailbox(OUTSIDER, state="unlicensed")),
        {"mailbox outside the group": "another"},
    ),
    "a canary that is the member": (
        with_environment(**{VARIABLE: MEMBER}),
        {"mailbox outside the group": "outside the group"},
    ),
    "a canary by address that nobody may look up": (
        both(
            lambda surgery: surgery.entra.set_roles("graph", []),
            lambda surgery: surgery.asked.update(mailbox=surgery.graph.create_user("ben@contoso.example")),
        ),
        {"mailbox outside the group": "object id"},
    ),
    # Business Central
    "a wrong company": (asking(company="Nowhere Ltd"), {"company": "“CRONUS”"}),
    "a wrong environment": (with_environment(BC_ENVIRONMENT="Elsewhere"), {"company": "environment"}),
    "a card that is disabled": (
        lambda surgery: surgery.bc.switch(app_enabled=False),
        {"company": "Microsoft Entra Applications"},
    ),
    "no permission set": (lambda surgery: surgery.bc.switch(permissions="none"), {"contacts": "TableData"}),
    "a permission set for reading": (
        both(asking(write=True), lambda surgery: surgery.bc.switch(permissions="read-only")),
        {"write Business Central": "Microsoft Entra Applications"},
    ),
    "webhooks not offered": (
        lambda surgery: surgery.bc.switch(webhook_contacts="unsupported"),
        {"webhooks Business Central": "v2.0/contacts", "handshake Business Central": "polled"},
    ),
    # the public address
    "nothing at the public address": (
        lambda surgery: surgery.environment.update(PUBLIC_ADDRESS=f"https://127.0.0.1:{free_port()}"),
        {
            "public address": "PUBLIC_ADDRESS",
            "handshake Microsoft Graph": "PUBLIC_ADDRESS",
            "handshake Business Central": "PUBLIC_ADDRESS",
        },
    ),
    "something else at the public address": (
        lambda surgery: surgery.environment.update(PUBLIC_ADDRESS=surgery.environment["ENTRA_AUTHORITY_HOST"]),
        {"public address": "Something else answers", "handshake Microsoft Graph": "PUBLIC_ADDRESS"},
    ),
    "a sign-in before the app": (
        lambda surgery: surgery.environment.update(PUBLIC_ADDRESS=surgery.environment["GRAPH_ROOT"]),
        {"public address": "let /api/health and /api/webhooks/* through"},
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_red_and_says_what_to_do(surgery: Surgery, what: str) -> None:
    spoil, expected = WRONG[what]
    spoil(surgery)
    told, code = surgery.examine()
    for part, advice in expected.items():
        assert told[part].ok is False, told
        assert advice in told[part].what_to_do
    assert code == 1
    assert surgery.left_behind() == []


def test_a_certificate_that_nobody_trusts_is_named(surgery: Surgery, tmp_path: Path) -> None:
    with running_receiver(make_certificates(tmp_path).server_file) as receiver:
        surgery.environment["PUBLIC_ADDRESS"] = receiver.root
        told, _ = surgery.examine()
    assert "certificate there is not trusted" in told["public address"].what_to_do
    assert "trusted certificate" in told["handshake Business Central"].what_to_do


def test_services_that_cannot_be_reached_are_told_from_those_that_refuse(surgery: Surgery) -> None:
    surgery.graph.add_fault("answer", service="bc", path="/companies", status=400, body="<html>a proxy</html>")
    told, _ = surgery.examine()
    surgery.graph.clear_faults()
    assert "refused a request" in told["company"].what_to_do
    surgery.environment["ENTRA_AUTHORITY_HOST"] = f"https://127.0.0.1:{free_port()}"
    told, _ = surgery.examine()
    assert "network, proxy" in told["token Microsoft Graph"].what_to_do


def test_roles_that_are_not_yet_effective_are_told_apart_from_the_limit(surgery: Surgery) -> None:
    surgery.graph.grant_rbac([MEMBER], delay=60)
    told, code = surgery.examine()
    assert code == 1
    assert "not yet effective" in told["mailbox outside the group"].detail
    assert "2 hours" in told["mailbox"].what_to_do
    surgery.graph.advance_clock(61)
    told, _ = surgery.examine()
    assert surgery.red == {}
    assert "the limit is in force" in told["mailbox outside the group"].detail


def test_one_of_several_companies_must_be_named(surgery: Surgery) -> None:
    surgery.bc.add_company("Fabrikam & Söhne")
    told, code = surgery.examine()
    assert ("“Fabrikam & Söhne”" in told["company"].what_to_do, code) == (True, 1)
    surgery.asked["company"] = "fabrikam & söhne"
    assert surgery.examine()[1] == 0, surgery.red
