"""The resources behind the URLs: companies, contacts, countries (1, 2, 3, 7)."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dev.simulators.business_central import errors
from dev.simulators.business_central.company import Company
from dev.simulators.business_central.contact import contact_json, etag, is_etag, table_etag
from dev.simulators.business_central.environment import Environment, is_guid
from dev.simulators.business_central.fields import COMPANY, CONTACT, COUNTRY, Entity, Kind
from dev.simulators.business_central.query import (
    Query,
    Rows,
    SmallTable,
    count_rows,
    next_options,
    read_page,
    read_query,
)
from dev.simulators.business_central.stamps import stamp_text
from dev.simulators.business_central.writes import change, create, delete
from dev.simulators.exchange import Answer, Request

type Shown = Callable[[Any, Sequence[str] | None], dict[str, Any]]  #: a row's JSON, or only some fields of it

_SEGMENT = re.compile(r"([A-Za-z$]\w*)(?:\((.*)\))?")
ODATA = {"OData-Version": "4.0"}
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a resource's path: its name, and the key in parentheses if there is one."""

    name: str
    key: str | None


def segment(text: str) -> Segment:
    """Read one part of a path; raises BcError."""
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise errors.bad_key()
    return Segment(match[1], match[2])


class Resources:
    """Answers requests for the resources of one environment."""

    def __init__(self, environment: Environment, root: Callable[[], str]) -> None:
        """`root` gives "https://host:port", for links in answers."""
        self._environment = environment
        self._root = root

    def answer(self, request: Request, path: Sequence[str]) -> Answer:
        """Answer a request for the resource at `path` below `api/v2.0`; raises BcError."""
        _check_intent(request)
        head, *rest = [segment(text) for text in path]
        if head.name == "companies":
            return self._companies(request, head, rest)
        if head.name in ("contacts", "countriesRegions"):
            return self._in_company(request, self._named_company(request, head), [head, *rest])
        raise errors.no_segment(head.name)

    def _named_company(self, request: Request, head: Segment) -> Company:
        """Return the company that a query option or a header names; such URLs are not for writing (1.1)."""
        key = dict(request.options).get("company") or request.headers.get("company", "")
        for company in self._environment.companies.values():
            if key in (company.id, company.name):
                break
        else:
            raise errors.no_company(self._environment.switches.unknown_company_status)
        if request.method != "GET" and head.key is None and "company" not in request.headers:
            raise errors.wrong_method(request.method, head.name)
        return company

    def _companies(self, request: Request, head: Segment, rest: list[Segment]) -> Answer:
        if head.key is not None:
            company = self._environment.company(head.key)
            if rest:
                return self._in_company(request, company, rest)
            request.kind = "get company"
            only_get(request)
            return self._single(request, COMPANY, company, plain_json(COMPANY))
        if rest:
            raise errors.no_segment(rest[0].name)
        request.kind = "list companies"
        only_get(request)
        return self.list(request, COMPANY, SmallTable(self._environment.companies.values()), plain_json(COMPANY))

    def _in_company(self, request: Request, company: Company, path: list[Segment]) -> Answer:
        head, rest = path[0], path[1:]
        if head.name == "contacts":
            return self._contacts(request, company, head, rest)
        if head.name != "countriesRegions" or rest:
            raise errors.no_segment(rest[0].name if head.name == "countriesRegions" else head.name)
        only_get(request)
        table = SmallTable(company.countries.values())
        if head.key is None:
            request.kind = "list countries"
            return self.list(request, COUNTRY, table, plain_json(COUNTRY))
        request.kind = "get country"
        country = table.get(_guid(head.key))
        if country is None:
            raise errors.no_segment("countriesRegions")
        return self._single(request, COUNTRY, country, plain_json(COUNTRY))

    # Contacts

    def _contacts(self, request: Request, company: Company, head: Segment, rest: list[Segment]) -> Answer:
        if self._environment.switches.contacts_page_missing:
            raise errors.no_endpoint(f"{self._root()}{request.path}")
        if head.key is not None:
            return self._one_contact(request, company, _guid(head.key), rest)
        table = self._environment.readable(company, self._wants_primary(request))
        match [part.name for part in rest], request.method:
            case [], "GET":
                request.kind = "list contacts"
                self._environment.permit("Read")
                return self.list(request, CONTACT, table, contact_json)
            case [], "POST":
                request.kind = "create contact"
                return self._create(request, company)
            case ["$count"], "GET":
                request.kind = "count contacts"
                self._environment.permit("Read")
                count = count_rows(table, self._query(request, CONTACT))
                return Answer(200, headers={"Content-Type": "text/plain", **ODATA}, raw=str(count).encode())
            case [] | ["$count"], _:
                message = f"{request.method} requests for 'contacts' of EdmType 'Collection' are not allowed."
                raise errors.BcError(405, "BadRequest_MethodNotAllowed", message)
        raise errors.no_segment(rest[0].name)

    def _one_contact(self, request: Request, company: Company, key: str, rest: list[Segment]) -> Answer:
        match [part.name for part in rest], request.method:
            case [], "GET":
                request.kind = "get contact"
                return self._get(request, company, key, contact_json)
            case [], "PATCH":
                request.kind = "update contact"
                return self._change(request, company, key)
            case [], "DELETE":
                request.kind = "delete contact"
                return self._delete(request, company, key)
            case ["picture"], "GET":
                request.kind = "get picture"
                return self._get(request, company, key, lambda row, _: picture_json(row.id, self._link(request)))
            case [] | ["picture"], _:
                raise errors.wrong_method(request.method, "contacts")
        raise errors.no_segment(rest[0].name)

    def _get(self, request: Request, company: Company, key: str, shown: Shown) -> Answer:
        self._environment.permit("Read")
        contact = self._environment.readable(company, self._wants_primary(request)).get(key)
        if contact is None:
            raise self._environment.missing_contact(f"{self._root()}{request.path}")
        return self._single(request, CONTACT, contact, shown)

    def _create(self, request: Request, company: Company) -> Answer:
        body = body_of(request)
        self._environment.permit("Insert")
        contact = create(company, self._environment.switches, body, self._environment.now())
        headers = {"Location": f"{self._link(request)}({contact.id})", **ODATA}
        return self._written(request, 201, contact_json(contact), headers)

    def _change(self, request: Request, company: Company, key: str) -> Answer:
        body = body_of(request)
        self._environment.permit("Modify")
        tag = tag_of(request)
        if tag is None:
            raise errors.token_missing()
        contact = company.contacts.get(key)
        if contact is None:
            raise self._environment.missing_contact(f"{self._root()}{request.path}")
        if tag not in ("*", etag(contact)):
            raise errors.entity_changed()
        changed = change(company, self._environment.switches, contact, body, self._environment.now())
        return self._written(request, 200, contact_json(changed), ODATA)

    def _delete(self, request: Request, company: Company, key: str) -> Answer:
        self._environment.permit("Delete")
        tag = tag_of(request)
        if tag is None and self._environment.switches.delete_without_if_match == "refused":
            raise errors.token_missing()
        contact = company.contacts.get(key)
        if contact is None:
            raise self._environment.missing_contact(f"{self._root()}{request.path}")
        if tag not in (None, "*", etag(contact)):
            raise errors.entity_changed()
        delete(company, contact)
        return Answer(204, headers=ODATA)

    def _written(self, request: Request, status: int, shown: dict[str, Any], headers: dict[str, str]) -> Answer:
        if self._environment.switches.return_no_content and "return-no-content" in request.preferences():
            return Answer(204, headers=headers)
        return Answer(status, {"@odata.context": self._context(request, "/$entity"), **shown}, headers)

    # Answers that all resources share

    def _query(self, request: Request, entity: Entity) -> Query:
        return read_query(request.options, request.preferences(), entity, self._environment.switches)

    def list(self, request: Request, entity: Entity, rows: Rows, shown: Shown) -> Answer:
        """Answer a list with the options of the request; raises BcError."""
        query = self._query(request, entity)
        page = read_page(rows, query, self._environment.walks, self._environment.switches)
        answer: dict[str, Any] = {"@odata.context": self._context(request)}
        if page.total is not None:
            answer["@odata.count"] = page.total
        answer["value"] = [self._selected(request, query, row, shown) for row in page.rows]
        if page.more is not None:
            answer["@odata.nextLink"] = f"{self._link(request)}?{next_options(request.query, page, query)}"
        headers = dict(ODATA)
        if query.preferred is not None:
            headers["Preference-Applied"] = f"odata.maxpagesize={query.preferred}"
        return Answer(200, answer, headers)

    def _single(self, request: Request, entity: Entity, row: Any, shown: Shown) -> Answer:
        query = self._query(request, entity)
        context = {"@odata.context": self._context(request, "/$entity")}
        return Answer(200, context | self._selected(request, query, row, shown), ODATA)

    def _selected(self, request: Request, query: Query, row: Any, shown: Shown) -> dict[str, Any]:
        values = shown(row, query.select)
        if query.expand:
            link = self._link(request)
            one = link if link.endswith(")") else f"{link}({row.id})"
            values["picture"] = picture_json(row.id, f"{one}/picture")
        return values

    def _link(self, request: Request) -> str:
        return f"{self._root()}{request.path}"

    def _context(self, request: Request, suffix: str = "") -> str:
        link = self._link(request)
        api = next(each for each in ("/api/v2.0/", "/automation/v2.0/") if each in link)
        start, _, resource = link.partition(api)
        collection = re.sub(r"\([^()]*\)$", "", resource) if suffix else resource
        return f"{start}{api}$metadata#{collection}{suffix}"

    def _wants_primary(self, request: Request) -> bool:
        intent = request.headers.get("data-access-intent")
        if intent is None and self._environment.switches.batch_inherits_intent:
            intent = request.facts.get("intent")
        return request.method != "GET" or str(intent).lower() == "readwrite"


