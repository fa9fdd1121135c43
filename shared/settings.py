"""All settings of the app, and the only reader of the environment.

They are read once, on first use: a missing one must not keep the app from loading, or no function could say so.
`docs/configuration.md` and `local.settings.sample.json` list the same settings; a test compares them.
"""

import functools
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from shared.errors import SettingsError

#: What a check returns: blank when the value is fine, else what is wrong with it.
type Check = Callable[[Any], str]

PLATFORM_HOST = "WEBSITE_HOSTNAME"  #: the platform sets it to the app's own host name
STORAGE = "AzureWebJobsStorage"  #: also the prefix of the settings for access by identity (platform reference 1.4)


def _any(value: object) -> str:
    return ""


def _root(value: str) -> str:
    """The root address of a service, and no more."""
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        return "must be an address that begins with https://"
    return ""


def _above_zero(value: float) -> str:
    return "" if value > 0 else "must be above 0"


def _not_negative(value: float) -> str:
    return "" if value >= 0 else "must not be below 0"


def _share(value: float) -> str:
    return "" if 0 <= value <= 1 else "must lie between 0 and 1 (0.2 is 20 %)"


def _switch(value: int) -> str:
    return "" if value in (0, 1) else "must be 0 (off) or 1 (on)"


def _lease(value: float) -> str:
    return "" if 15 <= value <= 60 else "must lie between 15 and 60"


def _subscription(value: float) -> str:
    # Graph makes 45 minutes of less, and grants less than 7 days
    return "" if 45 <= value < 10_080 else "must lie between 45 and 10079"


def _wait(value: float) -> str:
    # the platform ends any HTTP answer after 230 s
    return "" if 0 <= value <= 200 else "must lie between 0 and 200"


def _prefix(value: str) -> str:
    # Table names take letters and digits, queue names small letters, digits and single hyphens; both have an end.
    fine = re.fullmatch(r"[a-z][a-z0-9]{2,29}", value)
    return "" if fine else "must be 3 to 30 small letters and digits, a letter first"


