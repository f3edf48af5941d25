"""A job that waited too long to go on by itself, continued as its person asks for it."""

from datetime import timedelta

from sqlalchemy import Engine, and_, update

from services.database.engine import clock, writing
from services.database.tables import jobs
from services.jobs.audit import add_entry
from services.jobs.jobs import CONTINUED_WITHIN


def request_continuation(engine: Engine, who: str, job: str) -> None:
    """Lets any process take over a job of `who` that waited too long to go on by itself. Raises as `take_over`."""
    with writing(engine, "The job could not be continued") as db:
        now = clock(db)
        waits = and_(jobs.c.ended.is_(None), jobs.c.attempt > 0, jobs.c.lease_until < now - CONTINUED_WITHIN)
        just_run_out = update(jobs).where(jobs.c.id == job, jobs.c.who == who, waits)
        if db.execute(just_run_out.values(lease_until=now - timedelta(seconds=1))).rowcount:
            add_entry(db, who, "continuation requested", job)
