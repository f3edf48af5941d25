"""How many jobs there are, by their state."""

from collections.abc import Mapping

from sqlalchemy import Engine, case, func, select

from services.database.engine import clock, reading
from services.database.tables import jobs


def count_by_state(engine: Engine) -> Mapping[str, int]:
    """How many jobs of everyone are running, interrupted (their lease has run out), failed or ended otherwise.

    Raises ServiceError (NoDatabase).
    """
    with reading(engine, "The jobs could not be read") as db:
        state = case(
            (jobs.c.ended.is_(None) & (jobs.c.lease_until >= clock(db)), "running"),
            (jobs.c.ended.is_(None) & (jobs.c.attempt > 0), "interrupted"),
            (jobs.c.ended.is_(None) | (jobs.c.error != ""), "failed"),  # Without an attempt nobody continues it.
            else_="ended",
        )
        rows = db.execute(select(state, func.count()).group_by(state)).all()
        found = {row[0]: row[1] for row in rows}
    return {name: found.get(name, 0) for name in ("running", "interrupted", "failed", "ended")}
