"""Why a pod fails to pull: from its pasted event the cause, what the checks say to it, and the fix."""

from collections.abc import Sequence

import streamlit as st

from services.connection.names import image_name
from services.connection.parallel import Partial
from services.pull_checks.checks import TITLES, Check
from services.pull_checks.events import Diagnosis, PulledImage, diagnose, image_of, is_about
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.selection import key_of, not_read, with_login_server

BOX = "event of a pod"


def pasted_causes(checked: PulledImage, listed: Partial[Registry]) -> tuple[Diagnosis, ...]:
    """What the pasted event shows, where it is about the image that was checked; nothing where none is pasted."""
    text = str(st.session_state.get(BOX) or "")
    named = image_of(text, [one.login_server for one in with_login_server(listed)])
    return diagnose(text) if is_about(named, checked) else ()


def show_events(
    checks: Sequence[Check], checked: PulledImage | None, listed: Partial[Registry], cluster_key: str
) -> None:
    """A box to paste an event into, and its diagnosis. `checks`: those of the chosen pair that have run, and `checked`
    what they are about; None where no pair is chosen."""
    with st.expander("Why does my pod not pull?", icon=":material/troubleshoot:"):
        text = st.text_area(
            "The pod's event, as `kubectl describe pod` shows it",
            placeholder='Failed to pull image "contoso.azurecr.io/team/app:v1": … 401 Unauthorized',
            key=BOX,
        )
        if not text.strip():
            return
        registries = with_login_server(listed)
        found, named = diagnose(text), image_of(text, [one.login_server for one in registries])
        if not found:
            st.info(
                "No known error in this text. ImagePullBackOff only says that a pull failed: paste the one before it.",
                icon=":material/help:",
            )
        if checked is None:
            checks, why = (), "choose a cluster and a registry"
        elif is_about(named, checked):
            why = "" if checked.reference else "enter the repository and the tag"
        else:
            checks, why = (), f"the checks below are of {_words(checked)}, not of the event's image"
        for one in found:
            with st.container(border=True):
                st.markdown(f"**{plain(one.cause)}**")
                st.code(one.seen, language=None, wrap_lines=True)
                _show_confirmation(one, checks, why)
                st.markdown(f"**What to do:** {one.fix}")
        _link_to_check(named, registries, not_read(listed), cluster_key)


def _show_confirmation(one: Diagnosis, checks: Sequence[Check], why: str) -> None:
    """What the checks say to a diagnosis. `why` some of them have not run."""
    ran = [check for check in checks if check.id in one.checks]
    if ran:
        heading = "Confirmed by a check" if one.confirmed_by(ran) else "Not confirmed by a check"
        states = "; ".join(f"{check.title}: {check.state}" for check in ran)
        st.markdown(f"**{heading}.** {plain(states)}")
    if missing := one.not_run(checks):
        names = ", ".join(TITLES[id_] for id_ in missing)
        st.markdown(f"**Not checked yet:** {names}{f': {plain(why)}' if why else ''}")
    if one.confirm:
        st.markdown(f"**To confirm it:** {one.confirm}")


def _words(image: PulledImage) -> str:
    """server/repository:tag, as far as it is named."""
    name = image_name(image.repository, image.reference) if image.reference else image.repository
    return "/".join(part for part in (image.login_server, name) if part)


def _link_to_check(
    image: PulledImage | None, registries: Sequence[Registry], unread: Sequence[str], cluster_key: str
) -> None:
    """A link that checks the image that the event names. `unread`: what of the registries could not be read."""
    if image is None:
        st.caption("The text names no image with its registry, so there is no check to open.")
        return
    named = [one for one in registries if one.login_server.casefold() == image.login_server]
    if not named:
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
