"""Route templates, and the order in which routes are tried."""

import pytest

from dev.host.errors import HostStartError
from dev.host.functions import Function, HttpTrigger
from dev.host.routes import RouteTable, compile_template


def http_function(name: str, route: str, *methods: str) -> Function:
    return Function(name, name, HttpTrigger("req", route, frozenset(methods), "ANONYMOUS"), {}, disabled=False)


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("profiles", "/api/profiles", {}),
        ("profiles", "/API/Profiles/", {}),
        ("profiles", "/api/profiles/x", None),
        ("profiles", "/profiles", None),
        ("profiles/{user}", "/api/profiles/ada@contoso.com", {"user": "ada@contoso.com"}),
        ("profiles/{user}", "/api/profiles/ada%40contoso.com", {"user": "ada@contoso.com"}),
        ("profiles/{user}", "/api/profiles/a%2Fb%20c", {"user": "a%2Fb c"}),
        ("profiles/{user}", "/api/profiles/", None),
        ("profiles/{user}/runs", "/api/profiles/ada/RUNS", {"user": "ada"}),
        ("runs/{id?}", "/api/runs", {}),
        ("runs/{id?}", "/api/runs/7", {"id": "7"}),
        ("runs/{id?}", "/api/runs/7/8", None),
        ("numbers/{id:int}", "/api/numbers/-12", {"id": "-12"}),
        ("numbers/{id:int}", "/api/numbers/twelve", None),
        ("numbers/{id:int?}", "/api/numbers", {}),
        (
            "ids/{id:guid}",
            "/api/ids/6F9619FF-8B86-D011-B42D-00CF4FC964FF",
            {"id": "6F9619FF-8B86-D011-B42D-00CF4FC964FF"},
        ),
        ("ids/{id:guid}", "/api/ids/6F9619FF", None),
        ("files/{*rest}", "/api/files/a/b.txt", {"rest": "a/b.txt"}),
        ("files/{*rest}", "/api/files", {}),
        ("a.b", "/api/aXb", None),
    ],
)
def test_a_path_fits_a_template(template: str, path: str, values: dict[str, str] | None) -> None:
    match = RouteTable([http_function("f", template)], "api").match("GET", path)
    assert (match.values if match.function else None) == values


def test_an_empty_prefix_leaves_the_template_alone() -> None:
    table = RouteTable([http_function("f", "api/admin/sync")], "")
    assert table.match("POST", "/api/admin/sync").function


def test_the_verb_chooses_among_functions_of_one_route() -> None:
    table = RouteTable([http_function("a", "x", "GET"), http_function("b", "x", "PUT", "PATCH")], "api")
    assert (found := table.match("PUT", "/api/x").function) and found.name == "b"
    assert (found := table.match("GET", "/api/x").function) and found.name == "a"
    refused = table.match("DELETE", "/api/x")
    assert refused.function is None
    assert refused.allowed == {"GET", "PUT", "PATCH"}


def test_the_first_function_that_fits_wins_even_over_a_literal() -> None:
    table = RouteTable([http_function("a", "x/{any}"), http_function("b", "x/literal")], "api")
    assert (found := table.match("GET", "/api/x/literal").function) and found.name == "a"


@pytest.mark.parametrize("template", ["x/{id", "x/{a}-{b}", "x/{id?}/y", "x/{*rest}/y", "x/{id:regex}"])
def test_a_template_that_cannot_be_served_is_refused_with_the_functions_name(template: str) -> None:
    with pytest.raises(HostStartError, match="f:"):
        compile_template(template, "f")
