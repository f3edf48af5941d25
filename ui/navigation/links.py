"""Links between pages. `query` is that of the page's address: `registry=`, `repository=` …"""

from typing import NoReturn

import streamlit as st

from ui.elements.text import plain
from ui.navigation.pages import PageLink


def link_to(page: PageLink, label: str = "", **query: str) -> None:
    """A link to `page`, labelled with its title unless a `label` (markdown) is given."""
    st.page_link(page.path, label=label or page.title, icon=page.icon, query_params=query or None)


def open_page(page: PageLink, **query: str) -> NoReturn:
    """Switches to `page`; the current run ends."""
    st.switch_page(page.path, query_params=query)


def crumb(page: PageLink, label: str = "", **query: str) -> None:
    """A link back to a page above this one. `label` is text of others, such as a repository's name."""
    label = plain(label or page.title)
    st.page_link(page.path, label=label, icon=":material/arrow_back:", query_params=query or None)


def back(page: PageLink, label: str = "", **query: str) -> None:
    """As `crumb`, to the same page with less in its address: a page link would not change the browser's address."""
    if st.button(plain(label or page.title), icon=":material/arrow_back:", type="tertiary"):
        open_page(page, **query)
