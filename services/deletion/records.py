"""The record of a deletion: what was to be deleted, the result of each item, and how it ended. Pure.

It is a job of the database (`job_records`). Older versions kept files of JSON lines: what was planned, then a result a
line, then the end.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from services.connection.changes import Outcome
from services.deletion.repository import RepositoryDeleted, as_az_prints
from services.jobs.jobs import state_of as job_state

Action = Literal["remove tags", "delete manifests", "delete repository"]

WITH_SUBJECT = "deleted with its subject"
STILL_THERE, GONE, UNKNOWN = "still there", "gone", "unknown"
_DELETED = (Outcome.DELETED, WITH_SUBJECT)
_GONE = (*_DELETED, Outcome.ALREADY_DONE, GONE)
_RECORDED = {*Outcome, WITH_SUBJECT}
# What files that are older than these words hold.
_OLD_WORDS = {"gone already": Outcome.ALREADY_DONE, "gone along": WITH_SUBJECT, "untagged": Outcome.DELETED}

# What reading a member of JSON of any shape may raise.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True)
class RecordedItem:
    """A tag or a manifest to delete. `name` is the tag, or the digest; `tags` those that a manifest takes with it."""

    name: str
    digest: str
    tags: tuple[str, ...] = ()

    @property
    def is_tag(self) -> bool:
        return self.name != self.digest


@dataclass(frozen=True)
class Fate:
    """What became of an item. `outcome`: an Outcome, `WITH_SUBJECT`, or what another look showed: `STILL_THERE`,
    `GONE` or `UNKNOWN`; `cause` why it was refused, not tried, or is unknown."""

    outcome: str
    cause: str = ""

    @property
    def is_deleted(self) -> bool:
        """Whether this deletion is known to have deleted it: not somebody else before."""
        return self.outcome in _DELETED

    @property
    def is_gone(self) -> bool:
        """Whether the registry no longer has it, whoever deleted it."""
        return self.outcome in _GONE


@dataclass(frozen=True)
class DeletionRecord:
    """One deletion. `fates` has the items that ended, by name; `ended` is None while it runs, or if it was interrupted.

    `answer` is the registry's answer for a repository, as az prints it; `error` why it failed, where it did.
    `damaged_lines` of the file that it was could not be read: results may be missing. `runs`: a process of the console
    had it when it was read.
    """

    id: str
    action: Action
    login_server: str
    repository: str
    begun: datetime
    items: tuple[RecordedItem, ...]
    fates: Mapping[str, Fate]
    ended: datetime | None = None
    answer: str = ""
    error: str = ""
    damaged_lines: int = 0
    runs: bool = False

    @property
    def completed(self) -> bool:
        """Whether it came to its end, and all of that is recorded: then an item without a result was not tried."""
        return self.ended is not None and not self.error and not self.damaged_lines

    @property
    def open(self) -> tuple[RecordedItem, ...]:
        """The items without a recorded result."""
        return tuple(item for item in self.items if item.name not in self.fates)


def parse_record(record_id: str, text: str) -> DeletionRecord:
    """The record from the lines of its file. Raises ValueError, with the reason, where it does not say what was to be
    deleted; any other line that can't be read counts as damaged."""
    first, *rest = text.split("\n")
    try:
        head = _object(first)
        action, begun = head["action"], datetime.fromisoformat(head["begun"])
        items = tuple(_item(*entry) for entry in head["items"])
        if action not in get_args(Action) or begun.tzinfo is None:
            raise ValueError(action)
        record = DeletionRecord(
            record_id, action, _text(head["login_server"]), _text(head["repository"]), begun, items, {}
        )
    except _MALFORMED as exc:
        raise ValueError("Its first line, which says what was to be deleted, is damaged") from exc
    fates: dict[str, Fate] = {}
    ended, answer, error, damaged = None, "", "", 0
    names = {item.name for item in items}
    for place, line in enumerate(rest, 1):
        if not line:
            continue
        try:
            found = _object(line)
            if "ended" in found:
                at = datetime.fromisoformat(found["ended"])
                ended, answer, error = at, _text(found.get("answer", "")) or answer, _text(found.get("error", ""))
            elif found["name"] in names:
                outcome = _OLD_WORDS.get(found["outcome"], found["outcome"])
                if outcome not in _RECORDED:
                    raise ValueError(outcome)
                fates[found["name"]] = Fate(str(outcome), _text(found.get("cause", "")))
            else:
                damaged += 1
        except _MALFORMED:
            # Without a line break behind it, it is being written, or was when the process ended.
            damaged += place < len(rest)
    return replace(record, fates=fates, ended=ended, answer=answer, error=error, damaged_lines=damaged)


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except RecursionError as exc:
        raise ValueError(line[:20]) from exc
    if not isinstance(found, dict):
        raise TypeError(line[:20])
    return found


def _item(name: object, digest: object, tags: Iterable[object]) -> RecordedItem:
    return RecordedItem(_text(name), _text(digest), tuple(_text(tag) for tag in tags))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value


def fates_of_open(record: DeletionRecord, seen: Iterable[tuple[str, Fate]] | None) -> Mapping[str, Fate]:
    """What became of the items without a recorded result, by name.

    A deletion that came to its end did not try them. One that did not may have: `seen` is what
    `job_records.look` found of them, None where this identity does not see its registry; what is not in it is unknown.
    """
    if record.completed:
        return {item.name: Fate(Outcome.NOT_TRIED, "The deletion was stopped before") for item in record.open}
    why = "The registry could not be read again" if seen is not None else "This identity does not see the registry"
    found = dict(seen or ())
    return {item.name: found.get(item.name, Fate(UNKNOWN, why)) for item in record.open}


def state_of(record: DeletionRecord, *, running: bool) -> str:
    """As the state of a job."""
    return job_state(running, record.error, record.ended, len(record.open), record.damaged_lines)


def deleted_as_az_prints(record: DeletionRecord) -> str:
    """The JSON of `az acr repository delete`: the registry's own answer for a repository, else the manifests and
    tags that are recorded as deleted, without those that somebody else had deleted; "" where there are none, and where
    only tags were removed, for which az prints nothing."""
    if record.answer or record.action == "remove tags":
        return record.answer
    deleted = [item for item in record.items if item.name in record.fates and record.fates[item.name].is_deleted]
    tags = tuple(tag for item in deleted for tag in item.tags)
    return as_az_prints(RepositoryDeleted(tuple(item.digest for item in deleted), tags)) if deleted else ""
