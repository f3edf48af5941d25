"""Runs a page again as jobs go on, wherever they run."""

from collections.abc import Callable

import streamlit as st

from ui.elements.errors import panel
from ui.elements.notices import run_again

# Between two looks at the database.
FOLLOW_S = 2


@st.fragment(run_every=FOLLOW_S)
def rerun_on_change(read: Callable[[], object], shown: object) -> None:
    """Runs the page again once `read` returns something else than what is `shown`."""
    with panel():
        if read() != shown:
            run_again()
