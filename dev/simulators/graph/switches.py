"""Every choice of the Graph simulator where its contract is silent or leaves room, as a named switch.

"Section" is that of the Graph reference. The default is the stricter or the more awkward choice, unless that would make
the number of requests depend on chance.

| switch | values (default first) | section, what it decides |
|---|---|---|
| list_default_folder | False, True | 2.1: the default Contacts folder is in the list of top-level folders |
| folder_exists_status | 409, 400 | 2.2: HTTP status of ErrorFolderExists |
| deleted_folder_resolves | True, False | 2.3: a deleted folder lives on below Deleted Items, with its id and contents |
| folder_reparent | "refuse", "ignore", "move" | 2: PATCH of a folder's parentFolderId |
| folder_page_size | 10 | 2: default page size of folder lists |
| contact_page_size | 10 | 3.1: default page size of contact lists |
| contact_page_limit | 999 | 3.1: larger $top is clamped |
| users_by_mail | False, True | 11: /users/{mail} works where mail is not the user principal name |
| unknown_user_code | "ErrorInvalidUser", any | 10.5: 404 of mailbox calls for a user who does not exist |
| short_path_scope | "mailbox", "with-deleted", "default-folder" | 1.4: where /users/{id}/contacts/{id} finds contacts |
| folder_path_checks_folder | True, False | 1.4: a contact is found below its own folder's path only |
| ids_need_prefer | True, False | 5: an id in a URL must be of the form that the Prefer header asks for |
| unknown_properties | "refuse", "ignore" | 1.4: unknown property in a body |
| read_only_properties | "refuse", "ignore" | 1.6: id, changeKey and the time stamps in a body |
| contact_reparent | "refuse", "ignore", "move" | 3.6: PATCH of a contact's parentFolderId |
| honour_if_match | True, False | 1.3: If-Match on contact PATCH and DELETE |
| regenerate_display_name | True, False | 1.4: name parts changed, displayName not sent |
| empty_form | "mixed", "null", "text" | 1.2: empty text comes back as null, as "", or as either |
| fill_email_name | True, False | 1.4: an e-mail address without name gets the address as name |
| text_limit | 255 | 1.1: longest single-line text |
| notes_limit | 32768 | 1.1: longest personalNotes |
| sensitivity_always_present | True, False | 6: every contact has Integer 0x0036, "0" unless marked |
| missing_extended | "absent", "empty" | 6.2: $expand on an item without the property |
| proptag_form | "asked", "short" | 6.1: id of a predefined property comes back as asked for, or as 0x36 |
| stamp_only_change_in_delta | True, False | 4.1: changing only an extended property is a change |
| find_delay | 0.0 | 6.3: simulated seconds before the find-by-key filter sees a new or changed contact |
| delta_expand_works | False, True | 4.1: $expand on delta; False: 500 |
| delta_items | "full", "changed" | 4.2: changed items carry all selected properties, or only the changed ones |
| delta_page_limit | 200 | 4.1: default and largest page |
| delta_generations | 4 | 4.3: how many of the newest links of a folder work |
| delta_delay | 0.0 | 4.2: simulated seconds before a change shows up (each change: a random part of it) |
| delta_shuffle | True, False | 4.2: no order within a round |
| delta_duplicates | 0.0 | 4.2: probability that an item occurs twice in a round |
| delta_replays | 0.0 | 4.2: probability that a round repeats an older change |
| delta_empty_pages | 0.0 | 4.1: probability of an empty page with a nextLink |
| delta_short_pages | 0.0 | 4.1: probability of a page shorter than it could be |
| removed_reason_on_move | "deleted", "changed" | 4.2: @removed.reason of a contact moved out |
| batch_inherits_prefer | False, True | 7: items without Prefer take the outer one |
| batch_shuffle | True, False | 7: order of the responses |
| batch_unknown_members | "refuse", "ignore" | 7: a member of a batch's request that is not documented |
| throttling | True, False | 8: limits per app and mailbox |
| limit_concurrent | 4 | 8.1 |
| limit_requests | 10000 | 8.1, per limit_window |
| limit_window | 600.0 | 8.1, simulated seconds |
| limit_upload | 157286400 | 8.1, bytes per limit_upload_window |
| limit_upload_window | 300.0 | 8.1, simulated seconds |
| concurrency_wait | 2.0 | 8.2: Retry-After of MailboxConcurrency, simulated seconds |
| retry_after | "integer", "fractional", "date", "missing" | 8.2: form of the header; in real time |
| folder_subscriptions | True, False | 9.1: contacts of one folder can be subscribed to; False: 400 ExtensionError |
| subscription_needs_read | True, False | 9.1, 14: Contacts.ReadWrite alone does not suffice |
| subscription_by_rbac | True, False | 14: an RBAC scope suffices, without consent in the tenant |
| subscriptions_per_mailbox | 1000 | 9.1: quota over all apps |
| subscription_over_maximum | "refuse", "clamp" | 9.2: expirationDateTime more than 7 days ahead |
| subscription_in_past | "refuse", "raise" | 9.2: expirationDateTime in the past; under 45 min is raised |
| subscription_shows_client_state | False, True | 9.2: GET and list return clientState |
| subscription_page_size | 100 | 9.2: page size of the list |
| handshake_on_patch | "always", "url", "never" | 9.3: a renewal asks notificationUrl again; "url": only a new one |
| handshake_timeout | 10.0 | 9.3: real seconds |
| limit_subscription_writes | 500 | 8.1: POST, PATCH, DELETE per limit_subscription_window |
| limit_subscription_reauthorize | 1000 | 8.1 |
| limit_subscription_reads | 500 | 8.1: GET of one |
| limit_subscription_lists | 25 | 8.1 |
| limit_subscription_window | 20.0 | 8.1, simulated seconds |
| notify_delay | 0.0 | 9.4: simulated seconds from a change to its notification |
| notify_resource_form | "mixed", "segments", "keys" | 9.4: Users/{id}/Contacts/{id}, or users('…')/contacts('…') |
| notify_move | "created", "updated" | 9.4: where a moved contact arrives, and for the whole mailbox |
| notify_removal | "deleted", "updated" | 9.4: where a contact was moved out or soft-deleted |
| notify_deleted_data | "id", "full" | 9.4: resourceData of a deletion; "full": with @odata.etag |
| notify_folder_deletion | "nothing", "items", "removed" | 9: silent; `deleted` for each contact; subscriptionRemoved |
| notify_loss | 0.0 | 9.4: probability that a notification is never sent |
| notify_duplicates | 0.0 | 9.4: probability that a notification is sent twice |
| notify_shuffle | True, False | 9.4: no order among the items of one POST |
| notify_timeout | 3.0 | 9.4: real seconds for an answer |
| notify_retry_timeout | 10.0 | 9.4: real seconds for the answer to a retry |
| notify_retry_first | 10.0 | 9.4: simulated seconds before the first retry; then twice as long each time |
| notify_retry_for | 14400.0 | 9.4: simulated seconds after which an item is lost |
| notify_endpoint_states | False, True | 9.4: slow and drop states of endpoints that answer slowly |
| notify_endpoint | "host", "url" | 9.4: what an endpoint is |
| notify_while_unauthorized | "lost", "held" | 9.6: changes until reauthorized; "held": sent then, within 4 h |
"""

