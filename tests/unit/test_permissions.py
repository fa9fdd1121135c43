"""What the permissions in a token mean, told by name."""

import pytest

from shared.engine.permissions import permission_checks, why_refused

ALL = frozenset({"Contacts.ReadWrite", "Contacts.Read", "User.Read.All"})
BC = frozenset({"API.ReadWrite.All"})
NONE: frozenset[str] = frozenset()


def told(graph: frozenset[str] | None, bc: frozenset[str] | None = BC, *, limited: bool = False) -> dict[str, object]:
    """ok, "look" where it is fine but says what to do, False, or None, by permission."""
    checks = permission_checks(graph, bc, limited=limited)
    return {
        each.check.removeprefix("permission "): "look" if each.ok and each.what_to_do else each.ok for each in checks
    }


@pytest.mark.parametrize(
    ("graph", "limited", "expected"),
    [
        # consent for all mailboxes is the wider choice; wrong where some are said to be out of reach
        (ALL, False, {"Contacts.ReadWrite": "look", "Contacts.Read": "look", "User.Read.All": True}),
        (ALL, True, {"Contacts.ReadWrite": False, "Contacts.Read": False, "User.Read.All": True}),
        # Exchange's roles stand in no token
        (ALL - {"Contacts.ReadWrite", "Contacts.Read"}, True, {"Contacts.ReadWrite": True, "Contacts.Read": True}),
        (NONE, False, {"Contacts.ReadWrite": True, "User.Read.All": "look"}),
        # half of it is wrong in either case
        (ALL - {"Contacts.ReadWrite"}, False, {"Contacts.ReadWrite": False, "Contacts.Read": False}),
        (ALL - {"Contacts.Read"}, False, {"Contacts.ReadWrite": "look", "Contacts.Read": False}),
        (ALL - {"Contacts.Read"}, True, {"Contacts.ReadWrite": False, "Contacts.Read": False}),
        (ALL - {"User.Read.All"}, False, {"User.Read.All": "look"}),
        (NONE | {"Directory.Read.All"}, False, {"User.Read.All": True}),
        (ALL | {"Mail.ReadWrite"}, False, {"other permissions": "look"}),
        (None, False, {"Contacts.ReadWrite": None, "Contacts.Read": None, "User.Read.All": None}),
    ],
)
def test_each_permission_is_told_by_name(
    graph: frozenset[str] | None, limited: bool, expected: dict[str, object]
) -> None:
    assert told(graph, limited=limited).items() >= expected.items()


def test_business_central_needs_its_own() -> None:
    assert told(ALL)["API.ReadWrite.All"] is True
    assert told(ALL, NONE)["API.ReadWrite.All"] is False
    assert told(ALL, None)["API.ReadWrite.All"] is None


def test_whatever_is_wrong_says_what_to_do() -> None:
    for graph in (ALL, NONE, ALL - {"Contacts.Read"}, ALL - {"Contacts.ReadWrite"}, ALL | {"Mail.Read"}):
        for each in permission_checks(graph, NONE, limited=True):
            assert each.ok or each.what_to_do, each


@pytest.mark.parametrize(
    ("graph", "advice"),
    [
        (ALL, "application access policy"),
        (NONE, "2 hours"),
        (NONE, "Test-ServicePrincipalAuthorization"),
        (frozenset({"Contacts.Read"}), "both"),
    ],
)
def test_a_closed_mailbox_is_explained_by_the_token(graph: frozenset[str], advice: str) -> None:
    assert advice in why_refused(graph)


def test_without_a_readable_token_nothing_is_made_up() -> None:
    assert why_refused(None) == ""
