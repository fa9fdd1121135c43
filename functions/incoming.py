"""What callers send, as Business Central's callers do too: any or no Content-Type, empty bodies, names in any case."""

import difflib
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

import azure.functions as func

from shared.errors import RequestError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    from functions.bodies import Common
    from shared.engine.callers import Caller, Subject

MOST_BYTES = 256 * 1024
_BROKEN = re.compile(r"[\x00\ud800-\udfff]")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{0,300}")


def read_body[Model: BaseModel](req: func.HttpRequest, model: type[Model]) -> Model:
    """The body as `model`; an empty one is `{}`. Raises RequestError that names the member and what it should be."""
    members = _members(req.get_body())
    from pydantic import ValidationError

    try:
        return model.model_validate(members)
    except ValidationError as error:
        refuse(error, model)


def query(req: func.HttpRequest, name: str) -> str:
    """A query parameter, blank when missing; its name in any case."""
    found = next((value for key, value in req.params.items() if key.lower() == name.lower()), "")
    return str(found).strip()


def number(req: func.HttpRequest, name: str, *, default: int, least: int, most: int) -> int:
    """A query parameter that is a whole number. Raises RequestError `bad-query`."""
    text = query(req, name)
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise RequestError(f"`{name}` must be a whole number from {least} to {most}.", code="bad-query", field=name)
    return int(text)


def choice(req: func.HttpRequest, name: str, allowed: tuple[str, ...]) -> str:
    """A query parameter that is one of a few words; the first when it is missing. Raises RequestError `bad-query`."""
    text = query(req, name) or allowed[0]
    if text not in allowed:
        raise RequestError(f"`{name}` must be one of {', '.join(allowed)}.", code="bad-query", field=name)
    return text


def token(req: func.HttpRequest, name: str) -> str:
    """A page's token, as we gave it out. Raises RequestError `bad-query`."""
    text = query(req, name)
    if not _TOKEN.fullmatch(text):
        raise RequestError(f"`{name}` is no token of a page; take it from `next`.", code="bad-query", field=name)
    return text


def caller(req: func.HttpRequest, body: "Common | None" = None) -> "Caller":
    """Who calls: from the body, else from the query, the actor also from the header `x-actor`."""
    from shared.engine.callers import Caller

    def stated(name: str, in_body: str | None) -> str:
        return (in_body or query(req, name)).strip()

    header = req.headers.get("x-actor") or ""
    return Caller(
        actor=(stated("actor", body.actor if body else None) or header.strip())[:200],
        tenant=stated("tenantId", body.tenant_id if body else None),
        environment=stated("environment", body.environment if body else None),
        company_id=stated("companyId", body.company_id if body else None),
    )


def named(who: "Caller") -> str:
    """The actor, of a request that must say who answers for it. Raises RequestError `missing-member`."""
    if not who.actor:
        raise RequestError("Say who you are, as `actor`: it is stored.", code="missing-member", field="actor")
    return who.actor


def subject(req: func.HttpRequest, body: "Common | None" = None) -> "Subject":
    """Whose profile: the user from the route, the company from body or query."""
    from shared.engine.callers import Subject

    company = (body.company if body else None) or query(req, "company")
    return Subject(str(req.route_params.get("user", "")), company.strip())


def etag_of(req: func.HttpRequest, member: str | None) -> str | None:
    """The version that the caller read: `etag` of the body, else If-Match; None for whatever there is."""
    header = (req.headers.get("if-match") or "").strip()
    if member is not None or header in ("", "*"):
        return member
    return header.removeprefix("W/").strip('"')


def _members(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_BYTES:
        raise RequestError(
            f"The body has {len(raw):,} bytes; at most {MOST_BYTES:,} are taken.", code="body-too-large", status=413
        )
    try:
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise RequestError("The body is not UTF-8 text.", code="malformed-json") from error
    if not text:
        return {}
    try:
        members = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise RequestError(
            f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.", code="malformed-json"
        ) from error
    except RecursionError as error:
        raise RequestError("The body is nested too deeply.", code="malformed-json") from error
    except ValueError as error:  # what Python says of a number with thousands of digits
        raise RequestError("The body holds a number that is too long.", code="malformed-json") from error
    if not isinstance(members, dict):
        raise RequestError('The body must be a JSON object, such as {"user": "..."}.', code="malformed-json")
    _refuse_broken_text(members)
    return members


def _refuse_broken_text(members: dict[str, Any]) -> None:
    """No service takes NUL or half of a surrogate pair: better refused here than by a run in the night."""
    rest: list[tuple[str, Any]] = [("", members)]
    while rest:  # a loop, since bodies may be nested deeply
        path, value = rest.pop()
        if isinstance(value, str) and _BROKEN.search(value):
            raise _broken(path)
        if isinstance(value, list):
            rest += [(f"{path}.{number}", each) for number, each in enumerate(value)]
        if isinstance(value, dict):
            if any(_BROKEN.search(name) for name in value):
                raise _broken(path)
            rest += [(f"{path}.{name}" if path else name, each) for name, each in value.items()]


def _broken(path: str) -> RequestError:
    where = f"`{path[:200]}`" if path else "The body"
    return RequestError(
        f"{where} holds a character that cannot be stored (NUL, or half of a character such as an emoji); remove it.",
        code="bad-member",
        field=path[:200] or None,
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"The member `{twice[:100]}` stands twice.", code="malformed-json", field=twice[:100])
    return members


def _no_number(text: str) -> NoReturn:
    raise RequestError(f"The body is not JSON: {text} is no number.", code="malformed-json")


def refuse(error: "ValidationError", model: "type[BaseModel]") -> NoReturn:
    """A body that is not of the model's form, as a RequestError about its first mistake."""
    found = error.errors(include_url=False, include_input=False)
    # a name that is mistyped is missing, too: the mistyped one tells more
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
    path = ".".join(str(part) for part in first["loc"])
    name = str(first["loc"][-1]) if first["loc"] else ""
    match first["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(name[:100], _names(model), n=1, cutoff=0.5)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise RequestError(f"There is no member `{path[:200]}`.{hint}", code="unknown-member", field=path[:200])
        case "missing":
            raise RequestError(f"The member `{path}` is missing.", code="missing-member", field=path)
        case _:
            words = str(first["msg"]).removeprefix("Value error, ")
            raise RequestError(f"`{path}`: {words[:1].lower()}{words[1:]}.", code="bad-member", field=path)


def _names(model: "type[BaseModel]") -> Iterable[str]:
    """All members of a body, nested ones too."""
    for each in model.model_fields.values():
        yield each.alias or ""
    policies = model.model_fields.get("policies")
    if policies is not None:
        from functions.bodies import PoliciesBody

        yield from _names(PoliciesBody)
