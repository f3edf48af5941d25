"""A schedule saved, paused, resumed and deleted."""

import streamlit as st

from services.policies.policy import Policy
from services.policies.store import PolicyVersion
from services.schedules.schedule import MOST_PROPOSALS, PROPOSALS, WEEKDAYS, Schedule, ScheduleSpec, Timing
from services.schedules.store import delete_schedule, request_run, save_schedule, set_active
from services.wording import counted
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.notices import dialog, say_done
from ui.elements.text import plain
from ui.elements.writing import PlainPlan, confirm, dialog_panel
from ui.loaders import registries as registry_loaders
from ui.runtime import connection
from ui.runtime.changes import require_permission
from ui.runtime.database import database
from ui.schedules.names import find_registry, registries_of

_EVERY_DAY = "Every day"
_HOUR = 3


@dialog("Schedule policy", width="medium")
def edit_schedule(who: str, version: PolicyVersion, policy: Policy, before: Schedule | None) -> None:
    """Asks where and when the policy runs by itself, and saves that."""
    with dialog_panel():
        reading = registry_loaders.inventory(who)
        listed = reading.value.registries
        show_partial(Part(listed, "subscription"))
        if reading.error:
            show_error(reading.error)
        offered = {one.id: one for one in registries_of(policy, listed)}
        scheduled = [find_registry(one, list(offered.values())) for one in (before.spec.registries if before else ())]
        known = [one.id for one in scheduled if one]
        unseen = len(scheduled) - len(known)
        chosen = st.multiselect(
            "Registries",
            list(offered),
            known if before else list(offered)[:1] if len(offered) == 1 else [],
            format_func=lambda key: offered[key].name,
            key=f"registries of the schedule {version.id}",
            help="Those that the policy is for",
        )
        if unseen:
            lost = counted(unseen, "registry", "registries")
            st.warning(
                f"Saving removes {lost} that the policy does not name any more, or that you don't see.",
                icon=":material/warning:",
            )
        timing = before.spec.timing if before else Timing(_HOUR)
        left, right = st.columns(2)
        days = (_EVERY_DAY, *WEEKDAYS)
        first = 0 if timing.weekday is None else timing.weekday + 1
        day = left.selectbox("Day", days, first, key=f"day of the schedule {version.id}")
        hour = right.selectbox(
            "Time (UTC)",
            range(24),
            timing.hour,
            format_func=lambda one: f"{one:02}:00",
            key=f"hour of the schedule {version.id}",
        )
        proposals = st.number_input(
            "Approved runs before it runs by itself",
            1,
            MOST_PROPOSALS,
            before.spec.proposals if before else PROPOSALS,
            help="Of each registry. Until then a run only proposes. A new version of the policy begins again, and so "
            "does saving or resuming the schedule.",
            key=f"proposals of the schedule {version.id}",
        )
        asks = st.toggle(
            "Ask clusters before each run",
            before.spec.asks_clusters if before else False,
            help="Runs a pod in each cluster that may pull from the registry, for some seconds. Without it a run uses "
            "what clusters answered within a day.",
            key=f"asking of the schedule {version.id}",
        )
        name = connection.own_session().identity.name or "its own identity"
        st.markdown(f":small[Runs as **{plain(name)}**, also while nobody is signed in.]")
        weekday = None if day == _EVERY_DAY else WEEKDAYS.index(day)
        spec = ScheduleSpec(tuple(chosen), Timing(hour, weekday), int(proposals), asks)
        if confirm(PlainPlan(), "Save schedule", ready=bool(chosen), effect=(spec, version.id)):
            require_permission(who, "save schedule", version.name)
            saved = save_schedule(database(), who, version.id, spec, connection.own_who())
            say_done(f"{plain(version.name)} is scheduled: {saved.spec.timing.label}.")
            st.rerun()


@dialog("Delete schedule")
def ask_schedule_deletion(who: str, version: PolicyVersion) -> None:
    """Asks whether the schedule of a policy is to be deleted, and deletes it."""
    with dialog_panel():
        st.markdown(f"**{plain(version.name)}** does not run by itself any more. Its past runs stay listed.")
        if confirm(PlainPlan(), "Delete schedule", effect=version.id):
            require_permission(who, "delete schedule", version.name)
            delete_schedule(database(), who, version.id)
            say_done(f"The schedule of {plain(version.name)} was deleted.")
            st.rerun()


def propose_now(who: str, version: PolicyVersion) -> None:
    """Makes a run due now, and runs the page again. Raises ServiceError."""
    require_permission(who, "request scheduled run", version.name)
    request_run(database(), who, version.id)
    say_done("A run was requested. It is planned within seconds.")
    st.rerun()


def pause(who: str, version: PolicyVersion, *, active: bool) -> None:
    """Pauses or resumes the schedule of a policy, and runs the page again. Raises ServiceError."""
    require_permission(who, "resume schedule" if active else "pause schedule", version.name)
    set_active(database(), who, version.id, active=active)
    say_done(f"The schedule of {plain(version.name)} is {'active' if active else 'paused'}.")
    st.rerun()
