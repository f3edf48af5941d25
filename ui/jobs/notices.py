"""Jobs on the pages of what they change: their progress, wherever they run, and how they ended until dismissed."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

import streamlit as st

from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.jobs.jobs import CONTINUED_WITHIN, Job, JobItem, JobResult, open_jobs, open_jobs_of
from services.jobs.plans import plan_of
from ui.elements.errors import panel, show_error
from ui.elements.outcomes import result_line, show_outcome
from ui.elements.text import ago, exact, plain
from ui.elements.writing import may_write
from ui.jobs import runs
from ui.jobs.follow import rerun_on_change
from ui.jobs.kinds import JobKind
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.runtime import connection
from ui.runtime.background import Reading, show_progress
from ui.runtime.database import database

PlanT = TypeVar("PlanT")

# A session that begins sees what ended since: a tab was reloaded, or another browser opened.
RECENT = timedelta(minutes=10)
INTERRUPTED = (
    "Interrupted: its process ended, or could not reach the database. It goes on by itself, from what Azure has then."
)
# Of a job that nobody continues; one may say more in its details.
ENDED_WITH_ITS_PROCESS = (
    "How it ended is not recorded: the console ended before, or could not reach its database. Nothing more is sent. "
    "What is there now is what Azure shows."
)
ELSEWHERE = "Running in another process of the console."
# A sentence says them of one item.
_SENTENCES = (*(one for one in Outcome if one.is_done), Outcome.NOT_CONFIRMED)
STOPPED = "Stopped. Nothing more was sent; what Azure had begun goes on."


def begin_and_show(
    who: str,
    kind: JobKind,
    login_server: str,
    items: Iterable[JobItem],
    details: Mapping[str, Any],
    *,
    repository: str = "",
    attempt: int = 1,
) -> NoReturn:
    """Begins a job, and runs the page again, which shows it. Raises ServiceError as `runs.begin`."""
    logged = {"commands": details.get("commands", [])}
    show_from_now(
        kind, runs.begin(who, kind, login_server, items, details, repository=repository, attempt=attempt, logged=logged)
    )


def show_from_now(kind: JobKind, job: str) -> NoReturn:
    """Runs the page again, which shows the job of that id until it is dismissed."""
    _seen(kind).append(job)
    st.rerun()


def shown_jobs(who: str, kind: JobKind) -> tuple[Job, ...]:
    """The jobs that `show_jobs` shows; none where the database can't be read, which that has said."""
    try:
        return _read_shown(who, kind)
    except ServiceError:
        return ()


def shown_plans(who: str, kind: JobKind, plan_kind: type[PlanT]) -> list[tuple[Job, PlanT]]:
    """The shown jobs with their plans; without one whose plan can't be read, which `show_jobs` has said."""
    found = []
    for job in shown_jobs(who, kind):
        with suppress(ServiceError):
            found.append((job, plan_of(plan_kind, job)))
    return found


def _read_shown(who: str, kind: JobKind) -> tuple[Job, ...]:
    """The jobs of a kind that are running or interrupted, whoever's tab began them, and those that this session has
    seen and not dismissed; the oldest first. A new session has seen those that ended in the last minutes.

    Raises ServiceError (NoDatabase).
    """
    ended = timedelta(0) if _key(kind) in st.session_state else RECENT
    seen = _seen(kind)
    seen += [job.id for job in open_jobs(database(), who, [kind.action], ended) if job.id not in seen]
    return tuple(job for one in sorted(seen) if (job := runs.find(who, one)))


def show_jobs(
    who: str,
    kind: JobKind,
    show_end: Callable[[Job], None] | None = None,
    *,
    stop: str = "",
    only: Callable[[Job], bool] = lambda _job: True,
) -> None:
    """Shows the jobs of a kind that are running or interrupted, whoever's tab began them, and how those that this
    session has seen, or that ended in the last minutes, ended: until they are dismissed.

    `show_end` shows what became of the items, a line each without it. `stop`: the label of the button that stops one,
    "" where nothing is left to stop once it runs. `only`: which to show.
    """
    try:
        found = [job for job in _read_shown(who, kind) if only(job)]
    except ServiceError as error:
        show_error(error)
        return
    for job in found:
        reading = runs.under_way(who, job.id)
        if reading:
            show_running(who, job.id, reading, stop)
        if not reading or not reading.running:
            _show_one(who, kind, runs.find(who, job.id) or job, show_end or show_results, stop)


def show_open_of(who: str, login_server: str) -> None:
    """Says what of `who` is under way on a registry, a line each with a link to its record, on a page of which no such
    change is the subject."""
    try:
        found = open_jobs_of(database(), who, login_server)
    except ServiceError as error:
        show_error(error)
        return
    for job in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f":material/pending: {plain(job.action.capitalize())}: **{job.state.lower()}**", width="content"
            )
            link_to(pages.DELETIONS, "Record", record=job.id)
    if found:
        shown = [(job.id, job.state) for job in found]
        rerun_on_change(lambda: [(job.id, job.state) for job in open_jobs_of(database(), who, login_server)], shown)


