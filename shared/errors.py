"""The error tree, grouped by how far the damage reaches: that is what a caller has to know.

    SyncError
    ├── RetryableError          the same call may succeed later: the run hands over or the message comes back
    │   └── Throttled           ... and the service said when (R32)
    ├── ContactError            one contact cannot be synced: note it, go on (R31)
    │   ├── InvalidValue        the service refuses a value
    │   ├── ChangedMeanwhile    the version no longer matches: read again, merge again
    │   ├── ContactGone         the service says that this contact does not exist (R25: one look)
    │   ├── OutcomeUnknown      a create may or may not have happened: look before trying again (R9)
    │   └── NotDone             the run's time ended before the service took it: do it again later (R32)
    ├── ProfileError            this profile's run stops, other profiles go on (R31)
    │   ├── PositionExpired     a full run is needed (R33)
    │   ├── FolderMissing       the contact folder is not there (R27)
    │   └── MailboxUnavailable  no mailbox, no licence, no permission (R25)
    ├── CompanyError            this company cannot be read or written now
    │   ├── CompanyUnavailable  missing, renamed, no permission, environment down
    │   └── SetupRefused        the company's set-up refuses writes: number series, Marketing Setup (R31)
    ├── SubscriptionRefused     no change notifications for this folder or company: it is polled instead
    │   └── SubscriptionExists  ... because there is one already
    ├── SourceUnreadable        the users to import cannot be read, or are none: nothing is changed
    ├── LeaseLost               somebody else holds the mailbox or company now: stop at once, write nothing
    ├── RequestError            the caller's request is wrong: says what, where and what to do
    └── SettingsError           the app cannot work at all until its settings are mended

No message holds contact data. `code` is stable and written in lower-case words with dashes.
"""

from collections.abc import Mapping


class SyncError(Exception):
    """Anything this product raises on purpose: a stable `code` and a sentence saying what to do."""

    code = "sync-error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class RetryableError(SyncError):
    """The same call may succeed later."""

    code = "temporarily-unavailable"


class OutOfTime(RetryableError):
    """The run's time is used up; it goes on at once, where it stopped (R32)."""

    code = "out-of-time"


class Paused(RetryableError):
    """The run goes on when it is resumed (R40)."""

    code = "paused"


class Throttled(RetryableError):
    """The service asks for a pause of `retry_after` seconds (R32)."""

    code = "throttled"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ContactError(SyncError):
    """One contact cannot be synced; the others go on (R31)."""

    code = "failed"


class InvalidValue(ContactError):
    """The service refuses a value of this contact; `field` names it where the service says so.

    `detail` holds the service's own words, which may quote the value: for notes, never for logs.
    """

    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None, detail: str = "") -> None:
        super().__init__(message, code=code)
        self.field = field
        self.detail = detail


class ChangedMeanwhile(ContactError):
    """The contact changed between reading and writing: read again and merge again."""

    code = "changed-meanwhile"


class ContactGone(ContactError):
    """The service says, for this very contact, that it does not exist (R25)."""

    code = "gone"


class OutcomeUnknown(ContactError):
    """A create was sent and no answer came: it may have happened (R9)."""

    code = "outcome-unknown"


class NotDone(ContactError):
    """Nothing happened, because the service asked for a longer pause than the run has time: do it again later (R32).

    Answered for part of a bulk call whose other contacts are done; a call of which nothing was done raises instead.
    """

    code = "not-done"


class ProfileError(SyncError):
    """This profile's run must stop; other profiles are not concerned (R31)."""

    code = "profile-failed"


class PositionExpired(ProfileError):
    """The delta link or watermark is no longer known: a full run is needed (R33)."""

    code = "position-expired"


class FolderMissing(ProfileError):
    """The contact folder does not exist any more (R27): it is made anew, nothing is deleted (R25)."""

    code = "folder-missing"


class MailboxUnavailable(ProfileError):
    """The mailbox does not exist, has no licence, or may not be read by the app (R25)."""

    code = "mailbox-unavailable"


class CompanyError(SyncError):
    """This company cannot be read or written at the moment."""

    code = "company-failed"


class CompanyUnavailable(CompanyError):
    """The company is missing, may not be read, or its environment is down."""

    code = "company-unavailable"


class SetupRefused(CompanyError):
    """The company's set-up refuses writes (number series, Marketing Setup, permission): R31."""

    code = "company-setup"


class SubscriptionRefused(SyncError):
    """The service gives no subscription: not supported, no permission, quota, or our webhook was not reached."""

    code = "subscription-refused"


class SubscriptionExists(SubscriptionRefused):
    """There is one for this already; `id` is its."""

    code = "subscription-exists"

    def __init__(self, message: str, *, id: str) -> None:  # noqa: A002 - the service's word
        super().__init__(message)
        self.id = id


class SourceUnreadable(SyncError):
    """The users that an import is about cannot be read as a whole, or there are none: nothing is changed."""

    code = "source-unreadable"


class LeaseLost(SyncError):
    """Another worker holds the lease: stop at once; nothing of this batch was recorded."""

    code = "lease-lost"


class RequestError(SyncError):
    """A caller's request cannot be served; becomes an RFC 9457 problem with `status`, `code`, `field`."""

    code = "bad-request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int = 400,
        field: str | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        """`more`: what an answer says besides."""
        super().__init__(message, code=code)
        self.status = status
        self.field = field
        self.more = more or {}


class SettingsError(SyncError):
    """A setting is missing or wrong; the message names each of them."""

    code = "settings"
