"""Reading `$filter`: from text to conditions, refusing what BC refuses (3.4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dev.simulators.business_central import errors
from dev.simulators.business_central.fields import Entity, Field, Kind
from dev.simulators.business_central.stamps import parse_exact

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^']|'')*')
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))
  | (?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
  | (?P<date>\d{4}-\d\d-\d\d)
  | (?P<number>-?\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_/]*)
  | (?P<mark>[(),:])
  )""",
    re.VERBOSE,
)
_OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le")
_SEARCHES = ("startswith", "endswith", "contains")
_FOLDS = ("tolower", "toupper")
_KINDS = {
    "string": (Kind.TEXT, Kind.CODE, Kind.ENUM),
    "datetime": (Kind.DATETIME,),
    "guid": (Kind.GUID,),
    "date": (Kind.DATE,),
    "number": (Kind.NUMBER,),
    "boolean": (Kind.BOOLEAN,),
}
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against one literal. `operator`: eq ne gt ge lt le startswith endswith contains."""

    field: Field
    operator: str
    value: Any
    fold: bool = False  #: tolower or toupper stands around the field: case is ignored


@dataclass(frozen=True, slots=True)
class Every:
    """All of the parts hold; without parts: always."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of the parts holds; all of them are about the same field."""

    parts: tuple["Condition", ...]


