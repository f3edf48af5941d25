"""A policy as acr purge: the lines that list and schedule it, or why it can't be exported."""

import streamlit as st

from services.commands import images as az_images
from services.policies.acr_purge import DIFFERENCES, as_acr_purge
from services.policies.policy import Policy
from ui.elements.text import plain
from ui.policies.simulation import choose_registry

_TASK = "retention"
# One after the other: a task ends after an hour.
_FIRST_HOUR = 1


def show_purge(who: str, policy: Policy) -> None:
    """The lines for the chosen registry, with what acr purge does otherwise."""
    exported = as_acr_purge(policy)
    if exported.reasons:
        st.info("acr purge can't do what this policy does.", icon=":material/block:")
        st.markdown("\n".join(f"- {plain(reason)}" for reason in exported.reasons))
        return
    registry = choose_registry(who, policy)
    if registry is None:
        return
    st.markdown("**List what would be deleted**")
    st.code("\n".join(az_images.run_purge(registry.name, one) for one in exported.commands), language=None)
    st.markdown("**Run every day**")
    st.code(
        "\n".join(
            az_images.schedule_purge(registry.name, f"{_TASK}-{number + 1}", one, f"0 {_FIRST_HOUR + number} * * *")
            for number, one in enumerate(exported.commands)
        ),
        language=None,
    )
    with st.container(border=True):
        st.markdown("\n".join(("**What acr purge does otherwise**\n", *(f"- {plain(one)}" for one in DIFFERENCES))))
