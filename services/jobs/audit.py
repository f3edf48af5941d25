"""The log of who did what: one chain of entries, each with the hash of the one before.

An entry is written in the transaction of what it says: no entry, no change. An edited or removed entry shows in
`verify`; that the end was cut off, or all of it written anew, shows only against a `head` that is kept elsewhere.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, or_, select

from services.connection.errors import ServiceError
from services.database.engine import clock, reading, writing
from services.database.tables import accounts, audit, job_items, jobs

START = "0" * 64
# Who, and what, of an entry that the console writes on its own: services/jobs/retention.py.
CONSOLE, REMOVED = "console", "removed old entries"
# What an entry is of that vouches for a job as it begins, as it ends, and as an older version kept it.
BEGAN, ENDED, IMPORTED = "began", "ended", "read from a file of an older version"
# What an entry is of that says that somebody may not do something.
REFUSED = "refused"
# What an entry is of that says that somebody saw a secret.
SHOWN = "secret shown"
# Who comes and goes, as services/sign_in/store.py writes it, what was refused, and which secrets were seen.
SIGN_INS = ("signed in", "signed out", "signed out, as another person signed in", "sign-in refused", REFUSED, SHOWN)
# What a row is that was edited so that it is no entry any more.
DAMAGED = "damaged entry"
_ONE_CHAIN = 7243001
# So many entries are in memory at once where the chain is checked.
_PAGE = 500
# How the text of a ServiceError ends where the console or Azure says that the caller may not.
_BY_CONSOLE = re.compile(r"\((ReadOnly|AccessRefused)\)$")
_BY_AZURE = re.compile(r"\((401|403) [^()]*\)$")
_TITLE = "The activity log could not be read"


@dataclass(frozen=True)
class Entry:
    """One entry. `text` is the JSON that was hashed."""

    number: int
    text: str
    previous: str
    hash: str

    @property
    def at(self) -> datetime | None:
        """When it was written; None where the row can't be read."""
        found = _fields_of(self.text)
        return datetime.fromisoformat(found["at"]) if found else None

    @property
    def fields(self) -> Mapping[str, Any]:
        """Its values: at, who, what, job, … Of a row that can't be read `what` is DAMAGED, and `text` what is there."""
        return _fields_of(self.text) or {"who": "", "what": DAMAGED, "job": "", "text": self.text}

    @property
    def line(self) -> str:
        """The entry as a line of JSON with its place in the chain, as it is exported."""
        return json.dumps({**self.fields, "number": self.number, "previous": self.previous, "hash": self.hash})


@dataclass(frozen=True)
class Verification:
    """`entries` that fit, the `head` (the hash of the last of them), and what does not fit first, "" where all does.

    `removed_until` is the time of the last entry that was removed for its age; None where none was.
    """

    entries: int
    head: str
    fault: str = ""
    removed_until: datetime | None = None


def lock_chain(db: Connection) -> None:
    """Lets one writer at a time change the chain, to its commit. SQLite has one writer anyway."""
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(_ONE_CHAIN)))


def add_entry(db: Connection, who: str, what: str, job: str, **fields: Any) -> None:
    """Adds an entry in the transaction `db`."""
    lock_chain(db)
    previous = db.execute(select(audit.c.hash).order_by(audit.c.number.desc()).limit(1)).scalar() or START
    entry = {"at": clock(db).isoformat(), "who": who, "what": what, "job": job, **fields}
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    db.execute(insert(audit).values(who=who, entry=text, previous=previous, hash=_hash(previous, text)))


def login_of(db: Connection, who: str) -> str:
    """The name that `who` signs in to the console with; "" where nobody signs in."""
    of_who = accounts.c.account == who.rpartition(" ")[2]
    return db.execute(select(accounts.c.login).where(of_who)).scalar() or ""


def refused_by(error: str) -> str:
    """Who says, by the text of a ServiceError, that its caller may not: console or Azure; "" for any other error."""
    return "console" if _BY_CONSOLE.search(error) else "Azure" if _BY_AZURE.search(error) else ""


def record_refusal(engine: Engine, who: str, action: str, target: str, error: ServiceError) -> None:
    """Records that the console refused a change before it began. Raises ServiceError (NoDatabase)."""
    with writing(engine, "The refusal could not be recorded") as db:
        said = {"login": login_of(db, who), "action": action, "target": target, "by": refused_by(str(error))}
        add_entry(db, who, REFUSED, "", reason=error.cause, **said)


def record_view(engine: Engine, who: str, secret: str, target: str) -> None:
    """Records that `who` sees a secret ("Service URI") of `target`; never what it is.

    Raises ServiceError (NoDatabase)."""
    with writing(engine, "That a secret is shown could not be recorded") as db:
        add_entry(db, who, SHOWN, "", login=login_of(db, who), action=secret, target=target)


def items_hash(db: Connection, job: str, *, with_outcomes: bool) -> str:
    """A hash over all items of a job as they stand in the database."""
    columns = [job_items.c.name, job_items.c.digest, job_items.c.tags]
    if with_outcomes:
        columns += [job_items.c.outcome, job_items.c.cause]
    rows = db.execute(select(*columns).where(job_items.c.job == job).order_by(job_items.c.position)).all()
    return hashlib.sha256(json.dumps([list(row) for row in rows]).encode()).hexdigest()


def read_entries(engine: Engine, who: str | None, *, since: datetime | None = None) -> tuple[Entry, ...]:
    """The entries of `who`, of everyone where it is None, the oldest first. Raises ServiceError (NoDatabase)."""
    with reading(engine, _TITLE) as db:
        of_who = select(audit).where(audit.c.who == who) if who is not None else select(audit)
        rows = db.execute(of_who.order_by(audit.c.number))
        found = (Entry(row.number, row.entry, row.previous, row.hash) for row in rows)
        return tuple(one for one in found if since is None or one.at is None or one.at >= since)


