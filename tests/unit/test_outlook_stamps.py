"""Our marks in contacts and folders (R9, R2)."""

from typing import Any

import pytest

from shared.cards.model import Origin, Stamp
from shared.engine.sides import FolderStamp
from shared.outlook import stamps

STAMP = Stamp("b1d2", Origin.OWN, "Production", "c0-1")


def entity(*properties: Any) -> dict[str, Any]:
    return {"singleValueExtendedProperties": list(properties)}


def test_a_stamp_comes_back_whatever_case_the_ids_have() -> None:
    written = stamps.written(STAMP)
    assert stamps.marks_of(entity(*written))[0] == STAMP
    assert stamps.marks_of(entity(*({**each, "id": each["id"].upper()} for each in written)))[0] == STAMP


def test_an_environment_with_a_bar_is_read_from_the_right() -> None:
    odd = Stamp("b1", Origin.SYNC, "a|b", "c0")
    assert stamps.marks_of(entity(*stamps.written(odd)))[0] == odd


def test_a_stamp_of_unknown_origin_is_the_users() -> None:
    """R27: such a contact is never removed as ours"""
    found, _ = stamps.marks_of(entity({"id": stamps.CONTACT_ID, "value": "b1"}, {"id": stamps.ORIGIN, "value": "new"}))
    assert found == Stamp("b1", Origin.USER, "", "")


@pytest.mark.parametrize(
    "found", [{}, entity(), entity(None, 7, {"id": 3}), entity({"id": stamps.CONTACT_ID, "value": " - "}), None, []]
)
def test_no_stamp_in_any_form_is_none(found: Any) -> None:
    assert stamps.marks_of(found)[0] is None
    assert stamps.folder_stamp_of(found) is None
    assert not stamps.marks_of(found)[1]


@pytest.mark.parametrize(("value", "private"), [("0", False), ("1", True), ("2", True), ("3", False), ("", False)])
@pytest.mark.parametrize("name", ["Integer 0x0036", "Integer 0x36", "integer 0X0036"])
def test_personal_and_private_are_private(name: str, value: str, private: bool) -> None:
    """R2"""
    assert stamps.marks_of(entity({"id": name, "value": value}))[1] is private


def test_a_folder_stamp_comes_back_and_compares_without_case() -> None:
    stamp = FolderStamp(company_id="c0", profile_id="p1", environment="Production")
    assert stamps.folder_stamp_of(entity(*stamps.folder_written(stamp))) == stamp
    assert stamps.same_folder_stamp(FolderStamp("C0", "P1", "production"), stamp)
    assert not stamps.same_folder_stamp(FolderStamp("c0", "p2", "Production"), stamp)
    assert not stamps.same_folder_stamp(None, stamp)


def test_a_quote_cannot_leave_a_filter() -> None:
    assert stamps.filter_for("a' or '1").endswith("ep/value eq 'a'' or ''1')")
