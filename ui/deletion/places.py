"""The parts of a page that shows a plan of a deletion: the confirmation is in sight, however much the plan lists."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.elements.errors import panel
from ui.elements.writing import Plan, confirm


@dataclass(frozen=True)
class Places:
    """From the top of the page: blockers and warnings, figures, the confirmation, what is folded, the lists, and the
    shell lines."""

    notices: DeltaGenerator
    figures: DeltaGenerator
    question: DeltaGenerator
    folded: DeltaGenerator
    lists: DeltaGenerator
    commands: DeltaGenerator


def make_places() -> Places:
    """Makes the places, empty, from here downwards."""
    return Places(*(st.container() for _ in range(6)))


def confirm_deletion(
    places: Places,
    plan: Plan,
    label: str,
    meaning: str,
    start: Callable[[], None],
    cancel: Callable[[], None],
    *,
    typed: str = "",
    ready: bool = True,
    effect: object = None,
) -> None:
    """Asks for the confirmation of a plan (see `confirm`), and calls `start` once it is given. `meaning`: what the
    change means for who pulls, a sentence."""
    with places.question, st.container(border=True), panel():
        st.markdown(meaning)
        if confirm(
            plan,
            label,
            typed=typed,
            ready=ready,
            icon=":material/delete_forever:",
            in_dialog=False,
            notices=places.notices,
            commands=places.commands,
            cancel=cancel,
            effect=effect,
        ):
            start()