def _show_one(who: str, kind: JobKind, job: Job, show_end: Callable[[Job], None], stop: str) -> None:
    """One that this process does not run now."""
    with st.container(border=True):
        st.markdown(f"**{plain(job.title)}: {plain(job.target)}**" if job.target else f"**{plain(job.title)}**")
        if not job.ended:
            show_open(who, job, stop)
        else:
            show_error_of(who, job)
            with panel():
                show_end(job)
        with st.container(horizontal=True, vertical_alignment="center"):
            link_to(pages.DELETIONS, "Record", record=job.id)
            if job.ended:
                st.button("Dismiss", key=f"dismiss {job.id}", on_click=_seen(kind).remove, args=(job.id,))


def show_open(who: str, job: Job, stop: str = "Stop") -> None:
    """A job that has not ended and does not run in this process: the page runs again as it goes on."""
    reading = runs.under_way(who, job.id)
    if reading and reading.error:
        show_error(reading.error)
    if not job.runs and not job.attempt:
        show_interrupted(job)
        return
    if job.overdue_since:
        show_overdue(who, job)
        return
    st.info(ELSEWHERE if job.runs else INTERRUPTED, icon=":material/dns:" if job.runs else ":material/pending:")
    if stop and not job.stop_requested:
        show_stop(who, job, stop)
    rerun_on_change(lambda: _progress_of(runs.find(who, job.id)), _progress_of(job))


def show_running(who: str, job: str, reading: Reading[None], stop: str = "Stop") -> None:
    """The progress of a job that this process runs, with a button that stops it wherever it goes on."""
    show_progress(reading, f"job {job}", stop=stop, on_stop=lambda: _stop(who, job))


def _stop(who: str, job: str) -> None:
    with panel():
        runs.stop(who, job)
        st.toast("It stops within seconds: what is under way ends first.")


def show_interrupted(job: Job) -> None:
    """Says of a job that nobody continues that its process ended, and what to do."""
    st.warning(plain(job.details.get("interrupted") or ENDED_WITH_ITS_PROCESS), icon=":material/help:")


def show_overdue(who: str, job: Job) -> None:
    """Says of a job since when it waits, and continues it where its person asks for that."""
    if job.overdue_since is None:
        return
    hours = int(CONTINUED_WITHIN.total_seconds() // 3600)
    st.warning(
        f"Interrupted {ago(job.overdue_since)} ({exact(job.overdue_since)}). After {hours} hours a job does not go on "
        "by itself. Continue plans again what has no result, from what Azure has now.",
        icon=":material/pause_circle:",
    )
    if who != connection.who():
        return
    if st.button("Continue", icon=":material/play_circle:", key=f"continue {job.id}", disabled=not may_write()):
        with panel():
            runs.request_continuation(who, job)
            st.toast("It goes on within seconds.")
    rerun_on_change(lambda: _progress_of(runs.find(who, job.id)), _progress_of(job))


def show_stop(who: str, job: Job, label: str = "Stop") -> None:
    """The button that stops a job in another process."""
    if st.button(label, icon=":material/stop_circle:", key=f"stop {job.id}", disabled=not may_write()):
        _stop(who, job.id)


def _progress_of(job: Job | None) -> object:
    return job and (job.runs, job.ended, len(job.results), job.attempt, job.overdue_since)


def show_error_of(who: str, job: Job) -> None:
    """Shows the error that ended a job, in full where this process ran it."""
    reading = runs.under_way(who, job.id)
    if reading and reading.error:
        show_error(reading.error)
    elif job.error:
        st.error(plain(job.error), icon=":material/error:")


def show_results(job: Job, more: str = "") -> None:
    """Shows what became of each item, and the answer of a job that has ended. `more` follows the outcome of a single
    item."""
    ended = [(item.name, result) for item in job.items if (result := job.results.get(item.name))]
    if len(job.items) == 1 and ended and ended[0][1].outcome in _SENTENCES and not ended[0][1].cause:
        name, result = ended[0]
        show_outcome(plain(name), Outcome(result.outcome), more)
    else:
        lines = (result_line(name, one.outcome, _cause(job, one)) for name, one in ended)
        st.markdown("  \n".join(lines))
    show_answer(job)
    show_stopped(job)


def show_answer(job: Job) -> None:
    """Shows what a job says beside its items. That of a job is text, by paragraphs, which may be a line of the shell;
    that of a change without items is markdown, made where it was shown."""
    for paragraph in filter(None, job.answer.split("\n\n") if job.items else [job.answer]):
        text = plain(paragraph) if job.items else paragraph
        if job.items and paragraph.startswith("az "):
            st.code(paragraph, language=None, wrap_lines=True)
        elif job.state == "Completed":
            st.markdown(text)
        else:
            st.warning(text, icon=":material/warning:")


def show_causes(job: Job) -> None:
    """Shows why items were refused, each cause once, and that the job was stopped where it was."""
    for cause in dict.fromkeys(_cause(job, result) for result in job.results.values()):
        if cause:
            st.error(plain(cause), icon=":material/error:")
    show_stopped(job)


def show_stopped(job: Job) -> None:
    """Says that a job was stopped, where it was."""
    if job.state == "Stopped":
        st.warning(f"{STOPPED} Not tried: {len(job.open):,} of {len(job.items):,}.", icon=":material/stop_circle:")


def _cause(job: Job, result: JobResult) -> str:
    """Why an item was refused; "" where that is what ended the job."""
    return "" if job.error and result.cause in job.error else result.cause


def _seen(kind: JobKind) -> list[str]:
    seen: list[str] = st.session_state.setdefault(_key(kind), [])
    return seen


def _key(kind: JobKind) -> str:
    return f"jobs: {kind.action}"
