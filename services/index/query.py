"""What a person types into the search, as terms. Pure: no database.

Terms are all to be true. `field:value`, words, and "words in quotes"; a value in quotes may have blanks. An image
reference that is pasted is its registry, repository, and tag or digest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import NoReturn

# As many of a digest's first characters as git and docker show.
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{7,64})", re.IGNORECASE)
_PIECE = re.compile(r'((?:[^\s":]+:)*"[^"]*"|\S+)')
_SIZE = re.compile(r"([<>]=?)?\s*(\d+(?:\.\d+)?)\s*(b|kb|kib|mb|mib|gb|gib|tb|tib)?", re.IGNORECASE)
_AGE = re.compile(r"([<>]=?)?\s*(\d+)\s*(h|d|w|m|y)", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "y": 365 * 24}
# Larger numbers are none that a database or a calendar has.
_MOST_BYTES = 2**63 - 1
_MOST_HOURS = 100 * _HOURS["y"]
LONGEST = 500
# Of an annotation's name and value together: longer ones are not in the index.
LONGEST_PROPERTY = 400
MOST_TERMS = 12


@dataclass(eq=False)
class QueryError(Exception):
    """A text that is no query: where (from 0), why, and what is allowed there. `instead`: the text with the nearest
    field in place of one that is none; "" where none is near."""

    at: int
    why: str
    allowed: str
    instead: str = ""

    def __str__(self) -> str:
        return f"At character {self.at + 1}: {self.why} {self.allowed}"


@dataclass(frozen=True)
class Term:
    """One condition. `field` "" is a word. `value`: of size bytes, of age hours, of an annotation or label what stands
    behind the =, "*" where there is none; `name`: its name. `above`: of size and age, whether more than `value`, else
    less. `negated`: it is to be false."""

    field: str
    value: str
    number: int = 0
    above: bool = True
    name: str = ""
    negated: bool = False


@dataclass(frozen=True)
class Query:
    """A text as terms. `untagged`: manifests to which no tag leads."""

    terms: tuple[Term, ...] = ()
    untagged: bool = False

    def of(self, *fields: str) -> tuple[Term, ...]:
        """The terms of these fields that are to be true."""
        return tuple(term for term in self.terms if term.field in fields and not term.negated)

    def without(self, *fields: str) -> tuple[Term, ...]:
        """The terms of these fields that are to be false."""
        return tuple(term for term in self.terms if term.field in fields and term.negated)

    @property
    def about_images(self) -> bool:
        """Whether only manifests can fulfil it."""
        return self.untagged or any(term.field in _OF_IMAGES for term in self.terms)

    @property
    def about_configs(self) -> bool:
        """Whether it finds only images whose config was read."""
        return bool(self.of(*_OF_CONFIGS))


_OF_CONFIGS = ("label", "env", "author", "base", "rebuild")
_OF_IMAGES = ("digest", "annotation", "layer", "size", "age", "runs", "pulled", *_OF_CONFIGS)
# Each field, and an example: what the page shows as help.
EXAMPLES: Mapping[str, str] = {
    "registry": "registry:contosohub",
    "repository": "repository:api/*",
    "tag": "tag:v1.*",
    "digest": "digest:sha256:3fa9c1d",
    "annotation": "annotation:team=payments",
    "label": "label:team=payments",
    "env": "env:JAVA_OPTS",
    "author": "author:contoso",
    "base": "base:docker.io/library/alpine",
    "rebuild": "rebuild:yes",
    "layer": "layer:sha256:9b2cf07",
    "size": "size:>1GiB",
    "age": "age:>1y",
    "runs": "runs:aks-payments",
    "pulled": "pulled:90d",
    "not": "not:pulled:90d",
}
# Of these the index itself does not know which images they are about: the search is given that.
GIVEN = ("runs", "pulled", "rebuild")
# What may stand behind not:. Of a base and of labels, an image that does not say it may have it all the same.
NEGATED = ("registry", "repository", "annotation", "layer", "runs", "pulled")
_ALLOWED = f"Fields are {', '.join(EXAMPLES)}, and the word untagged. Put quotes around a text that has a colon."


def digest_prefix(text: str) -> str:
    """'sha256:' and the characters given, in lower case, where `text` is a digest or its first 7 characters or more;
    else ""."""
    found = _DIGEST.fullmatch(text)
    return f"sha256:{found[1].lower()}" if found else ""


def has_fields(text: str) -> bool:
    """Whether a text is meant for this language: it has a field, or the word untagged."""
    return any(
        piece[1].casefold() == "untagged" or (piece[1].partition(":")[0].casefold() in EXAMPLES and ":" in piece[1])
        for piece in _PIECE.finditer(text)
    )


def parse(text: str) -> Query:
    """The query that a text is. Raises QueryError."""
    if len(text) > LONGEST:
        raise QueryError(LONGEST, "The text is too long.", f"At most {LONGEST} characters.")
    if (at := next((at for at, one in enumerate(text) if one == "\0" or "\ud800" <= one <= "\udfff"), -1)) >= 0:
        raise QueryError(at, "That character is in no name.", "Leave it out.")
    terms: list[Term] = []
    untagged = False
    for piece in _PIECE.finditer(text):
        at, found = piece.start(1), piece[1]
        if found.count('"') % 2:
            raise QueryError(at + found.index('"'), "A quote is not closed.", 'Close it with ".')
        if found.casefold() == "untagged":
            untagged = True
            continue
        try:
            terms += _terms(at, found)
        except QueryError as error:
            error.instead = error.instead and text[:at] + error.instead + text[at + len(found) :]
            raise
        if len(terms) > MOST_TERMS:
            raise QueryError(at, "Too many conditions.", f"At most {MOST_TERMS}.")
    return Query(tuple(terms), untagged)


def _terms(at: int, piece: str) -> list[Term]:
    if piece.startswith('"'):
        return [Term("", piece.strip('"'))] if piece.strip('"') else []
    if digest_prefix(piece):
        return [Term("", piece)]
    field, colon, value = piece.partition(":")
    if not colon:
        reference = _reference(piece) if "@" in piece else []
        return reference or [Term("", piece)]
    if "/" in field or "." in field or "@" in field:
        return _reference(piece)
    field = field.casefold()
    if field == "not":
        return _negated(at + len(field) + 1, value)
    behind, value = value, value.strip('"')
    if field == "sha256":
        raise QueryError(at, "That is no digest.", "A digest is at least 7 hexadecimal characters after sha256:.")
    if field not in EXAMPLES:
        near = get_close_matches(field, EXAMPLES, 1, 0.6)
        raise QueryError(at, f"There is no field {field}.", _ALLOWED, f"{near[0]}:{behind}" if near else "")
    if not value:
        raise QueryError(at + len(field) + 1, f"{field}: has no value.", f"For example {EXAMPLES[field]}.")
    return [_term(at + len(field) + 1, field, value)]


def _negated(at: int, piece: str) -> list[Term]:
    field = piece.partition(":")[0].casefold()
    if field not in NEGATED or ":" not in piece:
        raise QueryError(at, "not: needs a field that can be refused.", f"These can: {', '.join(NEGATED)}.")
    terms = _terms(at, piece)
    if field == "annotation" and any("*" in term.value for term in terms):
        # Of values that are too long for the index it is not known how they begin.
        raise QueryError(at, "not:annotation: needs the whole value.", "For example not:annotation:team=payments.")
    if field == "annotation" and any(len(term.name) + len(term.value) > LONGEST_PROPERTY for term in terms):
        raise QueryError(at, "The index has no annotation as long as that.", f"At most {LONGEST_PROPERTY} characters.")
    return [replace(term, negated=True) for term in terms]


def _reference(piece: str) -> list[Term]:
    """An image reference: registry.example/repository:tag@digest, each part that it has."""
    path, _, digest = piece.partition("@")
    before, colon, tag = path.rpartition(":")
    if not colon or "/" in tag:
        before, tag = path, ""
    server, slash, repository = before.partition("/")
    if not slash or not ("." in server or ":" in server):
        server, repository = "", before
    found = [Term("registry", server)] if server else []
    found += [Term("repository", repository)] if repository else []
    if prefix := digest_prefix(digest):
        return [*found, Term("digest", prefix)]
    return [*found, Term("tag", tag)] if tag else found


def _term(at: int, field: str, value: str) -> Term:
    match field:
        case "digest" | "layer":
            prefix = digest_prefix(value)
            if not prefix:
                _refuse(at, field, "That is no digest: it needs at least 7 hexadecimal characters.")
            return Term(field, prefix)
        case "annotation" | "label":
            name, equals, wanted = value.partition("=")
            if not name or "*" in name:
                _refuse(at, field, f"The {field} needs its whole name; what stands behind the = may end on *.")
            return Term(field, _beginning(at, field, wanted) if equals else "*", name=name)
        case "env" if "=" in value:
            _refuse(at, field, "Only the names of an environment are in the index, not the values.")
        case "env" | "author" | "base":
            if value == "*":
                _refuse(at, field, f"{field}: needs first characters before the *.")
            return Term(field, _beginning(at, field, value))
        case "size":
            found = _SIZE.fullmatch(value)
            if not found:
                _refuse(at, field, "That is no size.")
            number = float(found[2]) * _UNITS[(found[3] or "")[:1].casefold()]
            if number >= _MOST_BYTES:
                _refuse(at, field, "That is more than 8 million TiB.")
            return Term(field, value, int(number), _above(found[1]))
        case "age":
            found = _AGE.fullmatch(value)
            if not found:
                _refuse(at, field, "That is no age: units are h, d, w, m and y.")
            return Term(field, value, _hours(at, field, found), _above(found[1]))
        case "pulled":
            found = _AGE.fullmatch(value)
            if not found or found[1]:
                _refuse(at, field, "That is no span of time: units are h, d, w, m and y.")
            return Term(field, value, _hours(at, field, found))
        case "rebuild":
            if value.casefold() not in ("yes", "no"):
                _refuse(at, field, "An image is to be rebuilt, or not: yes or no.")
            return Term(field, value.casefold())
        case "tag" if value[0] in "*?[":
            _refuse(at, field, "A tag needs its first characters before a pattern.")
    return Term(field, value)


def _beginning(at: int, field: str, value: str) -> str:
    """The value, which may end on * and has none elsewhere: the index finds texts by how they begin."""
    if "*" in value[:-1]:
        _refuse(at, field, "Texts are found by how they begin: a * may stand at the end alone.")
    return value


def _hours(at: int, field: str, found: re.Match[str]) -> int:
    hours = int(found[2]) * _HOURS[found[3].casefold()]
    if hours > _MOST_HOURS:
        _refuse(at, field, "That is more than 100 years.")
    return hours


def _above(sign: str | None) -> bool:
    return not (sign or ">").startswith("<")


def _refuse(at: int, field: str, why: str) -> NoReturn:
    raise QueryError(at, why, f"For example {EXAMPLES[field]}.")