from dataclasses import dataclass, fields


@dataclass
class Switches:
    """The switches and their defaults; the module's docstring says what each decides."""

    list_default_folder: bool = False
    folder_exists_status: int = 409
    deleted_folder_resolves: bool = True
    folder_reparent: str = "refuse"
    folder_page_size: int = 10
    contact_page_size: int = 10
    contact_page_limit: int = 999
    users_by_mail: bool = False
    unknown_user_code: str = "ErrorInvalidUser"
    short_path_scope: str = "mailbox"
    folder_path_checks_folder: bool = True
    ids_need_prefer: bool = True
    unknown_properties: str = "refuse"
    read_only_properties: str = "refuse"
    contact_reparent: str = "refuse"
    honour_if_match: bool = True
    regenerate_display_name: bool = True
    empty_form: str = "mixed"
    fill_email_name: bool = True
    text_limit: int = 255
    notes_limit: int = 32768
    sensitivity_always_present: bool = True
    missing_extended: str = "absent"
    proptag_form: str = "asked"
    stamp_only_change_in_delta: bool = True
    find_delay: float = 0.0
    delta_expand_works: bool = False
    delta_items: str = "full"
    delta_page_limit: int = 200
    delta_generations: int = 4
    delta_delay: float = 0.0
    delta_shuffle: bool = True
    delta_duplicates: float = 0.0
    delta_replays: float = 0.0
    delta_empty_pages: float = 0.0
    delta_short_pages: float = 0.0
    removed_reason_on_move: str = "deleted"
    batch_inherits_prefer: bool = False
    batch_shuffle: bool = True
    batch_unknown_members: str = "refuse"
    throttling: bool = True
    limit_concurrent: int = 4
    limit_requests: int = 10_000
    limit_window: float = 600.0
    limit_upload: int = 150 * 1024 * 1024
    limit_upload_window: float = 300.0
    concurrency_wait: float = 2.0
    retry_after: str = "integer"
    folder_subscriptions: bool = True
    subscription_needs_read: bool = True
    subscription_by_rbac: bool = True
    subscriptions_per_mailbox: int = 1000
    subscription_over_maximum: str = "refuse"
    subscription_in_past: str = "refuse"
    subscription_shows_client_state: bool = False
    subscription_page_size: int = 100
    handshake_on_patch: str = "always"
    handshake_timeout: float = 10.0
    limit_subscription_writes: int = 500
    limit_subscription_reauthorize: int = 1000
    limit_subscription_reads: int = 500
    limit_subscription_lists: int = 25
    limit_subscription_window: float = 20.0
    notify_delay: float = 0.0
    notify_resource_form: str = "mixed"
    notify_move: str = "created"
    notify_removal: str = "deleted"
    notify_deleted_data: str = "id"
    notify_folder_deletion: str = "nothing"
    notify_loss: float = 0.0
    notify_duplicates: float = 0.0
    notify_shuffle: bool = True
    notify_timeout: float = 3.0
    notify_retry_timeout: float = 10.0
    notify_retry_first: float = 10.0
    notify_retry_for: float = 14400.0
    notify_endpoint_states: bool = False
    notify_endpoint: str = "host"
    notify_while_unauthorized: str = "lost"

    def change(self, **values: object) -> None:
        """Set switches by name; raises ValueError for a name or a type that does not exist."""
        defaults = {field.name: field.default for field in fields(self)}
        for name, value in values.items():
            if name not in defaults:
                raise ValueError(f"no switch {name!r}")
            wanted = type(defaults[name])
            if wanted is float and type(value) is int:
                value = float(value)
            if type(value) is not wanted:
                raise ValueError(f"switch {name} takes a {wanted.__name__}")
        for name, value in values.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Go back to the defaults."""
        for field in fields(self):
            setattr(self, field.name, field.default)
