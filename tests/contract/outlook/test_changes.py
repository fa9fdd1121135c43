"""What the engine's ports promise, kept by the Outlook adapter against the simulator: the change feed."""

import pytest

from dev.simulators.graph.control import GraphControl
from shared.engine.sides import Folder, OutlookSide
from shared.errors import PositionExpired
from tests.contract.outlook.office import Outlook, create, strict_only
from tests.fakes.cards import FULL_CARD

pytestmark = pytest.mark.integration


def test_the_feed_tells_what_happened_since(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R14"""
    ids = {each: outlook.add(each) for each in ("edited", "deleted", "moved", "same")}
    many = outlook.graph.seed_contacts(outlook.user, [{"displayName": f"m{n}"} for n in range(30)], folder.id)
    first = side.changes(folder.id, None)
    assert {each.id for each in first.changed} == {*ids.values(), *many}
    outlook.graph.edit_contact(outlook.user, ids["edited"], {"jobTitle": "CTO"})
    outlook.graph.delete_contact(outlook.user, ids["deleted"])
    outlook.graph.move_contact(outlook.user, ids["moved"], "contacts")
    own = create(side, folder)
    second = side.changes(folder.id, first.delta_link)
    by_id = {each.id: each for each in second.changed}
    assert {ids["edited"], own.id} <= set(by_id)
    assert set(second.removed) >= {ids["deleted"], ids["moved"]}
    assert not {ids["deleted"], ids["moved"]} & set(by_id)
    assert (by_id[ids["edited"]].card.name, by_id[ids["edited"]].card.job_title) == ("edited", "CTO")
    assert by_id[own.id].card == FULL_CARD


@strict_only
def test_a_quiet_run_takes_one_request_for_folder_and_feed_each(
    side: OutlookSide, folder: Folder, graph: GraphControl
) -> None:
    position = side.changes(folder.id, None).delta_link
    graph.reset_log()
    side.folder(folder.id, folder.parent_id)
    assert side.changes(folder.id, position).changed == ()
    assert len(graph.log(service="graph", items=False)) == 2


@pytest.mark.parametrize("with_location", [True, False])
def test_an_expired_position_is_told(side: OutlookSide, folder: Folder, outlook: Outlook, with_location: bool) -> None:
    """R33"""
    position = side.changes(folder.id, None).delta_link
    outlook.graph.expire_delta(outlook.user, folder.id, with_location=with_location)
    with pytest.raises(PositionExpired):
        side.changes(folder.id, position)
    assert side.changes(folder.id, None).delta_link
