"""The dialog that creates a resource group alone."""

import streamlit as st

from services.arm.resource_groups import find_group
from services.registry_lifecycle.group_creation import apply_group, plan_group
from ui.elements.notices import dialog
from ui.elements.outcomes import WORDS
from ui.elements.text import plain
from ui.elements.writing import PlainPlan, dialog_panel
from ui.registry_lifecycle.creation_form import Place, forget
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run


@dialog("Create resource group", width="medium")
def create_resource_group(who: str, place: Place) -> None:
    """Asks for the name and the location, shows the plan, and creates the group in the place's subscription."""
    with dialog_panel():
        session, subscription = connection.session(who), place.subscription
        left, right = st.columns(2)
        name = (left.text_input("Name", placeholder="contoso-registries-rg") or "").strip()
        location = right.selectbox("Location", [one.name for one in place.provider.locations], None)
        st.markdown(f"In the subscription **{plain(subscription.name)}**. A group costs nothing.")
        filled = bool(name and location)
        plan = plan_group(
            subscription.id, name, location or "", find_group(session, subscription.id, name) if filled else None
        )
        confirm_and_run(
            plan if filled else PlainPlan(),
            "Create resource group",
            f"{name} in {subscription.name}",
            lambda _report: apply_group(session, plan),
            lambda: forget(who),
            lambda outcome: f"Resource group {plain(name)}: {WORDS[outcome]}.",
            ready=filled,
        )
