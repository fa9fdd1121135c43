"""Clients of the storage account: by connection string (Azurite, tests) or by identity (platform reference 1.4)."""

from typing import TYPE_CHECKING, Any, Protocol

from shared.errors import SettingsError

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient
    from azure.storage.queue import QueueClient

#: bounded, so that a run hands over instead of hanging: about ten seconds, then the caller sees RetryableError
_RETRIES: dict[str, Any] = {
    "retry_total": 4,
    "retry_connect": 3,
    "retry_read": 3,
    "retry_status": 4,
    "retry_backoff_factor": 0.4,
    "retry_backoff_max": 5,
    "connection_timeout": 5,
    "read_timeout": 30,
}
#: The SDK's own first pause is 18 s. Here a busy account is asked ten times more within three quarters of a minute:
#: one that refuses 30 % then refuses a message once in some hundred thousand times.
_QUEUE_RETRIES: dict[str, Any] = {
    "retry_total": 10,
    "retry_status": 10,
    "initial_backoff": 0.5,
    "increment_base": 1.25,
    "random_jitter_range": 0.5,
}
#: The newest version that Azurite 3.35 knows; the queue library would ask for a newer one.
_QUEUE_VERSION = "2025-11-05"


class StorageSettings(Protocol):
    """What is needed to reach the storage account; `shared.settings.Settings` has it."""

    @property
    def storage_connection(self) -> str:
        """Connection string, blank for access by identity."""

    @property
    def storage_account(self) -> str:
        """Name of the account, for access by identity."""

    @property
    def storage_tables(self) -> str:
        """Address of the tables, instead of the name."""

    @property
    def storage_queues(self) -> str:
        """Address of the queues, instead of the name."""

    @property
    def storage_identity(self) -> str:
        """Client id of a user-assigned identity; blank for the app's own."""


def table_service(settings: StorageSettings, **options: Any) -> "TableServiceClient":
    """The account's tables. `options` go to the SDK."""
    from azure.data.tables import TableServiceClient

    options = {**_RETRIES, **options}
    if settings.storage_connection:
        try:
            return TableServiceClient.from_connection_string(settings.storage_connection, **options)
        except ValueError as error:
            raise _unusable() from error
    address = settings.storage_tables or f"https://{settings.storage_account}.table.core.windows.net"
    options.setdefault("credential", _identity(settings))
    return TableServiceClient(address, **options)


def queue(settings: StorageSettings, name: str, **options: Any) -> "QueueClient":
    """One queue, with the message encoding of host.json."""
    from azure.storage.queue import QueueClient, TextBase64EncodePolicy

    options = {
        "message_encode_policy": TextBase64EncodePolicy(),
        "api_version": _QUEUE_VERSION,
        **_QUEUE_RETRIES,
        **options,
    }
    if settings.storage_connection:
        try:
            return QueueClient.from_connection_string(settings.storage_connection, name, **options)
        except ValueError as error:
            raise _unusable() from error
    address = settings.storage_queues or f"https://{settings.storage_account}.queue.core.windows.net"
    options.setdefault("credential", _identity(settings))
    return QueueClient(address, name, **options)


def _identity(settings: StorageSettings) -> Any:
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential  # slow to import, so only here

    if settings.storage_identity:
        return ManagedIdentityCredential(client_id=settings.storage_identity)
    return DefaultAzureCredential()


def _unusable() -> SettingsError:
    return SettingsError("AzureWebJobsStorage is no usable connection string: copy it from the storage account again.")
