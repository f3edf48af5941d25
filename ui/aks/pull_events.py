"""Why a pod fails to pull: from its pasted event the cause, the checks that confirm it, and the fix."""

from collections.abc import Sequence

import streamlit as st

from services.connection.parallel import Partial
from services.pull_checks.checks import Check
from services.pull_checks.events import diagnose, image_of
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.selection import key_of, not_read, with_login_server


def show_events(checks: Sequence[Check], registries: Partial[Registry], cluster_key: str) -> None:
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
                    st.markdown(f"Checks that can confirm it, not run yet: {', '.join(one.checks)}")
                st.markdown(f"**What to do:** {one.fix}")
        _link_to_check(text, registries, cluster_key)


def _link_to_check(text: str, listed: Partial[Registry], cluster_key: str) -> None:
    """A link that checks the image that the event names."""
    registries = with_login_server(listed)
    image = image_of(text, [one.login_server for one in registries])
    if image is None:
        st.caption("The text names no image with its registry, so there is no check to open.")
        return
    named = [one for one in registries if one.login_server.casefold() == image.login_server.casefold()]
    if not named:
        unread = not_read(listed)
        st.caption(
            f"Unknown registry: {plain(image.login_server)} is in none of the subscriptions that could be read. Not "
            f"read: {plain(', '.join(unread))}."
            if unread
            else f"No registry that this identity sees has the login server {plain(image.login_server)}."
        )
        # A login server may have another first part than the name: offered, and not opened.
        named = [one for one in registries if one.name.casefold() == image.login_server.split(".")[0].casefold()]
        if not named:
            return
    query = {
        "registry": key_of(named[0], registries),
        "repository": image.repository,
        "reference": image.reference,
        **({"cluster": cluster_key} if cluster_key else {}),
    }
    label = f"Check {plain(image.repository)} in {plain(named[0].name)}"
    link_to(pages.INTEGRATION_CHECKER, label, **query)
