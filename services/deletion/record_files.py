"""The records of deletions that older versions kept as files, read once into the database.

A file that was read is moved to the folder `imported` beside it. One that can't be read stays, and is named each time.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.deletion.job_records import finished_job_of
from services.deletion.records import DeletionRecord, parse_record
from services.jobs.jobs import add_finished


def import_files(engine: Engine, folder: Path, who: str) -> Partial[str]:
    """Reads the files of the deletions that `who` began into the database; returns the ids of those that came new.

    Refused are the files that can't be read. Raises ServiceError: NoDatabase, or DamagedRecord where the folder can't
    be listed.
    """
    own = folder_of(folder, who)
    try:
        files = sorted(file for file in own.iterdir() if file.suffix == ".jsonl")
    except (FileNotFoundError, NotADirectoryError):
        return Partial((), ())
    except OSError as exc:
        raise _unreadable(f"The records of deletions in {own}", _reason(exc)) from exc
    found: list[str] = []
    damaged: list[Refusal] = []
    for file in files:
        try:
            record = read_file(file)
        except ServiceError as error:
            damaged.append(Refusal(file.name, error))
            continue
        if add_finished(engine, finished_job_of(record, who)):
            found.append(record.id)
        with suppress(OSError):  # It is read again the next time, and found to be there.
            (own / "imported").mkdir(exist_ok=True)
            file.rename(own / "imported" / file.name)
    return Partial(tuple(found), tuple(damaged))


def folder_of(folder: Path, who: str) -> Path:
    """Where the files of `who` are."""
    return folder / "deletions" / hashlib.sha256(who.encode()).hexdigest()[:16]


def read_file(file: Path) -> DeletionRecord:
    """The record of a file. Raises ServiceError (DamagedRecord)."""
    try:
        return parse_record(file.stem, file.read_text(encoding="utf-8", errors="replace"))
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
