"""Why a pod does not pull: its event pasted, the cause, the check that confirms it, the fix."""

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
    """`checks` are those that have run for the pair that is chosen, if any is."""
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
                "Nothing in it is known. ImagePullBackOff itself says only that it failed: paste the event above it.",
                icon=":material/help:",
            )
        for one in found:
            with st.container(border=True):
                st.markdown(f"**{plain(one.cause)}**")
                st.code(one.seen, language=None, wrap_lines=True)
                confirming = [check for check in checks if check.id in one.checks]
                if confirming:
                    said = "; ".join(f"{check.title} ({check.id}): {check.state}" for check in confirming)
                    st.markdown(f"Of the checks below: {plain(said)}")
                else:
                    st.markdown(f"Confirmed by the checks {', '.join(one.checks)}.")
                st.markdown(f"**What to do:** {one.fix}")
        _offer(text, registries, cluster_key)


def _offer(text: str, registries: Sequence[Registry], cluster_key: str) -> None:
    """The image that the event names, ready to be checked."""
    image = image_of(text)
    if image is None:
        return
    named = [one for one in registries if one.login_server.casefold() == image.login_server.casefold()]
    if not named:
        st.caption(f"It pulls from {plain(image.login_server)}, which is no registry that this identity sees.")
        return
    query = {
        "registry": key_of(named[0], registries),
        "repository": image.repository,
        "reference": image.reference,
        **({"cluster": cluster_key} if cluster_key else {}),
    }
    label = f"Check {plain(image.repository)} in {plain(named[0].name)}"
    link_to(pages.INTEGRATION_CHECKER, label, **query)
