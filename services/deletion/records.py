"""What was to be deleted and the result of each, recorded as it happens: a file a deletion, kept on disk.

A process that dies in the middle leaves the file: what has no outcome in it is looked at again (`look`).
A file is lines of JSON: what was planned, then an outcome a line, then the end.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from services.connection.changes import Outcome
from services.connection.data_plane import RegistryClient
from services.connection.parallel import Partial, parallel_map
from services.deletion.repository import RepositoryDeleted, as_az_prints
from services.images.repositories import find_manifest_row, find_tag

Action = Literal["remove tags", "delete manifests", "delete repository"]
# Older ones go when a new one begins.
KEPT = 200


@dataclass(frozen=True)
class RecordedItem:
    """A tag or a manifest that was to go. `name` is the tag, or the digest; `tags` those that go with a manifest."""

    name: str
    digest: str
    tags: tuple[str, ...] = ()

    @property
    def is_tag(self) -> bool:
        return self.name != self.digest


WITH_SUBJECT = "deleted with its subject"
STILL_THERE, GONE, UNKNOWN = "still there", "gone", "unknown"
_GONE = (Outcome.DELETED, Outcome.ALREADY_DONE, WITH_SUBJECT, GONE)
# What files that are older than these words hold.
_WORDS_OF_OLD = {"gone already": Outcome.ALREADY_DONE, "gone along": WITH_SUBJECT, "untagged": Outcome.DELETED}


@dataclass(frozen=True)
class Fate:
    """What became of an item. `outcome`: an Outcome, `WITH_SUBJECT`, or what another look showed: `STILL_THERE`,
    `GONE` or `UNKNOWN`; `cause` why it was refused, not tried, or is unknown."""

    outcome: str
    cause: str = ""

    @property
    def is_gone(self) -> bool:
        return self.outcome in _GONE


@dataclass(frozen=True)
class DeletionRecord:
    """One deletion. `fates` has the items that ended, by name; `ended` is None while it runs, or if it was interrupted.

    `answer` is what the registry said of a whole repository, as az prints it; `error` why it failed, where it did.
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

    @property
    def whole(self) -> bool:
        """Whether it came to its end: then what has no recorded result was not tried."""
        return self.ended is not None and not self.error

    @property
    def open(self) -> tuple[RecordedItem, ...]:
        """The items without a recorded result."""
        return tuple(item for item in self.items if item.name not in self.fates)


