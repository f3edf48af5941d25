"""A policy as acr purge: the lines that list and schedule it, the ACR Task that runs it, or why it is none."""

import streamlit as st

from services.commands import images as az_images
from services.commands import tasks as az_tasks
from services.policies.acr_purge import DIFFERENCES, as_acr_purge
from services.policies.acr_purge_variant import nearest_variant
from services.policies.policy import Policy
from services.tasks.plan import suggest_name
from services.tasks.steps import task_definition
from ui.elements.text import plain
from ui.elements.writing import may_write
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.policies.simulation import choose_registry
from ui.tasks import dialogs

_EVERY_DAY = "0 1 * * *"


def show_purge(who: str, policy: Policy, *, saved: bool) -> None:
    """The task and the lines for the chosen registry, with what acr purge does otherwise. `saved`: whether the policy
    is saved as it is."""
    exported = as_acr_purge(policy)
    if exported.reasons:
        st.info("acr purge can't do what this policy does.", icon=":material/block:")
        st.markdown("\n".join(f"- {plain(reason)}" for reason in exported.reasons))
        _show_variant(who, policy)
        return
    registry = choose_registry(who, policy)
    if registry is None:
        return
    here = st.query_params.get("registry", "")
    if not saved:
        st.info(
            "This policy is not saved. A task goes on by itself, whatever becomes of it here.", icon=":material/save:"
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        label = "Create ACR Task"
        if st.button(label, icon=":material/event_repeat:", key="create task", disabled=not may_write()):
            dialogs.create(who, registry, here, policy.name, exported.commands)
        link_to(pages.TASKS, f"Tasks of {plain(registry.name)}", registry=here)
    with st.container(border=True):
        st.markdown("\n".join(("**What acr purge does otherwise**\n", *(f"- {plain(one)}" for one in DIFFERENCES))))
    st.markdown("**List what would be deleted**")
    st.code("\n".join(az_images.run_purge(registry.name, one) for one in exported.commands), language=None)
    st.markdown("**Run every day**")
    st.code(_scheduled(registry.name, suggest_name(policy.name), exported.commands), language=None)


def _show_variant(who: str, policy: Policy) -> None:
    """The lines of what acr purge can do of the policy, with what differs."""
    variant = nearest_variant(policy)
    if variant is None:
        return
    st.markdown("**What acr purge can do of it**")
    st.markdown("It deletes no image that the policy keeps by its rules. What differs:")
    st.markdown("\n".join(f"- {plain(one)}" for one in variant.differences))
    with st.expander("What acr purge does otherwise with any policy", icon=":material/info:"):
        st.markdown("\n".join(f"- {plain(one)}" for one in DIFFERENCES))
    registry = choose_registry(who, policy)
    if registry is None:
        return
    st.markdown("**List what would be deleted**")
    st.code("\n".join(az_images.run_purge(registry.name, one) for one in variant.commands), language=None)
    st.markdown("**Run every day**")
    st.code(_scheduled(registry.name, suggest_name(policy.name), variant.commands), language=None)


def _scheduled(registry: str, task: str, commands: tuple[str, ...]) -> str:
    if len(commands) == 1:
        return az_tasks.create_task(registry, task, commands[0], _EVERY_DAY)
    return az_tasks.create_task_of_steps(registry, task, task_definition(commands), _EVERY_DAY)
