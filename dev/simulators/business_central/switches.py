"""Every choice where the contract is silent or contradicts itself, as a named switch.

The defaults are what was seen live where anything was, else the choice that is hardest on a client.
Changed while running by the control action `switches`.
"""

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_origin, get_type_hints


@dataclass(slots=True)
class Switches:
    """The switches of one environment. `slots` keeps misspelt names out."""

    # Writing (2.3 to 2.7)
    property_order: Literal["payload", "page"] = "page"  #: in which order body properties are validated (2.12)
    null_text: Literal["refused", "cleared", "ignored"] = "refused"  #: JSON null for a text (2.7)
    annotations_in_body: Literal["refused", "ignored"] = "refused"  #: `@odata.*` in a body (2.5 says: strip)
    client_id: Literal["refused", "kept"] = "refused"  #: `id` in a POST (2.5)
    unknown_property_code: Literal["BadRequest", "BadRequest_NotFound"] = "BadRequest"  #: both were seen (2.5)
    manual_numbers: bool = False  #: the number series allows manual numbers (2.5)
    rename_needs_manual_numbers: bool = True  #: a PATCH of `number` asks the series too (2.7 names the rename only)
    duplicate_key_status: Literal[400, 409] = 400  #: 12.2: live 400, binary reading 409
    phone_letters_code: Literal["Application_FieldValidationException", "Application_DialogException"] = (
        "Application_FieldValidationException"  #: 2.6: exact code not documented
    )
    website_length: Literal[255, 80] = 255  #: 80 before version 27 (2.1)
    country_clears_on_create: bool = True  #: country other than the inherited one clears the inherited town (2.6)
    delete_without_if_match: Literal["refused", "allowed"] = "refused"  #: 12.2: documented as required
    return_no_content: bool = False  #: `Prefer: return-no-content` gives 204 (2.5, unverified)

    # Reading (3)
    sandbox: bool = False  #: a sandbox has no read replica (3.5)
    replica: bool = True  #: GETs without `Data-Access-Intent: ReadWrite` read the replica (3.5)
    replica_lag_ms: int = 1000  #: how old the replica is, in simulated milliseconds
    default_order: Literal["id", "number"] = "id"  #: order of a list without `$orderby`
    skiptoken_position: Literal["remembered", "current"] = "remembered"  #: where a walk goes on whose last row moved
    skiptoken_of_deleted: Literal["error", "continue"] = "error"  #: the row of a skiptoken was deleted (3.3)
    literals: Literal["al", "wildcards", "exact"] = "al"  #: how far string literals are AL filters (3.4, rule 5)
    code_literals_upper: bool = False  #: literals for Code fields are upper-cased by the server (3.4, rule 12)
    in_without_21: Literal["refused", "ignored"] = "refused"  #: `in` without 2.1: 501, or whole table (3.4, rule 2)
    null_comparison: Literal["dropped", "refused"] = "dropped"  #: `f eq null` (3.4, rule 7)
    lambda_filter: Literal["refused", "ignored"] = "refused"  #: any/all: live 400, documented as ignored (3.2)
    url_limit: int = 15_700  #: bytes of a URL, then 400 (3.4, rule 13)
    page_limit: int = 20_000  #: rows of a page (3.3)

    # Errors (7, 11)
    unknown_contact: Literal["segment", "not-found", "endpoint", "empty"] = "segment"  #: the 404 of section 7
    unknown_company_status: Literal[404, 400] = 404  #: 11.2: "404 or other"
    contacts_page_missing: bool = False  #: transient loss of the API page (7): every contacts URL is unknown
    error_body: Literal["json", "empty", "html"] = "json"  #: gateways answer without JSON (11.1)
    server_language: Literal["en", "de"] = "en"  #: language of messages unless Accept-Language asks for English (11.1)

    # Access and limits (8, 9)
    app_enabled: bool = True  #: the app's card in BC is enabled; else 401
    permissions: Literal["full", "read-only", "none"] = "full"  #: on table Contact
    permission_status: Literal[500, 403, 400] = 500  #: 11.2: status not recorded
    retry_after_on_429: bool = False  #: not documented for 429 (8.2)
    batch_parts_count: bool = True  #: parts count against the rate limit (5)
    batch_inherits_intent: bool = False  #: parts take the batch's Data-Access-Intent when they have none

    # Users (9.3)
    users_permissions: bool = False  #: `usersPermissions` is there, as from version 29 on

    # Webhooks (6)
    webhook_contacts: Literal["supported", "unsupported", "hidden"] = "supported"  #: 6.1; hidden: by wildcard only
    duplicate_subscription: Literal[400, 409, "accepted"] = 400  #: same URL and resource (6.2)
    subscription_maximum: int = 200  #: per environment; one more is refused (6.4, 8.1)
    subscriptions_visible: Literal["all", "own"] = "all"  #: to another principal (6.4)
    handshake_method: Literal["POST", "GET"] = "POST"  #: 6.3
    handshake_body: Literal["contains", "exact"] = "contains"  #: 6.3: seen to look for the token inside the body
    handshake_timeout: float = 5.0  #: real seconds (6.3)
    notification_delay: float = 30.0  #: simulated seconds from a commit to the job that tells it (6.5)
    notification_timeout: float = 30.0  #: real seconds for the receiver's answer (6.5)
    notification_loss: float = 0.0  #: probability that a change is never told: its user cannot schedule jobs (6.5)
    leading_slash: Literal["as-subscribed", "always", "never"] = "as-subscribed"  #: of `resource` (6.5)
    collection_maximum: int = 1_000  #: single entries of a subscription; more are one collection (6.5)
    collection_filter: bool = True  #: the time of the first change is known, and so stands in the collection (6.5)

    # Copies (1.3)
    copy_keeps_ids: bool = True  #: SystemIds after a company copy

    def set(self, **changes: object) -> None:
        """Change switches by name; raises ValueError for unknown names and values, and then changes nothing."""
        types = get_type_hints(Switches)
        for name, value in changes.items():
            if name not in types:
                raise ValueError(f"no switch {name!r}; there are {sorted(types)}")
            if not _fits(types[name], value):
                raise ValueError(f"{name} cannot be {value!r}; it is {types[name]}")
        for name, value in changes.items():
            setattr(self, name, value)

    def read(self) -> dict[str, object]:
        """Return all switches by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _fits(wanted: object, value: object) -> bool:
    if get_origin(wanted) is Literal:
        return value in get_args(wanted)
    if wanted is float:
        return type(value) in (int, float) and isinstance(value, int | float) and value >= 0
    return type(value) is wanted and not (isinstance(value, int) and value < 0)
