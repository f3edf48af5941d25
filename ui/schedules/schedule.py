"""The schedule of a policy: when it runs next, what its last runs proposed, and what became of these."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import streamlit as st

from services.policies.policy import Policy
from services.policies.store import PolicyVersion
from services.registries.registry import Registry
from services.schedules.runs import RunState, ScheduledRun, approvals, list_runs
from services.schedules.schedule import Schedule
from services.schedules.store import find_schedule, list_schedules
from services.wording import counted
from ui.deletion.activity_log import name_of
from ui.elements.columns import ago_column
from ui.elements.errors import panel
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.styled_table import Worded
from ui.elements.table import UTC, show_rows
from ui.elements.text import exact, plain, size
from ui.elements.writing import may_write
from ui.jobs.follow import rerun_on_change
from ui.loaders import registries as registry_loaders
from ui.navigation.links import change_query
from ui.runtime import connection
from ui.runtime.background import show_progress
from ui.runtime.database import database
from ui.schedules.editing import ask_schedule_deletion, edit_schedule, pause, propose_now
from ui.schedules.names import name_of_registry, state_words, until
from ui.schedules.proposal import sees, show_proposal

_NO_IDENTITY = (
    "People sign in to this console, and Azure is asked as each of them: it has no identity of its own to run a "
    "schedule. Whoever operates it can set ACR_CONSOLE_OWN_IDENTITY, and grant that identity the roles that "
    "docs/hosting.md names."
)
_EDIT, _PAUSE, _RESUME, _DELETE = "Edit schedule", "Pause schedule", "Resume schedule", "Delete schedule"
_OPEN = (RunState.QUEUED, RunState.PLANNING)


def schedule_labels() -> Mapping[str, str]:
    """When each policy runs by itself, by its id. Shows why where that can't be read."""
    with panel():
        return {
            policy: f"{one.spec.timing.label}{'' if one.active else ', paused'}"
            for policy, one in list_schedules(database()).items()
        }
    return {}


def show_schedule(who: str, version: PolicyVersion | None, *, changed: bool) -> None:
    """The schedule of the saved `version`, and its runs; or the proposal that the URL names. `changed`: the draft has
    changes that are not saved."""
    if version is None:
        empty(":material/schedule:", "Not scheduled", "Save the policy first.")
        return
    policy = version.policy
    if policy is None:
        st.error("This version of the console does not understand the saved policy.", icon=":material/error:")
        return
    reading = registry_loaders.inventory(who)
    show_progress(reading, "inventory of the schedule")
    registries = reading.value.registries.values
    if st.query_params.get("proposal", ""):
        show_proposal(who, version, policy, registries, reading=reading.running)
        return
    with panel():
        schedule = find_schedule(database(), version.id)
        runs = list_runs(database(), version.id)
        if not connection.has_own_identity():
            st.info(_NO_IDENTITY, icon=":material/block:")
        elif schedule is None:
            _offer(who, version, policy, runs)
        done: Mapping[str, int] = {}
        if schedule:
            done = approvals(database(), version.id, version.version, schedule.spec.registries)
            _show_head(who, version, policy, schedule, runs, done, changed=changed)
        _show_runs(runs, registries)
        if schedule:
            _show_registries(version, schedule, registries, done)
        if any(one.state in _OPEN or one.progress == "Running" for one in runs):
            shown = _progress_of(runs)
            rerun_on_change(lambda: _progress_of(list_runs(database(), version.id)), shown)


def _progress_of(runs: Sequence[ScheduledRun]) -> list[tuple[str, str]]:
    return [(one.id, state_words(one)) for one in runs]


def _offer(who: str, version: PolicyVersion, policy: Policy, runs: Sequence[ScheduledRun]) -> None:
    if not runs:
        empty(
            ":material/schedule:",
            "Not scheduled",
            "A schedule plans the policy every day or week. Its first runs only propose what they would delete: you "
            "approve each.",
        )
    if st.button("Schedule policy", icon=":material/schedule:", type="primary", disabled=not may_write()):
        edit_schedule(who, version, policy, None)


