"""BC's own filter language on one text, as far as the server finds it inside OData's literals (3.4 rule 5, 3.6).

`&` binds before `|`. Operands: `<>X`, `>X`, `>=X`, `<X`, `<=X`, `=X`, `A..B`, `..B`, `A..`, `@X` (ignore case),
`*` and `?` as wildcards, `'X'` as it is, `''` for blank.
"""

import re
from collections.abc import Callable

type Test = Callable[[str], bool]

_QUOTED = r"[<>=@\s]*'(?:[^']|'')*'(?=\s*(?:[&|)]|\.\.|$))"
_TOKEN = re.compile(_QUOTED + r"|\.\.|[&|()]|[^&|().]+|\.")


class FilterRefused(Exception):
    """A text that is no filter; the message says why."""


def compile_filter(text: str, max_length: int, fold: bool = False) -> Test:
    """Return the test that an AL filter stands for; raises FilterRefused. `fold` puts an `@` before each operand."""
    if not text:
        return lambda value: value == ""
    return _Parser([match.group() for match in _TOKEN.finditer(text)], max_length, fold).parse()


def compile_pattern(text: str, fold: bool) -> Test:
    """Return the test for a text with `*` and `?` as wildcards."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", text))
    pattern = re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if fold else re.NOFLAG))
    return lambda value: pattern.fullmatch(value) is not None


class _Parser:
    def __init__(self, tokens: list[str], max_length: int, fold: bool) -> None:
        self._tokens = tokens
        self._next = 0
        self._max_length = max_length
        self._fold = fold

    def parse(self) -> Test:
        test = self._either()
        if self._next < len(self._tokens):
            raise FilterRefused(f"The filter is not valid: '{self._tokens[self._next]}' was not expected.")
        return test

    def _either(self) -> Test:
        tests = [self._every()]
        while self._take("|"):
            tests.append(self._every())
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)

    def _every(self) -> Test:
        tests = [self._operand()]
        while self._take("&"):
            tests.append(self._operand())
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def _operand(self) -> Test:
        if self._take("("):
            test = self._either()
            if not self._take(")"):
                raise FilterRefused("The filter is not valid: a closing parenthesis is missing.")
            return test
        low = self._text()
        if not self._take(".."):
            if not low:
                raise FilterRefused("The filter is not valid: a value is missing.")
            return self._single(low)
        high = self._text()
        return self._interval(low, high)

    def _text(self) -> str:
        parts = []
        while self._next < len(self._tokens) and self._tokens[self._next] not in ("&", "|", "(", ")", ".."):
            parts.append(self._tokens[self._next])
            self._next += 1
        return "".join(parts).strip()

    def _take(self, token: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next] == token
        self._next += found
        return found

    def _interval(self, low: str, high: str) -> Test:
        if not low and not high:
            raise FilterRefused("The filter is not valid: an interval needs an end.")
        first, last = self._checked(low), self._checked(high)
        return lambda value: (not low or value >= first) and (not high or value <= last)

    def _single(self, text: str) -> Test:
        operator = next((one for one in ("<>", ">=", "<=", ">", "<", "=") if text.startswith(one)), "=")
        rest = text.removeprefix(operator).strip() if text.startswith(operator) else text
        if operator in ("=", "<>"):
            test = self._equals(rest)
            return test if operator == "=" else lambda value: not test(value)
        limit = self._checked(rest)
        return {
            ">": lambda value: value > limit,
            ">=": lambda value: value >= limit,
            "<": lambda value: value < limit,
            "<=": lambda value: value <= limit,
        }[operator]

    def _equals(self, text: str) -> Test:
        fold = self._fold
        if text.startswith("@"):
            text, fold = text[1:], True
        exact = self._checked(text)
        if exact == text and ("*" in text or "?" in text):
            return compile_pattern(text, fold)
        folded = exact.casefold()
        return (lambda value: value.casefold() == folded) if fold else (lambda value: value == exact)

    def _checked(self, text: str) -> str:
        """Return a value without its quotes; raises FilterRefused when it is longer than the field."""
        if len(text) > 1 and text[0] == text[-1] == "'":
            text = text[1:-1].replace("''", "'")
        if len(text) > self._max_length:
            raise FilterRefused(
                f"The length of the string is {len(text)}, but it must be less than or equal to "
                f"{self._max_length} characters. Value: {text}"
            )
        return text
