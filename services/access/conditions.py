"""Conditions of role assignments: read into a small tree, and asked of an action and a repository.

Grammar and meaning: https://learn.microsoft.com/azure/role-based-access-control/conditions-format.
What is not understood is neither true nor false: None, undetermined.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from services.access.role_definitions import REGISTRY, action_matches

REPOSITORY_NAME = REGISTRY + "repositories:name"

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) | (?P<and>&&|AND\b) | (?P<or>\|\||OR\b) | (?P<not>!|NOT\b)
      | (?P<action>ActionMatches\s*\{\s*'(?P<pattern>[^']*)'\s*\})
      | (?P<other>\w+\s*\{[^{}]*\}|Exists\s+@\w+\[[^\]]*\])
      | (?P<compare>(?P<source>@\w+)\s*\[(?P<attribute>[^\]]+)\]\s*
            (?:(?P<quantifier>For(?:Any|All)Of(?:Any|All)Values):)?(?P<operator>\w+)\s*
            (?P<values>\{[^{}]*\}|'[^']*'|@\w+\[[^\]]*\]|[\w.:+-]+))
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_SET = re.compile(r"\{\s*'[^']*'\s*(?:,\s*'[^']*'\s*)*\}|'[^']*'")
_OPERATOR = re.compile(r"String(?P<no>Not)?(?P<how>Equals|StartsWith|Like)(?P<fold>IgnoreCase)?", re.IGNORECASE)


@dataclass(frozen=True)
class ActionMatches:
    """The action that is asked for is one that `pattern` names."""

    pattern: str


@dataclass(frozen=True)
class NameMatches:
    """The repository's name compares with `values`: with any of them, or with `every` one.

    `how` is equals, startswith or like (where * is any text, ? any character, and \\ makes them plain); `no` turns
    each comparison round.
    """

    how: str
    values: tuple[str, ...]
    no: bool = False
    ignore_case: bool = False
    every: bool = False


@dataclass(frozen=True)
class NotUnderstood:
    """A part of the language that is not read here, as it was written."""

    text: str


@dataclass(frozen=True)
class Not:
    """The opposite of `term`."""

    term: "Condition"


@dataclass(frozen=True)
class AllOf:
    """Every one of `terms`."""

    terms: "tuple[Condition, ...]"


@dataclass(frozen=True)
class AnyOf:
    """At least one of `terms`."""

    terms: "tuple[Condition, ...]"


Condition = ActionMatches | NameMatches | NotUnderstood | Not | AllOf | AnyOf


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> Condition:
    """The condition as a tree. Never raises: text outside of the grammar is one NotUnderstood."""
    try:
        return _Reader(_tokens(text)).read()
    except (ValueError, RecursionError):
        return NotUnderstood(text)


def holds(condition: Condition, action: str, repository: str | None) -> bool | None:
    """Whether `condition` lets `action` happen on `repository`; None where that is undetermined.

    Without a repository every comparison with its name is undetermined.
    """
    match condition:
        case ActionMatches(pattern):
            return action_matches(pattern, action)
        case NameMatches():
            return None if repository is None else _compares(condition, repository)
        case NotUnderstood():
            return None
        case Not(term):
            found = holds(term, action, repository)
            return None if found is None else not found
        case AllOf(terms):
            return all_hold(holds(term, action, repository) for term in terms)
        case AnyOf(terms):
            return any_holds(holds(term, action, repository) for term in terms)


def all_hold(parts: Iterable[bool | None]) -> bool | None:
    """False where one part is, else None where one is undetermined, else True."""
    parts = set(parts)
    return False if False in parts else None if None in parts else True


def any_holds(parts: Iterable[bool | None]) -> bool | None:
    """True where one part is, else None where one is undetermined, else False."""
    parts = set(parts)
    return True if True in parts else None if None in parts else False


def understood(condition: Condition) -> bool:
    """Whether every part of it is read: then only the repository's name can leave it open."""
    match condition:
        case NotUnderstood():
            return False
        case Not(term):
            return understood(term)
        case AllOf(terms) | AnyOf(terms):
            return all(understood(term) for term in terms)
    return True


def _compares(test: NameMatches, name: str) -> bool:
    quantify: Callable[[list[bool]], bool] = all if test.every else any
    return quantify([_compare(test, name, value) != test.no for value in test.values])


def _compare(test: NameMatches, name: str, value: str) -> bool:
    if test.how == "like":
        return _like(value, test.ignore_case).fullmatch(name) is not None
    if test.ignore_case:
        name, value = name.lower(), value.lower()
    return name.startswith(value) if test.how == "startswith" else name == value


@lru_cache(maxsize=1024)
def _like(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    regex = "".join(wild.get(part) or re.escape(part[1:] if len(part) > 1 else part) for part in parts)
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _tokens(text: str) -> list[re.Match[str]]:
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if not token:
            raise ValueError(f"not a condition from character {at} on")
        found.append(token)
        at = token.end()
    return found


class _Reader:
    """Recursive descent: OR binds weaker than AND, AND weaker than NOT."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self._tokens = tokens[::-1]

    def read(self) -> Condition:
        condition = self._any()
        if self._tokens:
            raise ValueError("a parenthesis too many")
        return condition

    def _any(self) -> Condition:
        terms = self._joined("or", self._all)
        return terms[0] if len(terms) == 1 else AnyOf(terms)

    def _all(self) -> Condition:
        terms = self._joined("and", self._term)
        return terms[0] if len(terms) == 1 else AllOf(terms)

    def _joined(self, by: str, term: Callable[[], Condition]) -> tuple[Condition, ...]:
        terms = [term()]
        while self._tokens and self._tokens[-1][by]:
            self._tokens.pop()
            terms.append(term())
        return tuple(terms)

    def _term(self) -> Condition:
        if not self._tokens:
            raise ValueError("it ends too early")
        token = self._tokens.pop()
        if token["not"]:
            term = self._term()
            return term.term if isinstance(term, Not) else Not(term)
        if token["open"]:
            inside = self._any()
            if not self._tokens or not self._tokens.pop()["close"]:
                raise ValueError("a parenthesis is not closed")
            return inside
        if token["action"]:
            return ActionMatches(token["pattern"])
        if token["compare"]:
            return _comparison(token)
        if token["other"]:
            return NotUnderstood(token["other"])
        raise ValueError(f"unexpected {token[0].strip()}")


def _comparison(token: re.Match[str]) -> Condition:
    operator = _OPERATOR.fullmatch(token["operator"])
    names_repository = (
        token["source"].lower() == "@request" and token["attribute"].strip().lower() == REPOSITORY_NAME.lower()
    )
    if not operator or not names_repository or not _SET.fullmatch(token["values"]):
        return NotUnderstood(token["compare"])
    quantifier = (token["quantifier"] or "").lower()
    if token["values"].startswith("{") and not quantifier:
        return NotUnderstood(token["compare"])
    return NameMatches(
        operator["how"].lower(),
        tuple(re.findall(r"'([^']*)'", token["values"])),
        bool(operator["no"]),
        bool(operator["fold"]),
        # A repository has one name, so what is asked of any or all names is the same.
        quantifier.endswith("ofallvalues"),
    )
