"""Changes a registry's settings: the plan, the dialog that confirms it, and the result."""

from collections.abc import Iterable

import streamlit as st

from services.connection.changes import Outcome
from services.connection.parallel import Partial
from services.jobs.jobs import Job
from services.jobs.plans import details_of, plan_of
from services.pull_checks.matrix import needed_addresses
from services.pull_checks.public_addresses import addresses_by_id
from services.registries.registry import Registry
from services.registry_lifecycle.settings import Difference, differences, settings_of, with_settings
from services.registry_lifecycle.settings_change import (
    SettingsPlan,
    plan_settings,
)
from services.registry_lifecycle.settings_jobs import run_settings, settings_items
from services.registry_lifecycle.stopped_pulls import StoppedPulls, stopped_pulls
from services.wording import counted
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.notices import dialog
from ui.elements.outcomes import label
from ui.elements.page import az_lines
from ui.elements.table import table_of
from ui.elements.text import plain
from ui.elements.writing import confirm, dialog_panel, may_write, show_objections, show_read_only
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_answer, show_causes, show_jobs, shown_jobs
from ui.loaders import clusters
from ui.loaders import registries as registry_loaders
from ui.registry_lifecycle.settings_form import Wanted, discard
from ui.runtime import connection
from ui.runtime.background import show_progress

# The settings that decide whether a cluster can pull.
_AFFECTS_PULLS = {"public_access", "default_action", "ip_rules", "mode", "anonymous_pull"}
# Who may do what, as services/connection/write_permission.py has it.
_ACCESS = {"admin_user", "anonymous_pull", "mode", "arm_audience_tokens"}


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50)
def _addresses(who: str, resource_ids: tuple[str, ...]) -> Partial[tuple[str, str]]:
    return addresses_by_id(connection.session(who), resource_ids)


def show_plan(who: str, registry: Registry, wanted: Wanted) -> None:
    """Shows what would change, its blockers, warnings and commands, and the button that opens the dialog."""
    found = differences(settings_of(registry), wanted.settings)
    st.subheader(f"Planned changes ({len(found)})", anchor=False)
    if not found:
        st.markdown("No changes yet. Change a setting above to see the plan.")
        return
    _show_differences(found)
    if any(not job.ended and job.login_server == registry.login_server for job in shown_jobs(who, SETTINGS_CHANGE)):
        st.info("A change of its settings is in progress: see above.", icon=":material/pending:")
        return
    affects_pulls = bool({one.field for one in found} & _AFFECTS_PULLS)
    stopped = _stopped(who, registry, wanted) if affects_pulls else None
    caller_permissions = registry_loaders.read_caller_permissions(who, registry)
    plan = plan_settings(
        registry, wanted.settings, caller_permissions=caller_permissions, caller_address=wanted.caller, stopped=stopped
    )
    show_objections(plan.blockers, plan.warnings)
    access = _changes_access(plan)
    show_read_only(access=access)
    with st.container(horizontal=True):
        label = f"Change {counted(len(found), 'setting')}"
        reading = affects_pulls and clusters.pulls(who).running
        blocked = bool(plan.blockers) or reading or not may_write(access=access)
        if st.button(label, type="primary", icon=":material/tune:", disabled=blocked):
            _confirm(who, plan)
        st.button("Discard changes", icon=":material/undo:", on_click=discard, args=(registry,))
    az_lines(*plan.commands)


def _stopped(who: str, registry: Registry, wanted: Wanted) -> StoppedPulls | None:
    """The clusters that may stop pulling; None where that is not known, or not yet. Shows what could not be read."""
    reading = clusters.pulls(who)
    show_progress(reading, f"pulls of {registry.id}")
    pulls = reading.value
    if reading.running:
        return None
    if reading.error:
        st.warning("Unknown which clusters pull from it: some may stop pulling.", icon=":material/warning:")
        show_error(reading.error)
        return None
    show_partial(
        Part(pulls.clusters, "subscription's clusters", "subscriptions' clusters"),
        Part(pulls.access, "subscription's role assignments", "subscriptions' role assignments"),
    )
    ids = needed_addresses(pulls.clusters.values, [with_settings(registry, wanted.settings)])
    addresses = _addresses(who, tuple(sorted(ids))) if ids else Partial(())
    return stopped_pulls(pulls, registry, wanted.settings, addresses)


def _show_differences(found: Iterable[Difference]) -> None:
    rows = [{"Setting": one.label, "Now": plain(one.before), "After": plain(one.after)} for one in found]
    _show_rows(rows, "What would change")


def _show_rows(rows: list[dict[str, str]], alt: str) -> None:
    """Shows a table whose cells (markdown) wrap, as a cell may have many rules or tags."""
    st.table(table_of(rows), border="horizontal", hide_index=True, alt=alt)


@dialog("Change settings", width="medium")
def _confirm(who: str, plan: SettingsPlan) -> None:
    with dialog_panel():
        st.markdown(f"In **{plain(plan.registry.name)}**, in one request:")
        _show_differences(plan.differences)
        st.markdown("The registry is read again before the change, and verified after it.")
        label = f"Change {counted(len(plan.differences), 'setting')} now"
        if confirm(plan, label, access=_changes_access(plan)):
            _begin(who, plan)


def _changes_access(plan: SettingsPlan) -> bool:
    return not _ACCESS.isdisjoint(plan.fields)


def _begin(who: str, plan: SettingsPlan) -> None:
    details = details_of(SettingsPlan, plan, plan.commands)
    begin_and_show(who, SETTINGS_CHANGE, plan.registry.login_server, settings_items(plan), details)


def _forget(job: Job) -> None:
    registry_loaders.forget_registry(job.who, plan_of(SettingsPlan, job).registry)
    clusters.forget_registries(job.who)


SETTINGS_CHANGE = JobKind("Change settings", "Changing the settings of", run_settings, _forget)


def show_changes(who: str) -> None:
    """Shows the changes that are running, and those that this session has seen end, until they are dismissed."""
    show_jobs(who, SETTINGS_CHANGE, _show_end)


def _show_end(job: Job) -> None:
    plan = plan_of(SettingsPlan, job)
    name = plain(plan.registry.name)
    done = sum(one.outcome in (Outcome.CHANGED, Outcome.ALREADY_DONE) for one in job.results.values())
    if done == len(job.items):
        st.success(f"{name}: {counted(done, 'setting')} changed and verified.", icon=":material/check_circle:")
    else:
        st.warning(f"{name}: {done} of {counted(len(job.items), 'setting')} changed.", icon=":material/pending:")
    rows = [
        {
            "Setting": one.label,
            "Before": plain(one.before),
            "Requested": plain(one.after),
            "Outcome": _outcome(job, one),
        }
        for one in plan.differences
    ]
    _show_rows(rows, "Outcome of each setting")
    show_causes(job)
    show_answer(job)


def _outcome(job: Job, one: Difference) -> str:
    result = job.results.get(one.label)
    return label(Outcome(result.outcome if result else Outcome.NOT_TRIED))
