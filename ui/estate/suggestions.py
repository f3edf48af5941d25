"""A box for searches that suggests as somebody types: places, and words of the query language.

Its Enter presses the button beside it, and the arrows go through what is suggested: `static/console.js`, by the keys of
the containers. A box that sends what is typed sends nothing more on Enter.
"""

from collections.abc import Callable

import streamlit as st

from services.connection.errors import ServiceError
from services.estate.search import Hit, Known
from services.estate.suggestions import LEAST_CHARACTERS, SearchedIndex, Suggestion, suggest
from ui.elements.notices import ticking, typing
from ui.elements.text import plain
from ui.estate.places import Place, place_of_registry
from ui.loaders import index as index_loader
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.runtime.background import TICK_S

# How long nothing is typed until it is looked up.
_PAUSE = "250ms"
_CHOSEN = "the place that was chosen among suggestions"


@typing
def suggesting_box(
    who: str,
    label: str,
    on_search: Callable[[str], None],
    *,
    key: str,
    placeholder: str,
    tip: str,
    width: int | None = None,
    searched: str = "",
    on_open: Callable[[], None] = lambda: None,
) -> None:
    """The box with the label and the key, its button, and below it what is suggested for what is typed so far.

    `on_search` gets what is searched for, before the page runs again; `searched`: what the page shows already, of which
    nothing is suggested. `on_open` is called before the page of a suggestion is opened.
    """
    with st.container(key=f"suggesting {key}", gap="xsmall"):
        with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center"):
            text = st.text_input(
                label,
                key=key,
                type="search",
                placeholder=placeholder,
                label_visibility="collapsed",
                live=_PAUSE,
                width=width or "stretch",
            )
            submitted = st.button("", icon=":material/arrow_forward:", help=tip, key=f"search by {key}")
        text = text or ""
        if place := st.session_state.pop(f"{_CHOSEN} {key}", None):
            on_open()
            page, query = place
            open_page(page, **query)
        if submitted:
            on_search(text.strip())
            st.rerun()
        if text.strip() and text.strip() != searched:
            _show_suggestions(who, key, text)


def _show_suggestions(who: str, key: str, text: str) -> None:
    reading = registry_loaders.inventory(who)
    if reading.running and len(text.strip()) >= LEAST_CHARACTERS:
        reading.finished.wait(reading.moment)
    listed = reading.value.registries.values
    try:
        found = suggest(Known(listed, (), reading.value.catalogues), _index_of(who), text)
    except ServiceError:  # What is suggested promises nothing: the search says what could not be read.
        found = suggest(Known(listed, (), reading.value.catalogues), None, text)
    if found:
        with st.container(key=f"suggestions {key}", gap=None):
            for one in found:
                if one.hit and one.hit.registry:
                    place = place_of_registry(one.hit.registry, listed, one.hit.repository, one.hit.reference)
                    _offer_place(key, one.hit, place)
                else:
                    _offer_word(key, one)
    if reading.running:
        _wait(who)


def _offer_place(key: str, hit: Hit, place: Place) -> None:
    """What is pressed is what was shown then, whatever has been typed since."""

    def choose() -> None:
        st.session_state[f"{_CHOSEN} {key}"] = place

    page, query = place
    st.button(
        f"{plain(hit.title)} · :small[{plain(hit.where)}]",
        icon=page.icon,
        type="tertiary",
        key=f"suggested {hit.kind} {query} {key}",
        on_click=choose,
    )


def _offer_word(key: str, one: Suggestion) -> None:
    def complete() -> None:
        st.session_state[key] = one.text

    word = one.text.split(" ")[-1]
    st.button(
        f"`{word}`", icon=pages.SEARCH.icon, type="tertiary", key=f"completes {one.text} {key}", on_click=complete
    )


def _index_of(who: str) -> SearchedIndex:
    return SearchedIndex(index_loader.store_of(who), index_loader.scope(who), index_loader.readable_by(who))


@ticking(TICK_S)
def _wait(who: str) -> bool:
    """Until all names are known, of which some may be meant."""
    st.markdown(":small[reading registries]")
    return not registry_loaders.inventory(who).running