def plain_json(entity: Entity) -> Shown:
    """Return what shows rows of a small table."""

    def shown(row: Any, names: Sequence[str] | None) -> dict[str, Any]:
        values = {
            name: stamp_text(value) if field.kind is Kind.DATETIME else value
            for name, field in entity.fields.items()
            for value in (getattr(row, field.attribute),)
        }
        wanted = values if names is None else {name: values[name] for name in names}
        return {"@odata.etag": table_etag(values), **wanted}

    return shown


def picture_json(key: str, link: str) -> dict[str, Any]:
    """Return the metadata of a contact's picture; there is no image (2.10)."""
    values = {"id": key, "parentType": "Contact", "width": 0, "height": 0, "contentType": ""}
    return {
        "@odata.etag": table_etag(values),
        **values,
        "pictureContent@odata.mediaEditLink": f"{link}/pictureContent",
        "pictureContent@odata.mediaReadLink": f"{link}/pictureContent",
    }


def _check_intent(request: Request) -> None:
    if request.method != "GET" and request.headers.get("data-access-intent", "").lower() == "readonly":
        raise errors.bad_request("Data-Access-Intent ReadOnly is not allowed for requests that write.")


def only_get(request: Request) -> None:
    """Refuse every verb but GET; raises BcError."""
    if request.method != "GET":
        raise errors.wrong_method(request.method, request.segments[-1])


def _guid(key: str) -> str:
    if not is_guid(key):
        raise errors.bad_key()
    return key.lower()


def tag_of(request: Request) -> str | None:
    """Return what If-Match says, or None when it is missing; raises BcError when it is malformed (4)."""
    tag = request.headers.get("if-match")
    if tag is None or tag == "*" or is_etag(tag):
        return tag
    raise errors.token_missing()


def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in a request; raises BcError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise errors.BcError(415, "BadRequest_UnsupportedMediaType", "The content type is not supported.")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise errors.bad_request("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise errors.bad_request("The request body must be a JSON object.")
    return body
