"""30 % of a layer's answers say "later", over 1,000 operations: every run succeeds at a bounded price (R32).

`make bench` prints the figures; what is measured stands there.
"""

from collections.abc import Callable, Iterator

import pytest

from dev.bench import throttled
from dev.bench.throttled import MOST, PERSONS, Price
from dev.faulty import Stage

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

LAYERS = {
    "Graph": throttled.of_graph,
    "BC": throttled.of_bc,
    "tables": throttled.of_tables,
    "queues": throttled.of_queues,
    "tokens": throttled.of_tokens,
}


@pytest.mark.parametrize("measure", LAYERS.values(), ids=LAYERS.keys())
def test_everything_succeeds_with_at_most_1_6_times_the_operations(
    running: Stage, measure: Callable[[Stage], Iterator[Price]]
) -> None:
    for price in measure(running):
        assert price.plain >= PERSONS
        assert 1.2 < price.times <= MOST, price