def newest_entries(engine: Engine, who: str | None, whats: Collection[str], most: int) -> tuple[Entry, ...]:
    """The newest `most` entries about one of `whats`, of `who` as in `read_entries`, the newest first.

    Raises ServiceError (NoDatabase)."""
    # Within a value its quotes would be escaped: only the member itself is written like this.
    about = or_(*(audit.c.entry.contains(f'"what":{json.dumps(what)}', autoescape=True) for what in whats))
    wanted = select(audit).where(about) if who is None else select(audit).where(about, audit.c.who == who)
    with reading(engine, _TITLE) as db:
        rows = db.execute(wanted.order_by(audit.c.number.desc()).limit(most))
        return tuple(Entry(row.number, row.entry, row.previous, row.hash) for row in rows)


def verify(engine: Engine) -> Verification:
    """Goes through the whole chain, of everyone, and through the jobs and items that its entries vouch for.

    It begins where the last checkpoint says that older entries were removed. Raises ServiceError (NoDatabase).
    """
    with reading(engine, _TITLE) as db:
        checkpoint = _last_checkpoint(db)
        removed_until = _time_of(checkpoint.get("until"))
        previous, count = checkpoint.get("last_hash", START), 0
        for row in _rows(db):
            if fault := _fault_of(db, row, previous):
                return Verification(count, previous, f"Entry {row.number}{fault}")
            previous, count = row.hash, count + 1
    return Verification(count, previous, removed_until=removed_until)


def _rows(db: Connection) -> Iterator[Row[Any]]:
    """All rows in their order, a page at a time."""
    last = -1
    while page := db.execute(select(audit).where(audit.c.number > last).order_by(audit.c.number).limit(_PAGE)).all():
        yield from page
        last = page[-1].number


def _fault_of(db: Connection, row: Row[Any], previous: str) -> str:
    """What does not fit of a row, as it follows its number; "" where all does."""
    entry = _fields_of(row.entry)
    if row.previous != previous or row.hash != _hash(previous, row.entry):
        unreadable = "" if entry else " It can't be read any more."
        return f" was changed, or one before it was removed.{unreadable}"
    if not entry:
        return " was changed: it can't be read any more."
    if row.who != entry["who"]:
        return f": whose it is was changed, from {entry['who']} to {row.who}."
    try:
        fault = _changed_job(db, entry) or _changed_items(db, entry)
    except ValueError:  # A column of JSON that is none any more, or of times.
        fault = f"what was recorded of the job {entry['job']} can't be read any more."
    return f": {fault}" if fault else ""


def _fields_of(text: str) -> Mapping[str, Any] | None:
    """The values of an entry; None where it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    written = isinstance(found, dict) and all(isinstance(found.get(name), str) for name in ("at", "who", "what", "job"))
    return found if written and _time_of(found["at"]) else None


def _time_of(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _last_checkpoint(db: Connection) -> Mapping[str, Any]:
    entries = db.execute(select(audit.c.entry).where(audit.c.who == CONSOLE).order_by(audit.c.number.desc())).scalars()
    found = (_fields_of(entry) or {} for entry in entries)
    return next((one for one in found if one.get("what") == REMOVED), {})


def read_head(engine: Engine) -> tuple[int, str]:
    """The last entry's number and hash; 0 and `START` where there is none. Raises ServiceError (NoDatabase)."""
    with reading(engine, _TITLE) as db:
        row = db.execute(select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)).one_or_none()
    return (row.number, row.hash) if row else (0, START)


def text_hash(text: str) -> str:
    """The hash that an entry has of a long text, such as the answer of a job."""
    return hashlib.sha256(text.encode()).hexdigest()


def _changed_job(db: Connection, entry: Mapping[str, Any]) -> str:
    """What Activity shows of a job and its entry does not say. Entries of older versions say less."""
    if entry["what"] not in (BEGAN, ENDED, IMPORTED):
        return ""
    columns = (jobs.c.who, jobs.c.login, jobs.c.action, jobs.c.login_server, jobs.c.repository)
    ends = (jobs.c.ended, jobs.c.error, jobs.c.answer, jobs.c.incomplete)
    row = db.execute(select(*columns, *ends).where(jobs.c.id == entry["job"])).one_or_none()
    if row is None:
        return f"the job {entry['job']} was removed."
    target = f"{row.login_server}/{row.repository}" if row.repository else row.login_server
    found = {"who": row.who, "login": row.login, "action": row.action, "target": target}
    if entry["what"] != BEGAN:
        found |= {"error": row.error, "incomplete": bool(row.incomplete), "answer_hash": text_hash(row.answer)}
    changed = next((name for name, value in found.items() if name in entry and entry[name] != value), "")
    if entry["what"] == ENDED and row.ended is None:
        changed = "end"
    return f"the {changed.removesuffix('_hash')} of the job {entry['job']} is not what it says." if changed else ""


def _changed_items(db: Connection, entry: Mapping[str, Any]) -> str:
    for member, with_outcomes in (("plan_hash", False), ("outcomes_hash", True)):
        if member in entry and entry[member] != items_hash(db, entry["job"], with_outcomes=with_outcomes):
            return f"the items of {entry['job']} are not those that it vouches for."
    return ""


def as_lines(entries: Iterable[Entry]) -> str:
    """JSON lines, one an entry."""
    return "".join(f"{entry.line}\n" for entry in entries)


def _hash(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
