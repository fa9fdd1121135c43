"""What the storage account's refusals become (errors grouped by what a caller should do)."""

import json
from types import SimpleNamespace

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.errors import RetryableError, SettingsError, SyncError
from shared.settings import Settings
from shared.storage.connect import StorageSettings, queue, table_service
from shared.storage.tables import RowConflict, RowMissing, translated


def refusal(status: int, code: str, *, index: int | None = None) -> HttpResponseError:
    body = json.dumps(
        {"odata.error": {"code": code, "message": {"value": "Ada King lives here"}}}, separators=(",", ":")
    )
    error = HttpResponseError(f"Content: {body}")
    error.status_code = status
    if index is not None:
        error.index = index  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal(412, "UpdateConditionNotSatisfied"), RowConflict),
        (refusal(409, "EntityAlreadyExists"), RowConflict),
        (refusal(404, "ResourceNotFound"), RowMissing),
        (refusal(404, "TableNotFound"), RowMissing),
        (refusal(503, "ServerBusy"), RetryableError),
        (refusal(500, "OperationTimedOut"), RetryableError),
        (refusal(429, "TooManyRequests"), RetryableError),
        (refusal(409, "TableBeingDeleted"), RetryableError),
        (refusal(403, "AuthorizationPermissionMismatch"), SettingsError),
        (ClientAuthenticationError("no identity"), SettingsError),
        (ServiceRequestError("no connection"), RetryableError),
        (ServiceResponseError("no answer"), RetryableError),
        (ResourceExistsError('Content: {"odata.error":{"code":"TableAlreadyExists"}}'), RowConflict),
    ],
)
def test_a_refusal_becomes_what_the_caller_can_act_on(error: Exception, kind: type[SyncError]) -> None:
    with pytest.raises(kind) as raised, translated():
        raise error
    assert type(raised.value) is kind
    assert "Ada" not in str(raised.value)


def test_a_request_that_is_wrong_is_not_repeated() -> None:
    with pytest.raises(SyncError) as raised, translated():
        raise refusal(400, "InvalidInput")
    assert raised.value.code == "storage-request"
    assert "InvalidInput" in str(raised.value) and "Ada" not in str(raised.value)


def test_the_place_in_a_transaction_is_kept() -> None:
    with pytest.raises(RowConflict) as raised, translated():
        raise refusal(412, "UpdateConditionNotSatisfied", index=7)
    assert raised.value.index == 7


def settings(**values: str) -> StorageSettings:
    names = [name for name in Settings.__dataclass_fields__ if name.startswith("storage_")]
    return SimpleNamespace(**(dict.fromkeys(names, "") | values))  # type: ignore[return-value]


def test_storage_is_reached_by_identity_in_any_cloud() -> None:
    by_name = settings(storage_account="stored")
    assert table_service(by_name).url == "https://stored.table.core.windows.net"
    assert queue(by_name, "q").url == "https://stored.queue.core.windows.net/q"
    by_address = settings(
        storage_tables="https://stored.table.core.usgovcloudapi.net/",
        storage_queues="https://stored.queue.core.usgovcloudapi.net/",
        storage_identity="0000-1111",
    )
    assert table_service(by_address).url.rstrip("/") == "https://stored.table.core.usgovcloudapi.net"
    assert queue(by_address, "q").url == "https://stored.queue.core.usgovcloudapi.net/q"


def test_azurite_is_reached_by_the_usual_short_connection_string() -> None:
    account = settings(storage_connection="UseDevelopmentStorage=true")
    assert ":10002" in table_service(account).url
    assert ":10001" in queue(account, "q").url


def test_a_connection_string_that_is_none_is_a_matter_of_settings() -> None:
    for connect in (lambda account: table_service(account), lambda account: queue(account, "q")):
        with pytest.raises(SettingsError, match="AzureWebJobsStorage"):
            connect(settings(storage_connection="c3VyZWx5IG5vdA"))
