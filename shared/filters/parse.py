"""From BC's filter language to the model (R5; BC reference 3.6).

    expression = conjunction { "|" conjunction }
    conjunction = factor { "&" factor }                     & binds before |
    factor = "(" expression ")" | comparison
    comparison = [operator] ["@"] operand                   operator: = <> < <= > >=
               | ["@"] operand ".." [["@"] operand]         "@" at either end holds for both
               | ["@"] ".." ["@"] operand
    operand = chunks of bare text, 'quoted text' ('' inside is one quote), wildcards * and ?

Blanks around an operand do not count, blanks inside do. Inside quotes every character stands for itself. Bare text
holds no operator; an apostrophe between two letters or digits (O'Brien) is one, doubled or not. `%me` and `%company`
stand for a whole chunk of bare text.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.filters.fields import CONTACT_FIELDS, ContactField, Kind, nearest_field
from shared.filters.literals import BadLiteral, canonical_literal, expected_literal, upper
from shared.filters.model import (
    Compare,
    Equals,
    Expression,
    Filter,
    FilterError,
    Interval,
    NotEquals,
    Pattern,
    Relation,
    Term,
    Wildcard,
    all_of,
    any_of,
)

MAX_CHARACTERS = 8_000  #: of one expression
MAX_NESTING = 50  #: parentheses within parentheses

_OPERATORS = ("<>", "<=", ">=", "<", ">", "=")  # the longer ones first
_WILDCARDS = {"*": Wildcard.ANY, "?": Wildcard.ONE}
_ENDS_BARE = "|&)*?"
_NEEDS_QUOTES = "(<>='"
_TEXT_KINDS = (Kind.TEXT, Kind.CODE)
_ORDERED_KINDS = (Kind.TEXT, Kind.CODE, Kind.DATE, Kind.DATETIME)


def parse_filter(expressions: Mapping[str, str], *, me: str | None = None, company: str | None = None) -> Filter:
    """A filter as a profile or company holds it: expressions by field name, combined with AND.

    `me` is the profile's `bcUserName` and `company` the company's name, for `%me` and `%company`. Raises `FilterError`.
    """
    return Filter(tuple(parse_expression(field, text, me=me, company=company) for field, text in expressions.items()))


def parse_expression(field: str, text: str, *, me: str | None = None, company: str | None = None) -> Expression:
    """One field's expression. Raises `FilterError` with the column, and nothing else, whatever the text."""
    known = CONTACT_FIELDS.get(field)
    if known is None:
        near = nearest_field(field)
        hint = f" (did you mean {near}?)" if near else ""
        raise FilterError(field, 1, f"the name of a contact field of BC's API{hint}", "an unknown field")
    if len(text) > MAX_CHARACTERS:
        raise FilterError(field, MAX_CHARACTERS + 1, f"at most {MAX_CHARACTERS} characters", f"{len(text)}")
    tokens = {"%me": me or None, "%company": company or None}
    return Expression(field, _Parser(known, text, tokens).parse())


@dataclass(frozen=True, slots=True)
class _Operand:
    parts: tuple[str | Wildcard, ...]
    start: int

    @property
    def has_wildcards(self) -> bool:
        return any(isinstance(part, Wildcard) for part in self.parts)

    @property
    def literal(self) -> str:
        return "".join(part for part in self.parts if isinstance(part, str))


