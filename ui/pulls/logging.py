"""Logging of a registry's pulls, pushes and deletions: offered where it is off, and turned on."""

import streamlit as st

from services.connection.changes import Outcome
from services.connection.parallel import Partial
from services.pulls.logging import list_settings
from services.pulls.pulls import RegistryPulls
from services.pulls.turn_on import apply_logging, cost_words, plan_logging
from services.pulls.workspaces import Workspace, list_workspaces
from services.registries.registry import Registry
from ui.elements.errors import Part, show_partial
from ui.elements.notices import dialog, ticking
from ui.elements.outcomes import WORDS
from ui.elements.text import plain
from ui.elements.writing import close_button, dialog_panel
from ui.loaders.pulls import forget_logs, month_counts
from ui.loaders.registries import Loaded, loaded_fresh, read_now
from ui.runtime import connection
from ui.runtime.background import TICK_S, Reading
from ui.runtime.changes import confirm_and_run

TURN_ON = "Turn on logging"


@st.cache_resource(ttl="5m", show_spinner="Reading workspaces", max_entries=20, validate=loaded_fresh)
def workspaces(who: str) -> Loaded[Partial[Workspace]]:
    """The Log Analytics workspaces of all subscriptions."""
    found = list_workspaces(connection.session(who))
    return read_now(found, found.refused)


def offer_logging(
    who: str, registry: Registry, reading: Reading[RegistryPulls], unknown: str = "Last pull unknown. "
) -> None:
    """Says why last pulls are unknown, where they are; where nothing is logged, with the button that turns it on.
    `unknown`: how the sentence begins."""
    pulls = reading.value
    if reading.running or pulls.since:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        why = "The logs could not be read." if pulls.unread and not pulls.pulls else pulls.why
        st.markdown(f":gray[{unknown}{plain(why)}]", width="content")
        if pulls.logged is False and st.button(TURN_ON, icon=":material/manage_search:", type="tertiary"):
            turn_on_logging(who, registry)


@dialog("Turn on logging", width="large")
def turn_on_logging(who: str, registry: Registry) -> None:
    """Asks for a workspace, shows the plan with its cost, and creates the diagnostic setting."""
    with dialog_panel():
        st.markdown(
            f"A diagnostic setting sends each push, pull, untag and deletion of **{plain(registry.name)}** to a Log "
            "Analytics workspace, with who did it and from where. From then on the console shows when an image was "
            "pulled last. What happened before stays unknown."
        )
        loaded = workspaces(who).value
        show_partial(Part(loaded, "subscription"))
        by_id = {one.id: one for one in sorted(loaded.values, key=lambda one: _nearest_first(one, registry))}
        if not by_id:
            none = "No workspace found" if loaded.complete else "No workspace found in the subscriptions that were read"
            st.markdown(f"{none}. Create one in the Azure portal, then come back.")
            close_button()
            return
        chosen = st.selectbox("Workspace", list(by_id), format_func=lambda one: _label(by_id[one]), width="stretch")
        logins = st.toggle("Log sign-ins too", help="Who signed in to the registry, and who was refused")
        there = list_settings(connection.session(who), registry)
        plan = plan_logging(registry, there, by_id[chosen], logins=logins)
        _show_cost(who, registry)
        with st.expander("As Bicep", icon=":material/code:"):
            st.code(plan.bicep, language=None)
        confirm_and_run(
            plan,
            TURN_ON,
            f"{registry.name}, diagnostic setting {plan.setting.name}",
            lambda report: apply_logging(connection.session(who), plan, report),
            lambda: forget_logs(who, registry),
            lambda outcome: _done(registry, outcome),
        )


@ticking(TICK_S)
def _show_cost(who: str, registry: Registry) -> bool:
    """What logging costs, by metrics where they can be read."""
    reading = month_counts(who, registry)
    if reading.running:
        st.caption(f"{reading.verb} {reading.what}…")
        return False
    why = f" How often {registry.name} is pulled is unknown: {reading.error.cause}" if reading.error else ""
    events = reading.value.events if reading.value else None
    st.markdown(f"**Cost** {plain(cost_words(events) + why)}")
    return False


def _nearest_first(workspace: Workspace, registry: Registry) -> tuple[bool, bool, str]:
    """Those of the registry's subscription and region first."""
    subscription = f"/subscriptions/{registry.subscription_id}/".casefold()
    other = not workspace.id.casefold().startswith(subscription)
    return other, workspace.location != registry.location, workspace.name.casefold()


def _label(workspace: Workspace) -> str:
    kept = f", kept {workspace.retention_days:,} days" if workspace.retention_days else ""
    return f"{workspace.name} ({workspace.location}{kept})"


def _done(registry: Registry, outcome: Outcome) -> str:
    return f"Logging of {plain(registry.name)}: {WORDS[outcome]}. The first events show after some minutes."
