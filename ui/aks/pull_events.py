"""Why a pod fails to pull: from its pasted event the cause, the checks that confirm it, and the fix."""

from collections.abc import Sequence

import streamlit as st

from services.pull_checks.checks import Check
from services.pull_checks.events import diagnose, image_of
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.selection import key_of


def show_events(checks: Sequence[Check], registries: Sequence[Registry], cluster_key: str) -> None:
    """A box to paste an event into, and its diagnosis. `checks`: those of the chosen pair; empty if none is chosen."""
    with st.expander("Why does my pod not pull?", icon=":material/troubleshoot:"):
        text = st.text_area(
            "The pod's event, as `kubectl describe pod` shows it",
            placeholder='Failed to pull image "contoso.azurecr.io/team/app:v1": … 401 Unauthorized',
            key="event of a pod",
        )
        if not text.strip():
            return
        found = diagnose(text)
        if not found:
            st.info(
                "No known error in this text. ImagePullBackOff only says that a pull failed: paste the one before it.",
                icon=":material/help:",
            )
        for one in found:
            with st.container(border=True):
                st.markdown(f"**{plain(one.cause)}**")
                st.code(one.seen, language=None, wrap_lines=True)
                confirming = [check for check in checks if check.id in one.checks]
                if confirming:
                    states = "; ".join(f"{check.title} ({check.id}): {check.state}" for check in confirming)
                    st.markdown(f"Checks below: {plain(states)}")
                else:
                    st.markdown(f"Checks that confirm it: {', '.join(one.checks)}")
                st.markdown(f"**What to do:** {one.fix}")
        _link_to_check(text, registries, cluster_key)


def _link_to_check(text: str, registries: Sequence[Registry], cluster_key: str) -> None:
    """A link that checks the image that the event names."""
    image = image_of(text)
    if image is None:
        return
    named = [one for one in registries if one.login_server.casefold() == image.login_server.casefold()]
    if not named:
        st.caption(f"The image is in {plain(image.login_server)}, a registry that this identity can't see.")
        return
    query = {
        "registry": key_of(named[0], registries),
        "repository": image.repository,
        "reference": image.reference,
        **({"cluster": cluster_key} if cluster_key else {}),
    }
    label = f"Check {plain(image.repository)} in {plain(named[0].name)}"
    link_to(pages.INTEGRATION_CHECKER, label, **query)