class _Parser:
    """Recursive descent over one expression; `_at` is the index of the next character."""

    def __init__(self, field: ContactField, text: str, tokens: Mapping[str, str | None]) -> None:
        self._field = field
        self._text = text
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def parse(self) -> Term:
        term = self._alternatives()
        if self._at < len(self._text):
            raise self._error("| or & or the end of the expression")
        return term

    def _alternatives(self) -> Term:
        terms = [self._conjunction()]
        while self._take("|"):
            terms.append(self._conjunction())
        return any_of(terms)

    def _conjunction(self) -> Term:
        terms = [self._factor()]
        while self._take("&"):
            terms.append(self._factor())
        return all_of(terms)

    def _factor(self) -> Term:
        self._skip_blanks()
        if not self._sees("("):
            return self._comparison()
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._error(f"at most {MAX_NESTING} parentheses within each other")
        self._at += 1
        term = self._alternatives()
        if not self._take(")"):
            raise self._error("| or & or a closing parenthesis")
        self._depth -= 1
        self._skip_blanks()
        return term

    def _comparison(self) -> Term:
        start = self._at
        operator = next((each for each in _OPERATORS if self._take(each)), "")
        ignore_case = self._takes_ignore_case()
        if not operator and self._take(".."):
            ignore_case = self._takes_ignore_case() or ignore_case
            return self._interval(None, self._operand(), ignore_case, start)
        operand = self._operand()
        if not self._sees(".."):
            return self._single(operator, operand, ignore_case, start)
        if operator:
            raise self._error(f"a single value after {operator}")
        self._at += 2
        ignore_case = self._takes_ignore_case() or ignore_case
        self._skip_blanks()
        is_open = self._at == len(self._text) or self._text[self._at] in "|&)"
        return self._interval(operand, None if is_open else self._operand(), ignore_case, start)

    def _single(self, operator: str, operand: _Operand, ignore_case: bool, start: int) -> Term:
        ignore_case = ignore_case and self._field.kind is Kind.TEXT
        if operator in {"", "=", "<>"}:
            negated = operator == "<>"
            if operand.has_wildcards:
                return Pattern(self._pattern(operand), ignore_case, negated)
            literal = self._literal(operand)
            return NotEquals(literal, ignore_case) if negated else Equals(literal, ignore_case)
        self._require_order(start)
        return Compare(Relation(operator), self._literal(operand), ignore_case)

    def _interval(self, low: _Operand | None, high: _Operand | None, ignore_case: bool, start: int) -> Term:
        self._require_order(start)
        return Interval(
            None if low is None else self._literal(low),
            None if high is None else self._literal(high),
            ignore_case and self._field.kind is Kind.TEXT,
        )

    def _require_order(self, start: int) -> None:
        if self._field.kind not in _ORDERED_KINDS:
            raise self._error(f"{expected_literal(self._field)}, alone or after <>", at=start)

    def _takes_ignore_case(self) -> bool:
        self._skip_blanks()
        start = self._at
        if not self._take("@"):
            return False
        # Codes and enum members compare without case anyway; for the rest it has no meaning.
        if self._field.kind not in (*_TEXT_KINDS, Kind.ENUM):
            raise self._error(f"{expected_literal(self._field)} (@ is for text)", at=start)
        self._skip_blanks()
        return True

    def _literal(self, operand: _Operand) -> str:
        if operand.has_wildcards:
            raise self._error("a value without wildcards", at=operand.start)
        try:
            return canonical_literal(self._field, operand.literal)
        except BadLiteral as problem:
            raise self._error(problem.expected, at=operand.start) from None

    def _pattern(self, operand: _Operand) -> tuple[str | Wildcard, ...]:
        """The parts in canonical form: no empty literals, no two * in a row, codes in upper case."""
        if self._field.kind not in _TEXT_KINDS:
            raise self._error(f"{expected_literal(self._field)}; wildcards are for text", at=operand.start)
        parts: list[str | Wildcard] = []
        length = 0
        for part in operand.parts:
            if isinstance(part, str):
                literal = upper(part) if self._field.kind is Kind.CODE else part
                length += len(literal)
                if literal:
                    parts.append(literal)
            elif part is Wildcard.ONE or parts[-1:] != [Wildcard.ANY]:
                parts.append(part)
        if length > self._field.length:
            raise self._error(f"at most {self._field.length} characters", at=operand.start)
        return tuple(parts)

    def _operand(self) -> _Operand:
        self._skip_blanks()
        start = self._at
        parts: list[str | Wildcard] = []
        while self._at < len(self._text):
            wildcard = _WILDCARDS.get(self._text[self._at])
            if wildcard is not None:
                parts.append(wildcard)
                self._at += 1
            elif self._sees("'"):
                parts.append(self._quoted())
            elif self._ends_bare():
                break
            else:
                parts.append(self._bare())
        if not parts:
            raise self._error(expected_literal(self._field) if self._at == len(self._text) else self._expected_value())
        return _Operand(tuple(parts), start)

    def _expected_value(self) -> str:
        return f"{expected_literal(self._field)} (in quotes if it begins with an operator)"

    def _quoted(self) -> str:
        start = self._at
        self._at += 1
        pieces: list[str] = []
        while True:
            end = self._text.find("'", self._at)
            if end < 0:
                raise FilterError(
                    self._field.name, len(self._text) + 1, f"a ' to close the one in column {start + 1}", "the end"
                )
            pieces.append(self._text[self._at : end])
            self._at = end + 1
            if not self._sees("'"):
                break
            pieces.append("'")
            self._at += 1
        after = self._at
        self._skip_blanks()
        if not self._ends_operand(after):
            raise self._error("an operator after the quoted value")
        return "".join(pieces)

    def _ends_operand(self, after: int) -> bool:
        """Whether a quoted chunk may end here: before a delimiter, or right before a wildcard."""
        if self._at == len(self._text) or self._text[self._at] in "|&)" or self._sees(".."):
            return True
        return self._at == after and self._text[self._at] in _WILDCARDS

    def _bare(self) -> str:
        start = self._at
        pieces: list[str] = []
        while not self._ends_bare():
            char = self._text[self._at]
            if char == "'" and self._is_apostrophe():
                self._at += 2 if self._sees("''") else 1
            elif char in _NEEDS_QUOTES:
                raise self._error(f"an operator or the end; a value that contains {char} goes in quotes")
            else:
                self._at += 1
            pieces.append(char)
        chunk = "".join(pieces)
        if self._at == len(self._text) or self._text[self._at] not in _WILDCARDS:
            chunk = chunk.rstrip()
        return self._token(chunk, start) if chunk.startswith("%") else chunk

    def _is_apostrophe(self) -> bool:
        after = self._at + (2 if self._sees("''") else 1)
        before_is_word = self._at > 0 and self._text[self._at - 1].isalnum()
        return before_is_word and after < len(self._text) and self._text[after].isalnum()

    def _ends_bare(self) -> bool:
        return self._at == len(self._text) or self._text[self._at] in _ENDS_BARE or self._sees("..")

    def _token(self, chunk: str, start: int) -> str:
        name = chunk.lower()
        if name not in self._tokens:
            raise self._error("%me or %company (a value that begins with % goes in quotes)", at=start)
        value = self._tokens[name]
        if value is None:
            missing = "a user for %me (set bcUserName in the profile)" if name == "%me" else "a company for %company"
            raise self._error(missing, at=start)
        return value

    def _skip_blanks(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _sees(self, sign: str) -> bool:
        return self._text.startswith(sign, self._at)

    def _take(self, sign: str) -> bool:
        if not self._sees(sign):
            return False
        self._at += len(sign)
        return True

    def _error(self, expected: str, *, at: int | None = None) -> FilterError:
        index = self._at if at is None else at
        rest = self._text[index:].split(maxsplit=1)
        found = f'"{rest[0][:20]}"' if rest else "the end"
        return FilterError(self._field.name, index + 1, expected, found)
