"""Clean-up potential: the repositories with most untagged bytes over all registries. Measured when it is asked for."""

from collections.abc import Sequence

import pyarrow as pa
import streamlit as st

from services.connection.parallel import Partial
from services.estate.potential import Potential, Waste
from services.pricing.money import money
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import Sizes, money_column
from ui.elements.errors import Part, show_partial
from ui.elements.notices import run_again
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.text import plain, size
from ui.estate.places import place_of_registry
from ui.loaders import contents
from ui.navigation import pages
from ui.navigation.links import link_to, open_page
from ui.runtime.background import show_progress

_SHOWN = 20
_MOST_UNLISTED = 5


def show_potential(who: str, registries: Sequence[Registry], repositories: int, potential: Potential) -> None:
    """What is known, and the button that measures all registries. `repositories`: in the catalogues that were read."""
    reachable = {one.login_server: one.name for one in registries if one.login_server}
    reading = contents.measuring(who)
    if reading and reading.running:
        show_progress(reading, "measure", stop="Stop measuring")
        if not reading.running:
            run_again()  # `potential` is older than what was measured meanwhile.
    running = bool(reading and reading.running)
    left = len(reachable) - potential.measured
    if left and not running:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Measure clean-up potential",
                icon=":material/straighten:",
                on_click=contents.measure_all,
                args=(who, reachable),
            )
            st.markdown(
                f":small[{left:,} of {counted(len(reachable), 'registry', 'registries')} not measured. "
                f"Reads every manifest of {counted(repositories, 'repository', 'repositories')}]",
                width="content",
            )
    if potential.measured:
        st.markdown(_freed_words(potential, len(registries)))
    if reading and not running:
        show_partial(Part(Partial((), reading.lacks), "registry", "registries"))
    for registry, why in potential.unread:
        st.markdown(f":small[:material/help: {plain(registry.name)} is unknown. {plain(why)}]")
    for registry, unlisted in potential.unlisted[:_MOST_UNLISTED]:
        _, query = place_of_registry(registry, registries)
        label = f"**{size(unlisted)} not in any listed image** · {plain(registry.name)}"
        link_to(pages.STORAGE, label, **query)
    if not potential.waste:
        if potential.measured and not running:
            all_of = "" if potential.measured < len(reachable) else "all "
            number = counted(potential.measured, "registry", "registries")
            empty(":material/check_circle:", "Nothing is untagged", f"In {all_of}{number} measured.")
        return
    _show_waste(potential.waste, registries)


def _freed_words(potential: Potential, of: int) -> str:
    """'**≥ 12 GiB** untagged in 3 of 12 registries: EUR 1.60 a month'."""
    least = "≥ " if potential.measured < of else ""
    saved = _saved_words(potential)
    return (
        f"**{least}{size(potential.bytes)}** untagged in {potential.measured:,} of "
        f"{counted(of, 'registry', 'registries')}{': ' if saved else ''}{saved}"
    )


def _saved_words(potential: Potential) -> str:
    """'EUR 1.60 a month', or that nothing is saved, or that it is unknown."""
    parts = [
        f"{money(one.amount, one.currency)} a month" if one.amount else "within the included storage"
        for one in potential.savings
        if one.amount is not None
    ]
    unknown = [f"saving {one.why}" for one in potential.savings if one.amount is None]
    return "; ".join((*parts, *unknown))


def _show_waste(waste: Sequence[Waste], registries: Sequence[Registry]) -> None:
    shown = waste[:_SHOWN]
    currencies = sorted({one.saving.currency for one in shown if one.saving.amount is not None})
    picked = openable(
        shown,
        lambda one: {
            "Repository": one.repository,
            "Registry": one.registry.name,
            "Untagged": one.bytes,
            "Saved a month": None if one.saving.amount is None else float(one.saving.amount),
            "Note": one.saving.why,
        },
        "waste",
        "Repositories by untagged bytes, the most first",
        columns={
            "Untagged": Sizes("What no tag leads to, and no other repository holds"),
            "Saved a month": money_column(
                "If only this repository is cleaned up, at list prices or those of the price sheet: what is beyond the "
                "included storage, and all of it in replicas"
            )
            | {"label": f"Saved a month ({', '.join(currencies) or 'no price'})"},
        },
        types={"Saved a month": pa.float64()},
        identity=lambda one: (one.registry.id, one.repository),
    )
    if picked:
        _, query = place_of_registry(picked.registry, registries, picked.repository)
        open_page(pages.CLEAN_UP, **query, leftovers="true")
    if len(waste) > _SHOWN:
        st.caption(f"The {_SHOWN} with most of {counted(len(waste), 'repository', 'repositories')}.")
