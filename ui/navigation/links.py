"""Links between pages. `query` is that of the page's address: `registry=`, `repository=` …"""

from collections.abc import Mapping
from functools import partial
from typing import NoReturn

import streamlit as st

from ui.elements.page import Step
from ui.elements.text import plain
from ui.navigation.pages import INVENTORY, REGISTRY, REPOSITORY, PageLink


def link_to(page: PageLink, label: str = "", *, tip: str = "", **query: str | list[str]) -> None:
    """A link to `page`, labelled with its title unless a `label` (markdown) is given. `tip` (markdown) is shown beside
    the pointer."""
    st.page_link(page.path, label=label or page.title, icon=page.icon, help=tip or None, query_params=query or None)


def wide_link_to(page: PageLink, label: str, query: Mapping[str, str | list[str]]) -> None:
    """A link as wide as its place, for one of many. `label` is markdown."""
    st.page_link(page.path, label=label, icon=page.icon, width="stretch", query_params=query)


def open_page(page: PageLink, **query: str | list[str]) -> NoReturn:
    """Switches to `page`; the current run ends."""
    st.switch_page(page.path, query_params=query)


def change_query(**query: str) -> NoReturn:
    """Runs the page that is open again with these parameters in its address, without those that are ""; the others
    stay. `open_page` can't name one that a widget of the page is bound to, such as its tab."""
    for name, value in query.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    st.rerun()


def open_by_button(page: PageLink, label: str = "", **query: str) -> None:
    """The primary button of a page's head, which leads to `page`."""
    if st.button(label or page.title, icon=page.icon, type="primary"):
        open_page(page, **query)


def step(page: PageLink, label: str = "", **query: str) -> Step:
    """A step of a page's path, which opens `page`. `label` is text of others, such as a repository's name."""
    return partial(st.page_link, page.path, label=plain(label or page.title), query_params=query or None)


def last_step(label: str) -> Step:
    """The last step of a path, the page itself: no link. `label` is text of others."""
    return partial(st.markdown, f":small[:gray[{plain(label)}]]", width="content")


def registry_steps(name: str, registry: str, repository: str = "") -> tuple[Step, ...]:
    """The steps to the registry of that name, `registry` in the URL, and to a repository of it where one is named."""
    below = (step(REPOSITORY, repository, registry=registry, repository=repository),) if repository else ()
    return (step(INVENTORY, "Registries"), step(REGISTRY, name, registry=registry), *below)
