"""The only place that knows which adapter stands behind which port.

Nothing is built at import: a missing setting must not keep the app from loading, or no function could say so. Engine
and adapters are imported when they are first needed, which keeps an idle start short.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.errors import SettingsError
from shared.settings import Settings, get_settings

if TYPE_CHECKING:
    from shared.engine.limits import Limits
    from shared.engine.permissions import Granted
    from shared.engine.services import Services
    from shared.transport.auth import Credential, TokenSource
    from shared.transport.client import Client

_lock = threading.Lock()
_built: "Services | None" = None

#: audience of a managed identity's token that stands for the app, by authority host; any other one uses the first
_EXCHANGE = "api://AzureADTokenExchange/.default"
_EXCHANGES = {
    "https://login.microsoftonline.us": "api://AzureADTokenExchangeUSGov/.default",
    "https://login.partner.microsoftonline.cn": "api://AzureADTokenExchangeChina/.default",
    "https://login.chinacloudapi.cn": "api://AzureADTokenExchangeChina/.default",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process has around it besides its settings; tests and measurements bring their own."""

    now: Callable[[], datetime] | None = None  #: None: the storage service's time, which all instances share
    local: Callable[[], datetime] = lambda: datetime.now(UTC)  #: this machine's time, which may be wrong
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    storage_options: Callable[[], Mapping[str, Any]] = dict  #: makes those of one client of the storage SDKs
    tokens: "TokenSource | None" = None  #: None: with the credential of the settings


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of both services, and where they get their tokens."""

    graph: "Client"
    business_central: "Client"
    tokens: "TokenSource"


def get_services() -> "Services":
    """The services of this process, built at the first call. Raises SettingsError until the settings are right."""
    global _built
    with _lock:
        if _built is None:
            _built = build(get_settings())
        return _built


def use_services(services: "Services | None") -> None:
    """Put others in their place, or None to build them anew: for tests."""
    global _built
    with _lock:
        _built = services


def build(settings: Settings, around: Surroundings = Surroundings()) -> "Services":
    """Plug the adapters in. Opens no connection."""
    from shared.business_central.environment import Environment
    from shared.engine.services import Services
    from shared.outlook.directory import OutlookDirectory
    from shared.storage.companies import TableCompanies
    from shared.storage.connect import table_service
    from shared.storage.imports import TableImports
    from shared.storage.journal import TableJournal
    from shared.storage.mailboxes import TableMailboxes
    from shared.storage.marks import TableMarks
    from shared.storage.pauses import TablePauses
    from shared.storage.profiles import TableProfiles
    from shared.storage.queues import QueueMessages
    from shared.storage.retention import TableRetention
    from shared.storage.runs import TableReports
    from shared.storage.subscriptions import TableSubscriptions
    from shared.storage.tables import Tables

    clients = clients_for(settings, around)
    graph, bc = clients.graph, clients.business_central
    tables = Tables(table_service(settings, **around.storage_options()), settings.storage_prefix, local=around.local)
    now = around.now or tables.clock.now
    return Services(
        directory=lambda pace: OutlookDirectory(
            graph, pace, category=settings.category, page_size=settings.graph_page_size
        ),
        business_central=lambda pace: Environment(bc, pace, page_size=settings.bc_page_size),
        mailboxes=TableMailboxes(tables, now=now, lease_seconds=settings.lease_seconds),
        companies=TableCompanies(tables, now=now, lease_seconds=settings.lease_seconds),
        profiles=TableProfiles(tables),
        marks=TableMarks(tables),
        reports=TableReports(tables, notes_most=settings.notes_most),
        journal=TableJournal(tables),
        pauses=TablePauses(tables),
        subscriptions=TableSubscriptions(tables),
        retention=TableRetention(tables),
        imports=TableImports(tables, now=now, lease_seconds=settings.lease_seconds),
        messages=QueueMessages(settings, settings.storage_prefix, around.storage_options, now=now),
        now=now,
        monotonic=around.monotonic,
        sleep=around.sleep,
        new_id=lambda: secrets.token_hex(4),
        environment=settings.bc_environment,
        public_address=settings.public_address,
        mailbox_tenant=settings.tenant_id,
        tenant=settings.bc_tenant,
        limits=limits(settings),
        granted=_granted(settings, clients.tokens),
    )


def clients_for(settings: Settings, around: Surroundings = Surroundings()) -> Clients:
    """The clients of both services. Opens no connection."""
    from shared.business_central.environment import service as bc_service
    from shared.outlook.service import graph_service
    from shared.transport.auth import READ_TIMEOUT, MsalTokens
    from shared.transport.client import Client

    tokens = around.tokens or MsalTokens(
        authority_host=settings.authority_host,
        tenant=settings.tenant_id,
        client_id=settings.client_id,
        credential=credential(settings),
        read_timeout=min(READ_TIMEOUT, settings.http_timeout),
        clock=around.monotonic,
    )
    graph = Client(
        replace(graph_service(settings.graph_root), read_timeout=settings.http_timeout),
        tokens,
        clock=around.monotonic,
        sleep=around.sleep,
    )
    bc = Client(
        bc_service(
            root=settings.bc_root,
            tenant=settings.bc_tenant,
            environment=settings.bc_environment,
            scope=settings.bc_scope,
            read_timeout=settings.http_timeout,
        ),
        tokens,
        clock=around.monotonic,
        sleep=around.sleep,
    )
    return Clients(graph, bc, tokens)


def _granted(settings: Settings, tokens: "TokenSource") -> "Granted":
    from shared.engine.permissions import Api
    from shared.transport.auth import roles_of

    scopes = {Api.GRAPH: settings.graph_scope, Api.BC: settings.bc_scope}
    return lambda api: roles_of(tokens.token(scopes[api]))


def limits(settings: Settings) -> "Limits":
    """The numbers of the rules, as the settings have them."""
    from shared.engine.limits import LeaverLimits, Limits, SafetyLimits, SwingLimits

    safety = SafetyLimits(
        removals_count=settings.removals_count,
        removals_share=settings.removals_share,
        removals_most=settings.removals_most,
        feed_count=settings.feed_count,
        feed_share=settings.feed_share,
        bc_creations=settings.bc_creations,
        outlook_creations=settings.outlook_creations,
        strangers=settings.strangers,
        window_hours=settings.window_hours,
        mass_updates=bool(settings.mass_updates),
        updates_count=settings.updates_count,
        updates_share=settings.updates_share,
    )
    swings = SwingLimits(
        swing_times=settings.swing_times,
        swing_hours=settings.swing_hours,
        swing_minutes=settings.swing_minutes,
    )
    return Limits(
        safety=safety,
        swings=swings,
        leavers=LeaverLimits(leavers_count=settings.leavers_count, leavers_share=settings.leavers_share),
        hold_days=settings.hold_days,
        retention_days=settings.retention_days,
        run_budget=settings.run_budget,
        overlap_minutes=settings.overlap_minutes,
        feed_singly_most=settings.feed_singly_most,
        enumeration_most=settings.enumeration_most,
        enumeration_minutes=settings.enumeration_minutes,
        sweep_minutes=settings.sweep_minutes,
        subscription_minutes=settings.subscription_minutes,
        renew_hours=settings.renew_hours,
        run_gap=settings.run_gap,
        country_hours=settings.country_hours,
        log_lag_most=settings.log_lag_most,
        retry_first=settings.retry_first,
        retry_most=settings.retry_most,
        setup_probe=settings.setup_probe,
        create_settles=settings.create_settles,
        attempts_most=settings.attempts_most,
        apply_batch=settings.apply_batch,
        feed_wait=settings.feed_wait,
        wait_most=settings.wait_most,
        category=settings.category,
        default_folder=settings.default_folder,
    )


def credential(settings: Settings) -> "Credential":
    """Best first: a managed identity that stands for the app (no secret at all), a certificate, a client secret."""
    from shared.transport.auth import Assertion, Certificate, Secret

    if settings.managed_identity_client_id:
        return Assertion(_identity(settings))
    if settings.client_certificate:
        return Certificate(settings.client_certificate)
    return Secret(settings.client_secret)


def _identity(settings: Settings) -> Callable[[], str]:
    from azure.core.exceptions import AzureError
    from azure.identity import CredentialUnavailableError, ManagedIdentityCredential

    from shared.transport.authority import TokenUnavailable
    from shared.transport.retry import Lost

    # the SDK says "unavailable" to an outage, too, and remembers it for a while: only the last status tells
    statuses: list[int] = []
    identity = ManagedIdentityCredential(
        client_id=settings.managed_identity_client_id,
        raw_response_hook=lambda answer: statuses.append(answer.http_response.status_code),
    )
    audience = _EXCHANGES.get(settings.authority_host, _EXCHANGE)

    def assertion() -> str:
        try:
            return str(identity.get_token(audience).token)
        except (AzureError, ValueError) as error:  # a ValueError: a page that is no JSON
            del statuses[:-1]
            status = statuses[0] if statuses else getattr(error, "status_code", None)
            absent = status is None and isinstance(error, CredentialUnavailableError)
            if not absent and status not in {400, 401, 403, 404}:
                outcome = status if status is not None and status >= 400 else Lost.NO_ANSWER
                raise TokenUnavailable(outcome, giver="managed identity") from error
            raise SettingsError(
                "The managed identity of MANAGED_IDENTITY_CLIENT_ID gives no token here. In Azure, assign it to the "
                "function app; anywhere else leave the setting out and use a certificate or a secret.",
                code="token-refused",
            ) from error

    return assertion
