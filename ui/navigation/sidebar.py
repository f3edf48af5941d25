"""The navigation in the sidebar: the sections with their pages, the one that is open marked."""

import streamlit as st

from ui.navigation.pages import PAGES, PageLink


def show_navigation(current: PageLink) -> None:
    """A link to each listed page, by section. Streamlit marks the open page; of one that is not listed, its parent is
    bold."""
    parent = current.parent or current
    section = ""
    for page in (one for one in PAGES if not one.parent):
        if page.section != section:
            section = page.section
            st.markdown(f":small[{section}]")
        label = f":primary[**{page.title}**]" if page is parent else page.title
        st.page_link(page.path, label=label, icon=page.icon, width="stretch")