def _show_head(
    who: str,
    version: PolicyVersion,
    policy: Policy,
    schedule: Schedule,
    runs: Sequence[ScheduledRun],
    done: Mapping[str, int],
    *,
    changed: bool,
) -> None:
    state = ":green-badge[:material/schedule: Active]" if schedule.active else ":gray-badge[:material/pause: Paused]"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"{state} **{schedule.spec.timing.label}**", width="content")
        with st.container(horizontal=True, width="content"):
            own = connection.has_own_identity()
            if st.button("Propose now", icon=":material/play_arrow:", disabled=not (own and may_write())):
                propose_now(who, version)
            options = [*([_EDIT] if own else []), _PAUSE if schedule.active else _RESUME, _DELETE]
            picked = st.menu_button("Change schedule", options, icon=":material/more_horiz:", disabled=not may_write())
    if picked == _EDIT:
        edit_schedule(who, version, policy, schedule)
    elif picked in (_PAUSE, _RESUME):
        pause(who, version, active=picked == _RESUME)
    elif picked == _DELETE:
        ask_schedule_deletion(who, version)
    if changed:
        st.info(f"It runs the saved version {version.version}, without your changes.", icon=":material/edit_off:")
    _warn(schedule)
    needed = schedule.spec.proposals
    waiting = sum(one.state is RunState.PROPOSED for one in runs)
    alone = sum(number >= needed for number in done.values())
    of = counted(len(done), "registry", "registries")
    show_metrics(
        [
            Metric(
                "Next run",
                until(schedule.due) if schedule.active else "Paused",
                beside=f"{schedule.due:%Y-%m-%d %H:%M} UTC" if schedule.active else "",
                help=exact(schedule.due),
            ),
            Metric("Waiting for approval", waiting),
            Metric(
                "Runs by itself",
                f"{alone:,} of {len(done):,}",
                beside=f"{of}, each after {counted(needed, 'approved run')}",
                help=f"Of version {version.version}: a new version of the policy only proposes again, and so does a "
                "schedule that was saved or resumed. What is above the policy's ceiling always waits for approval.",
            ),
        ]
    )


def _show_registries(
    version: PolicyVersion, schedule: Schedule, registries: Sequence[Registry], done: Mapping[str, int]
) -> None:
    """The registries of the schedule in a closed expander, each with what its next run does."""
    needed = schedule.spec.proposals
    of = counted(len(done), "registry", "registries")
    with st.expander(f"{of}, as {plain(_identity(schedule))}", icon=":material/inventory_2:"):
        show_rows(
            [
                {
                    "Registry": name_of_registry(registry, registries),
                    "Approved runs": f"{min(number, needed)} of {needed}",
                    "Next run": "Runs by itself" if number >= needed else "Proposes",
                }
                for registry, number in done.items()
            ],
            "Registries of the schedule",
            key=f"registries of {version.id}",
        )
        asks = "Clusters are asked before each run." if schedule.spec.asks_clusters else (
            "Clusters are not asked: what they answered within a day is used, and without that nothing is deleted of "
            "what they could run."
        )  # fmt: skip
        st.caption(f"{asks} Saved or resumed by {plain(name_of(schedule.who, schedule.login))}.")


def _identity(schedule: Schedule) -> str:
    """Whom Azure is asked as, by name where that is this console."""
    if connection.has_own_identity() and connection.own_who() == schedule.runs_as:
        return connection.own_session().identity.name or "the console"
    return schedule.runs_as.rpartition("/")[2]


def _warn(schedule: Schedule) -> None:
    if connection.has_own_identity() and connection.own_who() != schedule.runs_as:
        st.warning(
            "This console does not run it: it was saved at one with another identity or cloud. Edit schedule, then "
            "save it, lets this one run it.",
            icon=":material/sync_problem:",
        )


def _show_runs(runs: Sequence[ScheduledRun], registries: Sequence[Registry]) -> None:
    if not runs:
        return
    st.markdown("**Runs**")
    visible = {one.id: sees(one, registries) for one in runs}
    known = {
        one.id: one.figures for one in runs if one.figures and visible[one.id] and one.state is not RunState.BLOCKED
    }
    opened = openable(
        runs,
        lambda one: {
            "Registry": name_of_registry(one.registry, registries),
            "Due": one.due,
            "State": state_words(one),
            "Manifests": known[one.id].manifests if one.id in known else None,
            "Frees": known[one.id].freed if one.id in known else None,
            "Note": _note(one) if visible[one.id] else "You don't see this registry",
            "Decided by": name_of(one.decided_by, one.decided_login) if one.decided else None,
        },
        "scheduled runs",
        "Runs of the schedule, the newest first",
        columns={
            "Due": ago_column(),
            "State": st.column_config.TextColumn(width=190),
            "Manifests": st.column_config.NumberColumn("Manifests to delete"),
            "Frees": Worded(size, "At most, where not everything could be read"),
            "Note": st.column_config.TextColumn(width="medium"),
        },
        types={"Due": UTC, "Manifests": pa.int64(), "Note": pa.string(), "Decided by": pa.string()},
        identity=lambda one: one.id,
    )
    if opened:
        change_query(proposal=opened.id)


def _note(run: ScheduledRun) -> str | None:
    """What to know first of a run: its error, what is unknown, what is above the ceiling, or why it was declined."""
    figures = run.figures
    notes = (run.error, run.reason, *(figures.above if figures else ()), *(figures.unknown if figures else ()))
    return next((note for note in notes if note), None)
