"""Old entries of the activity log removed, at a checkpoint: an entry that says which, so that the chain still fits."""

from datetime import timedelta

from sqlalchemy import Engine, delete, select

from services.connection.errors import ServiceError
from services.database.engine import clock, reading, writing
from services.database.tables import audit
from services.jobs.audit import CONSOLE, REMOVED, Entry, add_entry, lock_chain, verify

KEPT = timedelta(days=400)
# Removed once a day, not whenever one more entry has become old: before, the chain is checked from end to end.
_EVERY = timedelta(days=1)
_TITLE = "Old entries of the activity log could not be removed"


def remove_old_entries(engine: Engine, kept: timedelta = KEPT) -> int:
    """Removes the entries that are older than `kept`; returns how many.

    None is removed from a log that does not fit: it would remove what shows that. Raises ServiceError: NoDatabase, or
    ChainBroken with what does not fit.
    """
    with reading(engine, _TITLE) as db:
        now = clock(db)
        first = db.execute(select(audit).order_by(audit.c.number).limit(1)).one_or_none()
    at = Entry(0, first.entry, "", "").at if first else now
    if at and at > now - kept - _EVERY:
        return 0
    if fault := verify(engine).fault:
        raise ServiceError(_TITLE, fault, "Compare the log with the heads that were logged.", "ChainBroken")
    with writing(engine, _TITLE) as db:
        lock_chain(db)
        old = []
        for row in db.execute(select(audit).order_by(audit.c.number)):
            entry = Entry(row.number, row.entry, row.previous, row.hash)
            if entry.at is None or entry.at > now - kept:
                break
            old.append(entry)
        if old:  # Another process may have been quicker.
            last = old[-1]
            add_entry(db, CONSOLE, REMOVED, "", entries=len(old), until=last.fields["at"], last_hash=last.hash)
            db.execute(delete(audit).where(audit.c.number <= last.number))
        return len(old)
