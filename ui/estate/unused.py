"""What nobody uses over all registries: nothing runs it, nobody has pulled it for long. Measured when asked for."""

from collections.abc import Iterable
from datetime import UTC, datetime

import streamlit as st

from services.connection.parallel import Partial
from services.policies.pulls import known_for
from services.policies.registries import ManyFigures
from services.policies.starting import NEWEST, UNTAGGED_DAYS, UNUSED, UNUSED_DAYS
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.text import size
from ui.loaders.pulls import registry_pulls
from ui.policies.many import simulated_many
from ui.policies.starting import link_to_unused
from ui.runtime.background import show_progress

_ASKED = "what nobody uses was asked for"


def show_unused(who: str, registries: Iterable[Registry]) -> None:
    """A button that measures what a policy of unused images would free, what it found, and a link to that policy."""
    reachable = tuple(one for one in registries if one.login_server)
    if not reachable:
        return
    if not st.session_state.get(_ASKED):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Measure what nobody uses",
                icon=":material/bedtime:",
                on_click=st.session_state.update,
                args=({_ASKED: True},),
                help=f"Reads every manifest, where images run, and the logs of {UNUSED_DAYS} days of pulls",
            )
            link_to_unused("Make a retention policy of what nobody uses")
        return
    reading = simulated_many(who, UNUSED, reachable, unknown_too=True)
    show_progress(reading, "what nobody uses")
    if reading.error:
        show_error(reading.error)
    found = reading.value
    left = 0 if reading.running else len(reachable) - len(found.registries) - len(found.refused)
    show_partial(Part(Partial((), found.refused, left), "registry", "registries"))
    if found.registries:
        pulls = (registry_pulls(who, one.registry).value for one in found.registries)
        unlogged = sum(not known_for(one, UNUSED_DAYS, datetime.now(UTC)) for one in pulls)
        st.markdown(_words(found, len(reachable), unlogged))
    link_to_unused("Make a retention policy of it")


def _words(found: ManyFigures, of: int, unlogged: int) -> str:
    """'As far as is known, **40 GiB** in 90 manifests of 9 of 12 registries …', with what is not known."""
    unasked = sum(bool(one.unasked) for one in found.registries)
    known = "" if found.exact and not unasked else "As far as is known, "
    first = (
        f"{known}**{size(found.freed)}** in {counted(found.deleted, 'manifest')} of {len(found.registries):,} of "
        f"{counted(of, 'registry', 'registries')}: not pulled for {UNUSED_DAYS} days, or untagged for "
        f"{UNTAGGED_DAYS}, and not seen running. The {NEWEST} newest tags of each repository are not counted"
    )
    notes = []
    if unasked:
        notes.append(f"Unknown what runs for {counted(unasked, 'registry', 'registries')}: not every cluster answered")
    if unlogged:
        have = counted(unlogged, "registry has", "registries have")
        notes.append(f"{have} no log of pulls for that long that could be read: only what is untagged counts there")
    return "  \n".join((first, *(f":small[:material/help: {note}]" for note in notes)))
