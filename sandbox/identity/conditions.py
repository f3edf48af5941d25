"""ABAC conditions of role assignments, as registries use them.

The grammar is https://learn.microsoft.com/azure/role-based-access-control/conditions-format, of which this
knows ActionMatches, StringEquals and StringStartsWith (also IgnoreCase) on @Request, and !, AND, OR.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) | (?P<not>!) | (?P<and>&&|AND\b) | (?P<or>\|\||OR\b)
      | ActionMatches\{\s*'(?P<action>[^']*)'\s*\}
      | @Request\[(?P<attribute>[^\]]+)\]\s*
        (?P<operator>StringEqualsIgnoreCase|StringEquals|StringStartsWithIgnoreCase|StringStartsWith)\s*
        '(?P<value>[^']*)'
    )""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Facts:
    """What a condition is asked about: the action, and the request's attributes by lower-cased name."""

    action: str
    attributes: Mapping[str, str]


Test = Callable[[Facts], bool]


class ConditionError(ValueError):
    """A condition outside of the grammar."""


def condition_holds(condition: str | None, action: str, attributes: Mapping[str, str]) -> bool:
    """Whether an assignment with this condition covers this action on what the attributes name."""
    if not condition:
        return True
    return parse(condition)(Facts(action, {name.lower(): value for name, value in attributes.items()}))


@lru_cache(maxsize=256)
def parse(condition: str) -> Test:
    """The condition as a predicate; raises ConditionError."""
    tokens, position = [], 0
    text = condition.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConditionError(f"unexpected text at {position}: {text[position : position + 30]!r}")
        tokens.append(match)
        position = match.end()
    parser = _Parser(tokens)
    test = parser.any_of()
    if parser.peek() is not None:
        raise ConditionError("unbalanced parentheses")
    return test


class _Parser:
    """Recursive descent: OR binds weaker than AND, AND weaker than !."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self) -> str | None:
        return self._tokens[self._next].lastgroup if self._next < len(self._tokens) else None

    def _take(self) -> re.Match[str]:
        if self._next == len(self._tokens):
            raise ConditionError("the condition ends too early")
        self._next += 1
        return self._tokens[self._next - 1]

    def any_of(self) -> Test:
        terms = [self._all_of()]
        while self.peek() == "or":
            self._take()
            terms.append(self._all_of())
        return lambda facts: any(term(facts) for term in terms)

    def _all_of(self) -> Test:
        terms = [self._term()]
        while self.peek() == "and":
            self._take()
            terms.append(self._term())
        return lambda facts: all(term(facts) for term in terms)

    def _term(self) -> Test:
        token = self._take()
        match token.lastgroup:
            case "not":
                term = self._term()
                return lambda facts: not term(facts)
            case "open":
                inside = self.any_of()
                if self._take().lastgroup != "close":
                    raise ConditionError("a parenthesis is not closed")
                return inside
            case "action":
                pattern = token["action"].lower()
                return lambda facts: fnmatchcase(facts.action.lower(), pattern)
            case "value":
                return _comparison(token["attribute"].lower(), token["operator"].lower(), token["value"])
        raise ConditionError(f"unexpected {token[0].strip()!r}")


def _comparison(attribute: str, operator: str, value: str) -> Test:
    fold = operator.endswith("ignorecase")
    starts = operator.startswith("stringstartswith")
    wanted = value.lower() if fold else value

    def test(facts: Facts) -> bool:
        actual = facts.attributes.get(attribute)
        if actual is None:
            return False
        actual = actual.lower() if fold else actual
        return actual.startswith(wanted) if starts else actual == wanted

    return test