class Recording:
    """The file of a deletion under way. Safe for many threads; each line is in the file when its call returns."""

    def __init__(self, file: Path) -> None:
        self.id = file.stem
        self._file = file
        self._lock = Lock()

    def add_result(self, name: str, outcome: str, cause: str = "") -> None:
        """One item has ended."""
        self.write({"name": name, "outcome": outcome, **({"cause": cause} if cause else {})})

    def end(self, *, answer: str = "", error: str = "") -> None:
        """All that was tried has ended, or failed with an error."""
        more = {name: text for name, text in (("answer", answer), ("error", error)) if text}
        self.write({"ended": datetime.now(UTC).isoformat(), **more})

    def write(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(line) + "\n"
        with self._lock, self._file.open("a", encoding="utf-8") as opened:
            opened.write(text)


def begin(
    folder: Path, who: str, action: Action, login_server: str, repository: str, items: Iterable[RecordedItem]
) -> Recording:
    """Records what is to be deleted, before anything is. Raises OSError where it can't: then nothing may begin."""
    own = _own(folder, who)
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in sorted(own.glob("*.jsonl"))[: -KEPT + 1]:
        file.unlink(missing_ok=True)
    now = datetime.now(UTC)
    recording = Recording(own / f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.jsonl")
    recording.write(
        {
            "action": action,
            "login_server": login_server,
            "repository": repository,
            "begun": now.isoformat(),
            "items": [[item.name, item.digest, item.tags] for item in items],
        }
    )
    return recording


def records(folder: Path, who: str) -> tuple[DeletionRecord, ...]:
    """The deletions that `who` began, the newest first."""
    files = sorted(_own(folder, who).glob("*.jsonl"), reverse=True)
    return tuple(record for file in files if (record := _read(file)))


def find_record(folder: Path, who: str, record_id: str) -> DeletionRecord | None:
    """The one of that id, if `who` began it."""
    known = {file.stem: file for file in _own(folder, who).glob("*.jsonl")}
    return _read(known[record_id]) if record_id in known else None


def look(client: RegistryClient, record: DeletionRecord) -> Partial[tuple[str, Fate]]:
    """What the registry has now of the items without a recorded result; a request each."""

    def seen(item: RecordedItem) -> tuple[str, Fate]:
        if item.is_tag:
            tag = find_tag(client, record.repository, item.name)
            if tag and tag.digest != item.digest:
                return item.name, Fate(STILL_THERE, f"It points to {tag.digest} now.")
            return item.name, Fate(STILL_THERE if tag else GONE)
        row = find_manifest_row(client, record.repository, item.digest)
        return item.name, Fate(STILL_THERE if row else GONE)

    return parallel_map(seen, record.open, server=client.login_server, name=lambda item: item.name)


def fates_of_open(record: DeletionRecord, seen: Iterable[tuple[str, Fate]] | None) -> Mapping[str, Fate]:
    """What became of the items without a recorded result, by name. Pure.

    A deletion that came to its end did not try them. One that did not may have: `seen` is what `look` found of them,
    None where its registry is not to be seen; what is not in it is unknown.
    """
    if record.whole:
        return {item.name: Fate(Outcome.NOT_TRIED, "The deletion was stopped before") for item in record.open}
    why = "The registry could not be read again" if seen is not None else "This identity does not see the registry"
    found = dict(seen or ())
    return {item.name: found.get(item.name, Fate(UNKNOWN, why)) for item in record.open}


def state_of(record: DeletionRecord, *, running: bool) -> str:
    """Running; Failed; Interrupted: its process ended before it did; Stopped; or Completed. Pure."""
    if running:
        return "Running"
    if record.error:
        return "Failed"
    if not record.ended:
        return "Interrupted"
    return "Stopped" if record.open else "Completed"


def deleted_as_az_prints(record: DeletionRecord) -> str:
    """The JSON of `az acr repository delete`: the registry's own answer for a whole repository, else the manifests and
    tags that are recorded as deleted; "" where only tags were removed, for which az prints nothing."""
    if record.answer or record.action == "remove tags":
        return record.answer
    gone = [item for item in record.items if item.name in record.fates and record.fates[item.name].is_gone]
    tags = tuple(tag for item in gone for tag in item.tags)
    return as_az_prints(RepositoryDeleted(tuple(item.digest for item in gone), tags))


def _own(folder: Path, who: str) -> Path:
    return folder / "deletions" / hashlib.sha256(who.encode()).hexdigest()[:16]


def _read(file: Path) -> DeletionRecord | None:
    """The record; None for a file that says nothing: its first line is not whole, and so nothing was begun."""
    lines = []
    for text in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:  # Interrupted while it was written.
            continue
    if not lines or "items" not in lines[0]:
        return None
    head, *rest = lines
    end: dict[str, Any] = next((line for line in reversed(rest) if "ended" in line), {})
    return DeletionRecord(
        file.stem,
        head["action"],
        head["login_server"],
        head["repository"],
        datetime.fromisoformat(head["begun"]),
        tuple(RecordedItem(name, digest, tuple(tags)) for name, digest, tags in head["items"]),
        {line["name"]: _fate(line) for line in rest if "name" in line},
        datetime.fromisoformat(end["ended"]) if end else None,
        end.get("answer", ""),
        end.get("error", ""),
    )


def _fate(line: Mapping[str, Any]) -> Fate:
    outcome = str(line["outcome"])
    return Fate(str(_WORDS_OF_OLD.get(outcome, outcome)), line.get("cause", ""))
