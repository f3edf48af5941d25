"""A job that this process runs: its lease renewed while it lives, each result in the database as it comes."""

import logging
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, replace
from datetime import timedelta
from time import monotonic

from sqlalchemy import Connection, Engine, func, select, update

from services.connection.changes import SentChange
from services.connection.errors import ServiceError
from services.database.engine import clock, writing
from services.database.tables import job_items, jobs
from services.jobs.audit import ENDED, REFUSED, add_entry, items_hash, refused_by, text_hash
from services.jobs.jobs import Job, JobResult, find_job

_LOG = logging.getLogger(__name__)
_TITLE = "The result could not be recorded"
_NOTHING_MORE = "No further item was tried. The job goes on once the database can be written to."


class RunningJob:
    """Safe for many threads. A result is in the database when `add_result` returns.

    Results that could not be written are kept in memory: `read` has them too, and `end` writes them. `stop` is set
    where somebody asked for it, where another process has taken the job over, and where the lease could not be renewed.
    """

    def __init__(self, engine: Engine, job: Job, lease: timedelta, stop: threading.Event) -> None:
        self.id = job.id
        self.stop = stop
        self._engine = engine
        self._who = job.who
        self.sent: list[SentChange] = []  # Filled by who runs it, with `collect_sent`.
        self._said = {"login": job.login, "action": job.action, "target": job.target}
        self._attempt = job.attempt
        self._lease = lease
        self._lock = threading.Lock()
        self._unwritten: dict[str, JobResult] = {}
        self._over = threading.Event()
        self._released = False
        self._renewed = monotonic()
        if job.stop_requested:
            stop.set()
        threading.Thread(target=self._keep_lease, name=f"lease of {job.id}", daemon=True).start()

    def add_result(self, name: str, outcome: str, cause: str = "") -> None:
        """Records the result of one item. Raises ServiceError: NoDatabase, or TakenOver by another process."""
        self.add_results([(name, JobResult(str(outcome), cause))])

    def add_results(self, results: Iterable[tuple[str, JobResult]]) -> None:
        """Records the results of many items, in one transaction. Raises as `add_result`."""
        listed = list(results)
        try:
            with writing(self._engine, _TITLE) as db:
                self._require_lease(db)
                _write(db, self.id, listed)
        except ServiceError as error:
            with self._lock:
                self._unwritten.update(listed)
            remedy = f"{_NOTHING_MORE} {error.remedy}"
            raise replace(error, remedy=remedy) if error.code == "NoDatabase" else error from error

    def note(self, name: str, value: str) -> None:
        """Keeps with the job, under `notes` of its details, what another process needs to continue it. Raises as
        `add_result`: then what it is about may not begin."""
        with writing(self._engine, _TITLE) as db:
            self._require_lease(db)
            mine = jobs.c.id == self.id
            details = dict(db.execute(select(jobs.c.details).where(mine)).scalar_one())
            details["notes"] = {**details.get("notes", {}), name: value}
            db.execute(update(jobs).where(mine).values(details=details))

    @property
    def given_up(self) -> bool:
        """Whether another process has, or may take, the job: a stop then is none that somebody asked for."""
        return self._released or self._over.is_set()

    def end(self, *, answer: str = "", error: str = "", incomplete: bool = False) -> None:
        """Records that all that was tried has ended, or failed with `error`, with the log's entry. `incomplete`: not
        all of it is done, and no item says so. Raises as `add_result`; the lease is kept no longer, however it ends.

        A job whose lease was given up has not ended: another process continues it.
        """
        self._over.set()
        left = self.unwritten
        with writing(self._engine, "The end of the job could not be recorded") as db:
            self._require_lease(db)
            _write(db, self.id, left)
            if not self._released:
                self._end(db, answer, error, incomplete=incomplete)
        with self._lock:
            self._unwritten.clear()

    def _end(self, db: Connection, answer: str, error: str, *, incomplete: bool) -> None:
        details = dict(db.execute(select(jobs.c.details).where(jobs.c.id == self.id)).scalar_one())
        if self.sent:
            details["sent"] = [*details.get("sent", []), *map(astuple, self.sent)]
        ended = {
            "ended": clock(db), "answer": answer, "error": error, "incomplete": incomplete, "details": details,
        }  # fmt: skip
        db.execute(update(jobs).where(jobs.c.id == self.id).values(ended))
        rows = db.execute(select(job_items.c.outcome, job_items.c.cause).where(job_items.c.job == self.id)).all()
        outcomes, causes = [row.outcome for row in rows], [error, *(row.cause for row in rows)]
        if refused := [cause for cause in causes if refused_by(cause)]:
            by, items = refused_by(refused[0]), len(refused)
            add_entry(db, self._who, REFUSED, self.id, by=by, reason=refused[0], items=items, **self._said)
        add_entry(
            db, self._who, ENDED, self.id, error=error, incomplete=incomplete, answer_hash=text_hash(answer),
            outcomes=dict(Counter(outcome or "no result" for outcome in outcomes)),
            outcomes_hash=items_hash(db, self.id, with_outcomes=True),
            request_ids=[one.correlation_id or one.request_id for one in self.sent],
        )  # fmt: skip

    @property
    def unwritten(self) -> list[tuple[str, JobResult]]:
        """The results that could not be written."""
        with self._lock:
            return [*self._unwritten.items()]

    def abandon(self) -> None:
        """Renews the lease no longer: once it has run out, any process may take the job over."""
        self._over.set()
        self.stop.set()

    def release(self) -> None:
        """Gives the lease up, so that another process may take the job over at once: this one is about to end.

        What is under way ends, and its result is recorded unless the other process was quicker.
        """
        self._released = True  # Before the stop: who sees that may end the job at once.
        self.abandon()
        with writing(self._engine, "The lease could not be given up") as db:
            mine = (jobs.c.id == self.id) & (jobs.c.attempt == self._attempt) & jobs.c.ended.is_(None)
            db.execute(update(jobs).where(mine).values(lease_until=clock(db) - self._lease))

    def read(self) -> Job:
        """The job as it is now, with what could not be written. Raises ServiceError (NoDatabase)."""
        job = find_job(self._engine, self._who, self.id)
        if job is None:
            raise ServiceError("The job could not be read", "It was removed.", "See the registry itself.", "NoDatabase")
        with self._lock:
            return replace(job, results={**self._unwritten, **job.results})

    def _require_lease(self, db: Connection) -> None:
        """Locks the job's row. Raises ServiceError (TakenOver) where another process has it."""
        row = db.execute(select(jobs.c.attempt, jobs.c.ended).where(jobs.c.id == self.id).with_for_update()).one()
        if row.attempt != self._attempt or row.ended is not None:
            self.stop.set()
            self._over.set()
            raise ServiceError(
                "Another process has taken this job over",
                "This one did not renew its lease in time: it was suspended, or could not reach the database.",
                "See the job under Activity: the other process continues it.",
                "TakenOver",
            )

    def _keep_lease(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / 3):
            try:
                self._renew()
            except ServiceError as error:
                _LOG.warning("%s", error, extra={"job": self.id})
                # Another process takes it over when the lease runs out: by then nothing may be under way here.
                if self._attempt and monotonic() - self._renewed > self._lease.total_seconds() * 2 / 3:
                    self._released = True  # Nobody asked for this stop: the job goes on elsewhere, it has not ended.
                    self.stop.set()

    def _renew(self) -> None:
        with writing(self._engine, f"The lease of the job {self.id} could not be renewed") as db:
            mine = (jobs.c.id == self.id) & (jobs.c.attempt == self._attempt) & jobs.c.ended.is_(None)
            kept = db.execute(
                update(jobs).where(mine).values(lease_until=clock(db) + self._lease).returning(jobs.c.stop_requested)
            ).one_or_none()
        self._renewed = monotonic()
        if kept is None or kept.stop_requested:
            self.stop.set()
        if kept is None:
            self._over.set()


def _write(db: Connection, job: str, results: Iterable[tuple[str, JobResult]]) -> None:
    """Writes results; the first of an item stays."""
    for name, result in results:
        db.execute(
            update(job_items)
            .where(job_items.c.job == job, job_items.c.name == name, job_items.c.outcome.is_(None))
            .values(outcome=result.outcome, cause=result.cause, at=func.now())
        )