type Condition = Comparison | Every | Either


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the server understands beyond the plain operators."""

    schema_21: bool = False  #: `$schemaversion=2.1`: `in` and nested functions
    in_without_21: str = "refused"  #: see Switches
    null_comparison: str = "dropped"
    lambda_filter: str = "refused"


def parse_filter(text: str, entity: Entity, dialect: Dialect) -> Condition:
    """Return the condition that a `$filter` states; raises BcError (400 or 501)."""
    if re.search(r"/(any|all)\s*\(", re.sub(r"'[^']*'", "''", text)):
        if dialect.lambda_filter == "ignored":
            return Every(())
        raise errors.bad_request("Lambda operators are not supported in an OData filter.")
    return _Parser(text, entity, dialect).parse()


def fields_of(condition: Condition) -> frozenset[str]:
    """Return the names of the fields that a condition looks at."""
    if isinstance(condition, Comparison):
        return frozenset({condition.field.name})
    return frozenset().union(*(fields_of(part) for part in condition.parts))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class _Operand:
    field: Field
    fold: bool = False
    cut: bool = False  #: substring(field, n): what is left is compared as an ending


def _tokens(text: str) -> list[_Token]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise errors.bad_request(f"Syntax error at position {position} in '{text}'.")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    return [*found, _Token("end", "", len(text))]


class _Parser:
    def __init__(self, text: str, entity: Entity, dialect: Dialect) -> None:
        self._source = text
        self._tokens = _tokens(text)
        self._entity = entity
        self._fields: Mapping[str, Field] = entity.fields
        self._dialect = dialect
        self._next = 0
        self._depth = 0

    def parse(self) -> Condition:
        condition = self._either()
        if self._peek.kind != "end":
            raise self._unexpected()
        return condition

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _unexpected(self) -> errors.BcError:
        return errors.bad_request(f"Expression expected at position {self._peek.position} in '{self._source}'.")

    def _take(self, text: str) -> bool:
        taken = self._peek.kind in ("word", "mark") and self._peek.text == text
        self._next += taken
        return taken

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._unexpected()

    def _either(self) -> Condition:
        parts = [self._every()]
        while self._take("or"):
            parts.append(self._every())
        if len(parts) == 1:
            return parts[0]
        if len(frozenset().union(*(fields_of(part) for part in parts))) > 1:
            raise errors.not_implemented("The 'OR' operator is not supported on distinct fields on an OData filter.")
        return Either(tuple(parts))

    def _every(self) -> Condition:
        parts = [self._single()]
        while self._take("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _single(self) -> Condition:
        if self._take("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise errors.bad_request("The filter is nested too deeply.")
            condition = self._either()
            self._expect(")")
            self._depth -= 1
            return condition
        if self._peek.kind == "word" and self._peek.text in _SEARCHES:
            return self._search()
        operand = self._operand(nested=False)
        if self._take("in"):
            return self._in(operand)
        if self._peek.kind != "word" or self._peek.text not in _OPERATORS:
            raise self._unexpected()
        operator = self._peek.text
        self._next += 1
        return self._comparison(operand, operator)

    def _search(self) -> Condition:
        function = self._peek.text
        self._next += 1
        self._expect("(")
        operand = self._operand(nested=True)
        self._expect(",")
        if self._peek.kind != "string" or operand.field.kind not in (Kind.TEXT, Kind.CODE):
            raise errors.bad_request(f"No function signature for the function with name '{function}' matches.")
        value = self._literal(operand.field)
        self._expect(")")
        return Comparison(operand.field, function, value, operand.fold)

    def _operand(self, nested: bool) -> _Operand:
        token = self._peek
        if token.kind != "word":
            raise self._unexpected()
        self._next += 1
        if self._peek.text == "(":
            return self._call(token.text, nested)
        if token.text not in self._fields:
            raise errors.unknown_field(token.text, self._entity.type_name)
        return _Operand(self._fields[token.text])

    def _call(self, function: str, nested: bool) -> _Operand:
        if function not in (*_FOLDS, "substring"):
            raise errors.not_implemented(f"The function '{function}' is not supported in an OData filter.")
        if nested and not self._dialect.schema_21:
            raise errors.not_implemented("Nested function calls are not supported in an OData filter.")
        self._expect("(")
        inner = self._operand(nested=True)
        if inner.field.kind not in (Kind.TEXT, Kind.CODE):
            raise errors.bad_request(f"No function signature for the function with name '{function}' matches.")
        if function == "substring":
            self._expect(",")
            if self._peek.kind != "number":
                raise self._unexpected()
            self._next += 1
        self._expect(")")
        return _Operand(inner.field, inner.fold or function in _FOLDS, inner.cut or function == "substring")

    def _in(self, operand: _Operand) -> Condition:
        self._expect("(")
        parts = [Comparison(operand.field, "eq", self._literal(operand.field), operand.fold)]
        while self._take(","):
            parts.append(Comparison(operand.field, "eq", self._literal(operand.field), operand.fold))
        self._expect(")")
        if self._dialect.schema_21:
            return Either(tuple(parts))
        if self._dialect.in_without_21 == "ignored":
            return Every(())
        raise errors.not_implemented("The 'IN' operator is not supported on an OData filter.")

    def _comparison(self, operand: _Operand, operator: str) -> Condition:
        if self._peek.text == "null":
            self._next += 1
            if self._dialect.null_comparison == "dropped":
                return Every(())
            raise errors.bad_request("A comparison with null is not supported.")
        value = self._literal(operand.field)
        if operator not in ("eq", "ne") and operand.field.kind in (Kind.ENUM, Kind.BOOLEAN):
            raise errors.bad_request(f"The operator '{operator}' cannot be used on '{operand.field.name}'.")
        if operand.cut:
            # substring becomes a wildcard (3.4, rule 4), which only an equality can carry.
            if operator != "eq":
                raise errors.not_implemented(f"The operator '{operator}' is not supported on 'substring'.")
            operator = "endswith"
        return Comparison(operand.field, operator, value, operand.fold)

    def _literal(self, field: Field) -> Any:
        token = self._peek
        kind = "boolean" if token.text in ("true", "false") else token.kind
        if kind not in _KINDS:
            raise self._unexpected()
        self._next += 1
        if field.kind not in _KINDS[kind]:
            raise errors.bad_request(
                f"A binary operator with incompatible types was detected at '{field.name}': "
                f"the literal at position {token.position} is of another type."
            )
        return _value(token, field)


def _value(token: _Token, field: Field) -> Any:
    text = token.text
    match field.kind:
        case Kind.GUID:
            return text.lower()
        case Kind.BOOLEAN:
            return text == "true"
        case Kind.NUMBER:
            return float(text)
        case Kind.DATETIME | Kind.DATE:
            return _moment(text, field)
        case Kind.ENUM:
            member = text[1:-1].replace("''", "'")
            if member not in field.members and not (member == "" and " " in field.members):
                raise errors.not_an_option(member, ",".join(field.members))
            return member or " "
    return text[1:-1].replace("''", "'")


def _moment(text: str, field: Field) -> Any:
    try:
        return date.fromisoformat(text).isoformat() if field.kind is Kind.DATE else parse_exact(text)
    except ValueError:
        raise errors.bad_request(f"Unrecognized date or time '{text}'.") from None
