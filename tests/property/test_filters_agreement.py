"""R5: the OData text and our own evaluation agree, checked by an OData reader written from BC reference 3.4 alone.

The reader is as strict as BC might be: it refuses literals that BC could read as its own filter language, nested
functions, OR between fields, and literals longer than the field in any BC version.
"""

import operator
import re
from collections.abc import Callable
from datetime import datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.filters import Filter, FilterError, matches, parse_filter, to_odata
from shared.filters.literals import upper
from shared.filters.model import Expression, Pattern
from tests.property.test_filters_language import FIELDS, expressions, terms, values

TEXT_LENGTHS = {
    "number": 20, "displayName": 100, "jobTitle": 30, "companyNumber": 20, "companyName": 100, "addressLine1": 100,
    "addressLine2": 50, "city": 30, "state": 30, "country": 10, "postalCode": 20, "phoneNumber": 30,
    "mobilePhoneNumber": 30, "email": 80, "website": 80, "searchName": 100, "taxRegistrationNumber": 20,
}  # fmt: skip
TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[^\s(),']+)")
RELATIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith, "endswith": str.endswith, "contains": str.__contains__,
}  # fmt: skip

Test = Callable[[dict[str, str | bool]], bool]


class ODataReader:
    """A `$filter` as a test on a contact, and the fields that it names."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text), "a token was not read"
        self.comparisons = 0

    def read(self) -> Test:
        test, _ = self._or()
        assert not self.tokens, self.tokens
        return test

    def _or(self) -> tuple[Test, set[str]]:
        return self._chain("or", self._and, any)

    def _and(self) -> tuple[Test, set[str]]:
        return self._chain("and", self._one, all)

    def _chain(
        self, word: str, part: Callable[[], tuple[Test, set[str]]], join: Callable[..., bool]
    ) -> tuple[Test, set[str]]:
        tests, fields = [], set()
        while True:
            test, named = part()
            tests.append(test)
            fields |= named
            if self.tokens[:1] != [word]:
                break
            self.tokens.pop(0)
        assert word == "and" or len(tests) == 1 or len(fields) == 1, (
            "the 'OR' operator is not supported on distinct fields"
        )
        return (lambda contact: join(each(contact) for each in tests)), fields

    def _one(self) -> tuple[Test, set[str]]:
        token = self.tokens.pop(0)
        if token == "(":
            test, fields = self._or()
            assert self.tokens.pop(0) == ")"
            return test, fields
        self.comparisons += 1
        if token in FUNCTIONS:
            opening, name, comma, quoted, closing = (self.tokens.pop(0) for _ in range(5))
            assert (opening, comma, closing) == ("(", ",", ")")
            literal = self._text(name, quoted, spare=2 if token == "contains" else 1)
            return (lambda contact: FUNCTIONS[token](str(contact[name]), literal)), {name}
        if token == "tolower":
            opening, name, closing, relation, quoted = (self.tokens.pop(0) for _ in range(5))
            assert (opening, closing, relation) == ("(", ")", "eq")
            literal = self._text(name, quoted)
            return (lambda contact: str(contact[name]).lower() == literal), {name}
        return self._relation(token), {token}

    def _relation(self, name: str) -> Test:
        relation, literal = self.tokens.pop(0), self.tokens.pop(0)
        assert name in FIELDS
        if name in TEXT_LENGTHS:
            assert relation in {"eq", "ne"}, "order depends on the database's collation"
            wanted = self._text(name, literal)
        elif name in {"type", "contactBusinessRelation"}:
            assert re.fullmatch(r"'\w+( \w+)?'", literal)
            wanted = literal.strip("'").replace(" ", "_x0020_")
        elif name == "lastModifiedDateTime":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", literal)
            wanted = literal
        else:
            assert re.fullmatch(r"true|false|\d{4}-\d\d-\d\d|[0-9a-f-]{36}", literal)
            wanted = literal
        return lambda contact: RELATIONS[relation](_shown(name, contact[name]), _shown(name, wanted))

    def _text(self, name: str, quoted: str, spare: int = 0) -> str:
        assert quoted[0] == quoted[-1] == "'"
        literal = quoted[1:-1].replace("''", "'")
        assert not re.search(r"[*?|&<>()=%\x00-\x1f]|\.\.|^[@' ]|[' ]$", literal), (
            "BC may read this as its own language"
        )
        assert len(literal) + spare <= TEXT_LENGTHS[name], "Application_FilterErrorException"
        return literal


def _shown(name: str, value: str | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if name == "lastModifiedDateTime":
        return datetime.fromisoformat(value).isoformat(timespec="microseconds")
    return value


def check(contact_filter: Filter, contact: dict[str, str | bool], **caps: int) -> None:
    """What matches is never excluded, and what is complete excludes all the rest."""
    odata = to_odata(contact_filter, **caps)
    selected = True
    if odata.text is not None:
        reader = ODataReader(odata.text)
        selected = reader.read()(contact)
        assert reader.comparisons <= caps.get("max_terms", 200)
    matched = matches(contact_filter, contact)
    assert selected or not matched
    assert not odata.complete or selected is matched


@given(st.data(), st.lists(expressions(), min_size=1, max_size=4), st.integers(0, 12), st.integers(0, 500))
def test_odata_never_excludes_a_match_and_is_exact_when_it_says_so(
    data: st.DataObject, parts: list[Expression], max_terms: int, max_length: int
) -> None:
    contact = {each.field: data.draw(values(each.field)) for each in parts}
    check(Filter(tuple(parts)), contact)
    check(Filter(tuple(parts)), contact, max_terms=max_terms, max_length=max_length)


@settings(max_examples=400)
@given(st.data(), st.sampled_from(["displayName", "email", "number"]))
def test_odata_agrees_on_text_that_is_near_the_literal(data: st.DataObject, name: str) -> None:
    term = data.draw(terms(name, max_leaves=1))
    parts = (
        term.parts if isinstance(term, Pattern) else (getattr(term, "value", None) or getattr(term, "low", "") or "",)
    )
    filler = st.sampled_from(["", "", "a", "B", " ", "'", "@"])
    text = "".join(data.draw(filler) + (part if isinstance(part, str) else data.draw(filler)) for part in parts)
    text = data.draw(st.sampled_from([text, text.swapcase(), text.strip("'@ "), text + text]))[:20]
    check(Filter((Expression(name, term),)), {name: upper(text) if name == "number" else text})


@given(st.text("aAb*@ ", max_size=6), st.text("aAb*@ (", max_size=5))
@example("A*", "Aa")
@example("*a*b*", "ab")
@example("A*|@b", "B")
def test_odata_agrees_on_names_that_resemble_the_filter(text: str, name: str) -> None:
    try:
        contact_filter = parse_filter({"displayName": text})
    except FilterError:
        return  # what is refused is another test's matter
    check(contact_filter, {"displayName": name})
