"""Answers of any shape made into values: what cannot be understood costs one entry of a list, and never the console.

Azure, or what answers in its place, may send null where an object is expected, a number where a text is, or a time
without its zone. A conversion then fails (`MALFORMED`), or would hand on a value of another type than it says.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from azure.core.exceptions import DecodeError
from azure.core.rest import HttpResponse

from services.connection.errors import MALFORMED, ServiceError, fault_of
from services.connection.parallel import Partial, Refusal

Entry = TypeVar("Entry")
Value = TypeVar("Value")

_LOG = logging.getLogger(__name__)
NOT_UNDERSTOOD = "NotUnderstood"
_REMEDY = (
    "Look at it with `az` or in the portal: until it can be understood, the console shows and counts it as unread. "
    "If Azure has it right, report it with the log."
)

# In JSON, in this order: an escaped backslash, a pair of surrogates, half a pair.
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def read_entries(what: str, entries: Iterable[Entry], convert: Callable[[Entry], Value]) -> Partial[Value]:
    """Every entry of a list by `convert`, which may raise anything of `MALFORMED`. `what`: 'clusters of contoso'.

    Refused, in one Refusal for all of them: the entries that cannot be understood, or whose value has another type than
    its dataclass says ('1 of 40 clusters of contoso could not be understood'). An error of the list itself is raised.
    """
    values: list[Value] = []
    faults: list[str] = []
    for entry in entries:
        try:
            values.append(checked(convert(entry)))
        except MALFORMED as exc:
            _LOG.warning("%s: an entry could not be understood", what, exc_info=exc)
            faults.append(f"{_name_of(entry)}: {fault_of(exc)}")
    return Partial(tuple(values), refused_entries(what, len(values) + len(faults), faults))


def refused_entries(what: str, of: int, faults: list[str]) -> tuple[Refusal, ...]:
    """One Refusal for entries that could not be understood, each a sentence of `faults`; none where there are none."""
    if not faults:
        return ()
    more = f"; and {len(faults) - 3:,} more" if len(faults) > 3 else ""
    title = f"{len(faults):,} of {of:,} {what} could not be understood"
    return (Refusal(what, ServiceError(title, f"{'; '.join(faults[:3])}{more}.", _REMEDY, NOT_UNDERSTOOD)),)


def _name_of(entry: Any) -> str:
    """What an entry is called, as far as it can be read."""
    for name in ("name", "id", "digest", "display_name"):
        found = entry.get(name) if isinstance(entry, dict) else getattr(entry, name, None)
        if found and isinstance(found, str):
            return found
    return "an entry without a name"


def checked(value: Value) -> Value:
    """`value`, where each field of it, if it is a dataclass, and of those within has the type that is declared.

    Times must have a zone. Raises ValueError for another type, and names the field.
    """
    if is_dataclass(value):
        kind: Any = type(value)
        for name, fits in _checks(kind):
            if not fits(getattr(value, name)):
                raise ValueError(f"{name.replace('_', ' ')} is of an unexpected type")
    elif isinstance(value, tuple):
        for one in value:
            checked(one)
    return value


@cache
def _checks(kind: type[Any]) -> tuple[tuple[str, Callable[[Any], bool]], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _check(hints[field.name])) for field in fields(kind))


def _check(hint: Any) -> Callable[[Any], bool]:
    """Whether a value is of a type, as dataclasses of services declare it."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        either = [_check(arg) for arg in args]
        return lambda value: any(fits(value) for fits in either)
    if origin is Literal:
        return lambda value: value in args
    if origin is tuple and args[1:] != (...,):
        each = [_check(arg) for arg in args]
        return lambda value: (
            isinstance(value, tuple)
            and len(value) == len(each)
            and all(fits(one) for fits, one in zip(each, value, strict=True))
        )
    if isinstance(origin, type) and issubclass(origin, Mapping):
        of_key, of_value = _check(args[0]), _check(args[1])
        return lambda value: (
            isinstance(value, origin) and all(of_key(key) and of_value(one) for key, one in value.items())
        )
    if origin in (tuple, frozenset):
        of_item = _check(args[0])
        return lambda value: isinstance(value, tuple | frozenset) and all(of_item(one) for one in value)
    if not isinstance(hint, type):
        return lambda _value: True
    if hint is datetime:
        return lambda value: isinstance(value, datetime) and value.tzinfo is not None
    if hint is int:
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    if is_dataclass(hint):
        return lambda value: (
            isinstance(value, hint) and all(fits(getattr(value, name)) for name, fits in _checks(type(value)))
        )
    return lambda value: isinstance(value, hint)


def time_or_none(value: object) -> datetime | None:
    """A time of an answer, in UTC where it names no zone. None where there is none: Azure also writes the year 1 then.

    Takes what the SDK made of it, or ISO 8601 text. Raises ValueError or TypeError for what is neither.
    """
    if value is None:
        return None
    time = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type]
    if time.year == 1:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def parse_json(raw: bytes, **options: Any) -> Any:
    """The JSON in `raw`, as json.loads reads it with `options`, each half of a surrogate pair replaced by U+FFFD.

    Such a half can be written to no file, page or request. Raises ValueError and RecursionError.
    """
    return json.loads(without_half_pairs(raw), **options)


def json_of(response: HttpResponse, **options: Any) -> Any:
    """The JSON of an answer, as `parse_json` reads it. Raises azure-core's DecodeError for what is none."""
    try:
        return parse_json(response.read(), **options)
    except (ValueError, RecursionError) as exc:
        raise DecodeError("The answer is not JSON", response=response, error=exc) from exc


def without_half_pairs(raw: bytes) -> bytes:
    """JSON in which each lone surrogate (`\\ud83d` without its other half) is U+FFFD; the same object where none is."""
    if not _HALF_PAIR.search(raw):
        return raw
    return _ESCAPES.sub(lambda found: rb"\ufffd" if found["half"] else found[0], raw)