def _setting(name: str, default: Any = MISSING, check: Check = _any, *, secret: bool = False) -> Any:
    """A field read from the setting `name`; without a default the setting is required."""
    details = {"name": name, "check": check}
    return (
        field(metadata=details, repr=not secret)
        if default is MISSING
        else field(default=default, metadata=details, repr=not secret)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Field by field in `docs/configuration.md`; secrets are left out of the repr."""

    # who we are, and where the services are
    tenant_id: str = _setting("ENTRA_TENANT_ID")
    client_id: str = _setting("ENTRA_CLIENT_ID")
    client_secret: str = _setting("ENTRA_CLIENT_SECRET", "", secret=True)
    client_certificate: str = _setting("ENTRA_CLIENT_CERTIFICATE", "", secret=True)
    managed_identity_client_id: str = _setting("MANAGED_IDENTITY_CLIENT_ID", "")
    authority_host: str = _setting("ENTRA_AUTHORITY_HOST", "https://login.microsoftonline.com", _root)
    graph_root: str = _setting("GRAPH_ROOT", "https://graph.microsoft.com", _root)
    bc_root: str = _setting("BC_ROOT", "https://api.businesscentral.dynamics.com", _root)
    bc_scope: str = _setting("BC_SCOPE", "https://api.businesscentral.dynamics.com/.default")
    bc_tenant: str = _setting("BC_TENANT", "")  #: blank: the Entra tenant; `read` fills it in
    bc_environment: str = _setting("BC_ENVIRONMENT")
    public_address: str = _setting("PUBLIC_ADDRESS", "", _root)  #: blank: `read` asks the platform

    # storage
    storage_connection: str = _setting(STORAGE, "", secret=True)
    storage_account: str = _setting(f"{STORAGE}__accountName", "")
    storage_tables: str = _setting(f"{STORAGE}__tableServiceUri", "")
    storage_queues: str = _setting(f"{STORAGE}__queueServiceUri", "")
    storage_identity: str = _setting(f"{STORAGE}__clientId", "")
    storage_prefix: str = _setting("STORAGE_PREFIX", "contactsync", _prefix)

    # when: the host reads it too, for the timer
    sync_schedule: str = _setting("SYNC_SCHEDULE", "0 */5 * * * *")

    # names in Outlook (R27, R28)
    category: str = _setting("CATEGORY", "Business Central")
    default_folder: str = _setting("DEFAULT_FOLDER_NAME", "Business Central")

    # the safety stop (R26)
    removals_count: int = _setting("HOLD_REMOVALS_COUNT", 10, _not_negative)
    removals_share: float = _setting("HOLD_REMOVALS_SHARE", 0.20, _share)
    removals_most: int = _setting("HOLD_REMOVALS_MOST", 200, _not_negative)
    feed_count: int = _setting("HOLD_FEED_COUNT", 50, _not_negative)
    feed_share: float = _setting("HOLD_FEED_SHARE", 0.05, _share)
    bc_creations: int = _setting("HOLD_BC_CREATIONS", 100, _not_negative)
    outlook_creations: int = _setting("HOLD_OUTLOOK_CREATIONS", 5_000, _not_negative)
    strangers: int = _setting("HOLD_STRANGERS", 10, _not_negative)
    window_hours: int = _setting("HOLD_WINDOW_HOURS", 24, _above_zero)
    mass_updates: int = _setting("HOLD_MASS_UPDATES", 0, _switch)
    updates_count: int = _setting("HOLD_UPDATES_COUNT", 500, _not_negative)
    updates_share: float = _setting("HOLD_UPDATES_SHARE", 0.5, _share)
    leavers_count: int = _setting("HOLD_LEAVERS_COUNT", 10, _not_negative)
    leavers_share: float = _setting("HOLD_LEAVERS_SHARE", 0.20, _share)
    hold_days: float = _setting("HOLD_DAYS", 7.0, _above_zero)

    # fields that are set back again and again (R38)
    swing_times: int = _setting("OSCILLATION_TIMES", 3, _above_zero)
    swing_hours: float = _setting("OSCILLATION_HOURS", 24.0, _above_zero)
    swing_minutes: float = _setting("OSCILLATION_MINUTES", 10.0, _above_zero)

    # runs and the company feed
    run_budget: float = _setting("RUN_BUDGET_SECONDS", 240.0, _above_zero)
    lease_seconds: float = _setting("LEASE_SECONDS", 60.0, _lease)
    overlap_minutes: int = _setting("FEED_OVERLAP_MINUTES", 15, _not_negative)
    feed_singly_most: int = _setting("FEED_SINGLY_MOST", 20, _not_negative)
    enumeration_most: int = _setting("ENUMERATION_MOST", 100_000, _not_negative)
    enumeration_minutes: int = _setting("ENUMERATION_MINUTES", 60, _above_zero)
    sweep_minutes: float = _setting("SWEEP_MINUTES", 60.0, _above_zero)
    subscription_minutes: float = _setting("SUBSCRIPTION_MINUTES", 10_000.0, _subscription)
    renew_hours: float = _setting("RENEW_HOURS", 48.0, _above_zero)
    upkeep_schedule: str = _setting("UPKEEP_SCHEDULE", "30 */15 * * * *")  # the host reads it too
    import_schedule: str = _setting("IMPORT_SCHEDULE", "0 0 1 * * *")  # and this one
    run_gap: float = _setting("RUN_GAP_SECONDS", 2.5, _not_negative)
    country_hours: int = _setting("COUNTRY_HOURS", 24, _above_zero)
    log_lag_most: int = _setting("LOG_LAG_MOST", 5_000, _above_zero)
    retry_first: float = _setting("RETRY_FIRST_SECONDS", 300.0, _above_zero)
    retry_most: float = _setting("RETRY_MOST_SECONDS", 86_400.0, _above_zero)
    setup_probe: float = _setting("SETUP_PROBE_SECONDS", 900.0, _above_zero)
    create_settles: float = _setting("CREATE_SETTLES_SECONDS", 600.0, _above_zero)
    attempts_most: int = _setting("ATTEMPTS_MOST", 5, _above_zero)
    apply_batch: int = _setting("APPLY_BATCH", 200, _above_zero)
    feed_wait: float = _setting("FEED_WAIT_SECONDS", 120.0, _not_negative)
    wait_most: float = _setting("WAIT_MOST_SECONDS", 60.0, _wait)
    retention_days: int = _setting("RETENTION_DAYS", 30, _above_zero)
    notes_most: int = _setting("NOTES_PER_REPORT", 1_000, _above_zero)

    # requests
    http_timeout: float = _setting("HTTP_TIMEOUT_SECONDS", 120.0, _above_zero)
    graph_page_size: int = _setting("GRAPH_PAGE_SIZE", 200, _above_zero)
    bc_page_size: int = _setting("BC_PAGE_SIZE", 20_000, _above_zero)

    @property
    def graph_scope(self) -> str:
        """Scope of Graph's tokens: every cloud names it after the root."""
        return f"{self.graph_root}/.default"


def get_settings() -> Settings:
    """The settings of this process. Raises SettingsError at every call until they are all right."""
    return _of_this_process()


def reset_settings() -> None:
    """Read the environment again at the next call: for tests."""
    _of_this_process.cache_clear()


@functools.cache
def _of_this_process() -> Settings:
    return read(os.environ)


def read(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`. Raises SettingsError that names everything missing or wrong at once."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for each in fields(Settings):
        name, text = setting_name(each), environment.get(setting_name(each), "").strip()
        if not text:
            if each.default is MISSING:
                wrong.append(f"{name} is missing")
            continue
        try:
            value = _convert(text, each)
        except ValueError as error:
            wrong.append(f"{name} {error}")
            continue
        if complaint := each.metadata["check"](value):
            wrong.append(f"{name} {complaint}")
        values[each.name] = value
    wrong += _wrong_together(values)
    if wrong:
        raise SettingsError(
            f"The app's settings need mending: {'; '.join(wrong)}. "
            "Set them in the function app (locally: local.settings.json) and see docs/configuration.md."
        )
    values.setdefault("bc_tenant", values["tenant_id"])
    values.setdefault("public_address", _own_address(environment.get(PLATFORM_HOST, "").strip()))
    return Settings(**values)


def _own_address(host: str) -> str:
    """The app's own root, blank where no service could reach it: on a developer's machine."""
    name = re.sub(r":[0-9]+$", "", host).strip("[]").lower()
    if name in {"", "localhost"}:
        return ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return f"https://{host}"
    return ""


def setting_name(each: Field[Any]) -> str:
    """The name of the setting behind a field."""
    return str(each.metadata["name"])


def _convert(text: str, each: Field[Any]) -> str | int | float:
    if each.type is int:
        if not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise ValueError("must be a whole number")
        return int(text)
    if each.type is float:
        if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]+)?", text):
            raise ValueError("must be a number with a point, such as 0.2")
        return float(text)
    return text.rstrip("/") if each.metadata["check"] is _root else text


def _wrong_together(values: Mapping[str, Any]) -> list[str]:
    """What single settings do not show: a group of which at least one is needed."""
    wrong = []
    if not values.keys() & {"client_secret", "client_certificate", "managed_identity_client_id"}:
        wrong.append(
            "one of MANAGED_IDENTITY_CLIENT_ID, ENTRA_CLIENT_CERTIFICATE and ENTRA_CLIENT_SECRET is missing"
            " (best first)"
        )
    by_address = {"storage_tables", "storage_queues"} <= values.keys()
    if not (values.keys() & {"storage_connection", "storage_account"} or by_address):
        wrong.append(f"{STORAGE} is missing (or, for access by identity, {STORAGE}__accountName)")
    return wrong
