"""What a page can be opened on, as links: for a page whose URL does not name it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from ui.navigation.links import wide_link_to
from ui.navigation.pages import PageLink

# More are found faster by typing.
MOST = 60
LINK_PX = 260


def show_choices(
    page: PageLink, heading: str, choices: Sequence[tuple[str, Mapping[str, str]]], *, kept: bool, elsewhere: str
) -> None:
    """Links that open `page` on each choice: its label (markdown) and its query. `kept`: with the rest of the open
    page's query. `elsewhere` says where all can be chosen, if they are too many."""
    st.subheader(heading, anchor=False)
    query = {name: st.query_params.get_all(name) for name in st.query_params} if kept else {}
    with st.grid("auto", min_column_width=LINK_PX, gap="small"):
        for label, named in choices[:MOST]:
            wide_link_to(page, label, {**query, **named})
    if len(choices) > MOST:
        st.markdown(f"{len(choices) - MOST:,} more: {elsewhere}")
