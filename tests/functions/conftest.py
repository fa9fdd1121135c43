"""One desk per test."""

from collections.abc import Iterator

import pytest

from shared.bootstrap import use_services
from tests.functions.desk import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    yield Desk()
    use_services(None)
