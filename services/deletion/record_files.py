"""The records of deletions on disk: a file each, written as the deletion runs, and read again.

A process that dies in the middle leaves the file: items without a result in it are looked at again (`look`).
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal, parallel_map
from services.deletion.records import GONE, STILL_THERE, Action, DeletionRecord, Fate, RecordedItem, parse_record
from services.images.repositories import find_manifest_row, find_tag

# Of the settled ones so many are kept, the newest. Others stay until somebody removes their files.
KEPT = 200


class Recording:
    """The file of a running deletion. Safe for many threads; each line is in the file when its call returns.

    Lines that could not be written are kept in memory: `read` has them too.
    """

    def __init__(self, file: Path) -> None:
        self.id = file.stem
        self._file = file
        self._lock = Lock()
        self._unwritten: list[str] = []

    def add_result(self, name: str, outcome: str, cause: str = "") -> None:
        """Records the result of one item. Raises ServiceError (NoRecord) where the file can't be written."""
        self.write({"name": name, "outcome": outcome, **({"cause": cause} if cause else {})})

    def add_results(self, outcomes: Iterable[tuple[str, str]]) -> None:
        """Records the results of many items, by name. Raises ServiceError as `add_result`."""
        self.write(*({"name": name, "outcome": outcome} for name, outcome in outcomes))

    def end(self, *, answer: str = "", error: str = "") -> None:
        """Records that all that was tried has ended, or failed with `error`. Raises ServiceError as `add_result`."""
        more = {name: text for name, text in (("answer", answer), ("error", error)) if text}
        self.write({"ended": datetime.now(UTC).isoformat(), **more})

    def write(self, *lines: Mapping[str, Any]) -> None:
        """Appends lines."""
        texts = [json.dumps(line) for line in lines]
        with self._lock:
            start = "\n" if self._unwritten else ""  # After a write that failed the file may end within a line.
            try:
                with self._file.open("a", encoding="utf-8") as opened:
                    opened.write(start + "".join(f"{text}\n" for text in texts))
            except OSError as exc:
                self._unwritten += texts
                raise ServiceError(
                    "The record of the deletion could not be written",
                    f"{self._file.parent}: {_reason(exc)}.",
                    "No further item was tried; the table shows what was done. Make room on the disk, and plan the "
                    "rest again.",
                    "NoRecord",
                ) from exc

    def read(self) -> DeletionRecord:
        """The record as it is now, with what could not be written. Raises ServiceError as `find_record` does."""
        with self._lock:
            return _read(self._file, self._unwritten)


def begin(
    folder: Path, who: str, action: Action, login_server: str, repository: str, items: Iterable[RecordedItem]
) -> Recording:
    """Records what is to be deleted, before anything is.

    Raises ServiceError (NoRecord) where it can't: then nothing may begin.
    """
    own = _own(folder, who)
    now = datetime.now(UTC)
    file = own / f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.jsonl"
    recording = Recording(file)
    try:
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
        _discard_oldest(own)
        recording.write(
            {
                "action": action,
                "login_server": login_server,
                "repository": repository,
                "begun": now.isoformat(),
                "items": [[item.name, item.digest, item.tags] for item in items],
            }
        )
    except (OSError, ServiceError) as exc:
        with suppress(OSError):
            file.unlink()
        raise ServiceError(
            "The deletion could not start",
            f"Its record can't be written. {exc.cause if isinstance(exc, ServiceError) else f'{own}: {_reason(exc)}.'}",
            "Nothing was deleted. Set ACR_CONSOLE_DATA to a folder that the console may write to.",
            "NoRecord",
        ) from exc
    return recording


def _discard_oldest(own: Path) -> None:
    """Makes room for a new record among the KEPT. What is not settled, or can't be read, is kept beside them."""
    files = _files(own)
    if len(files) < KEPT:
        return
    settled = []
    for file in files:
        with suppress(ServiceError):
            if _read(file).settled:
                settled.append(file)
    for file in settled[KEPT - 1 :]:
        with suppress(OSError):
            file.unlink()


def records(folder: Path, who: str) -> Partial[DeletionRecord]:
    """The deletions that `who` began, the newest first; refused are the files that can't be read.

    Raises ServiceError where the folder can't be listed.
    """
    found: list[DeletionRecord] = []
    damaged: list[Refusal] = []
    own = _own(folder, who)
    try:
        files = _files(own)
    except OSError as exc:
        raise _unreadable(f"The records of deletions in {own}", _reason(exc)) from exc
    for file in files:
        try:
            found.append(_read(file))
        except ServiceError as error:
            damaged.append(Refusal(file.name, error))
    return Partial(tuple(found), tuple(damaged))


def find_record(folder: Path, who: str, record_id: str) -> DeletionRecord | None:
    """The one of that id, if `who` began it. Raises ServiceError (DamagedRecord) where its file can't be read."""
    own = _own(folder, who)
    try:
        known = {file.stem: file for file in _files(own)}
    except OSError as exc:
        raise _unreadable(f"The records of deletions in {own}", _reason(exc)) from exc
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


def _own(folder: Path, who: str) -> Path:
    return folder / "deletions" / hashlib.sha256(who.encode()).hexdigest()[:16]


def _files(own: Path) -> list[Path]:
    """The files of records, the newest first; none where the folder is not there yet."""
    try:
        return sorted((file for file in own.iterdir() if file.suffix == ".jsonl"), reverse=True)
    except FileNotFoundError:
        return []


def _read(file: Path, more: Iterable[str] = ()) -> DeletionRecord:
    """The record of a file, with the lines `more`."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
        return parse_record(file.stem, "\n".join((text, *more, "")) if more else text)
    except OSError as exc:
        raise _unreadable(f"The record {file.name}", _reason(exc)) from exc
    except ValueError as exc:
        raise _unreadable(f"The record {file.name}", str(exc)) from exc


def _reason(exc: OSError) -> str:
    return exc.strerror or type(exc).__name__


def _unreadable(what: str, why: str) -> ServiceError:
    return ServiceError(
        f"{what} could not be read",
        f"{why}.",
        "What that deletion did can be seen in the registry alone. Other records are not concerned.",
        "DamagedRecord",
    )
