"""The storage emulator as a child process."""

from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from dev.azurite import Azurite

pytestmark = pytest.mark.integration


def table_names(connection_string: str) -> list[str]:
    with TableServiceClient.from_connection_string(connection_string) as service:
        return [table.name for table in service.list_tables()]


def test_a_folder_keeps_its_tables_over_a_restart(tmp_path: Path) -> None:
    emulator = Azurite(tmp_path / "storage")
    with emulator:
        address = emulator.connection_string
        with TableServiceClient.from_connection_string(address) as service:
            service.create_table("kept")
    with emulator:
        assert emulator.connection_string == address, "the ports stay"
        assert table_names(address) == ["kept"]


def test_two_emulators_do_not_get_in_each_others_way(azurite: Azurite) -> None:
    with Azurite() as other:
        assert not set(other.ports.values()) & set(azurite.ports.values())
        with TableServiceClient.from_connection_string(azurite.connection_string) as service:
            service.create_table_if_not_exists("onlyhere")
        assert "onlyhere" not in table_names(other.connection_string)
