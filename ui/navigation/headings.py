"""What a page is called before anything of Azure is read: its title and path as the URL alone has them."""

from collections.abc import Iterable
from urllib.parse import urlencode

import streamlit as st

from services.wording import counted
from ui.elements.page import Step, announce
from ui.elements.text import plain, short
from ui.navigation import pages
from ui.navigation.links import last_step, registry_steps, step
from ui.navigation.pages import PageLink

# What is named by these is what the page is about; other parameters are its filters and tabs.
_SUBJECT = (
    *("registry", "repository", "reference", "with", "with_registry", "with_repository"),
    *("token", "webhook", "task", "run", "record"),
)


def show_heading(page: PageLink) -> None:
    """The title and the path of `page` for the URL, with the outline of what comes, until the page has its header."""
    title, path = heading_of(page)
    query = {name: st.query_params.get_all(name) for name in _SUBJECT}
    announce(title, path, f"{page.url_path}?{urlencode(query, doseq=True)}")


def heading_of(page: PageLink, name: str = "") -> tuple[str, tuple[Step, ...]]:
    """The title (markdown) and the path that the header of `page` has for the URL; `name` of the registry once known:
    the URL may have its login server."""
    key, repository = st.query_params.get("registry", ""), st.query_params.get("repository", "")
    if not key:
        return page.title, ()
    called = name or key
    steps = registry_steps(called, key)
    if page is pages.REGISTRY:
        return plain(key), (*steps[:-1], last_step(key))
    if page is pages.SETTINGS:
        return f"Settings of {plain(key)}", (*steps, last_step(page.title))
    if page is pages.ACCESS_REVIEW:
        return f"Access to {plain(called)}", (*steps, last_step(page.title))
    if page is pages.ASSIGN_ROLE:
        above = step(pages.ACCESS_REVIEW, registry=key)
        return f"{page.title} on {plain(called)}", (*steps, above, last_step(page.title))
    if page is pages.STORAGE:
        return f"Storage of {plain(key)}", (*steps, last_step(page.title))
    if page is pages.SIGN_IN:
        return f"Sign in to {plain(key)}", (*steps, last_step(page.title))
    if page is pages.CLEAN_UP and not repository:
        return f"{page.title} of {plain(key)}", (*steps, last_step(page.title))
    if page in (pages.WEBHOOKS, pages.REPLICAS, pages.TOKENS, pages.TASKS):
        return _within(page, key)
    if page in (pages.REPOSITORY, pages.IMAGE, pages.COMPARE, pages.DELETE, pages.CLEAN_UP) and repository:
        return _of_repository(page, key, repository)
    return page.title, ()


def _titles(repository: str, references: Iterable[str]) -> list[str]:
    """How an image is called in a title: by its tag, or by the start of its digest."""
    return [f"{repository}@{short(one)}" if ":" in one else f"{repository}:{one}" for one in references]


def _within(page: PageLink, key: str) -> tuple[str, tuple[Step, ...]]:
    steps = registry_steps(key, key)
    name = "" if page is pages.REPLICAS else st.query_params.get(page.url_path.removesuffix("s"), "")
    run = st.query_params.get("run", "") if page is pages.TASKS else ""
    if name or run:
        title = f"Run {run}" if run else name
        return plain(title), (*steps, step(page, registry=key), last_step(run or name))
    return page.title, (*steps, last_step(page.title))


def _of_repository(page: PageLink, key: str, repository: str) -> tuple[str, tuple[Step, ...]]:
    below = registry_steps(key, key, repository)
    references = st.query_params.get_all("reference")
    repositories = set(st.query_params.get_all("repository"))
    if len(repositories) > 1 and not references and page in (pages.CLEAN_UP, pages.DELETE):
        several = counted(len(repositories), "repository", "repositories")
        title = f"{page.title} of {several}" if page is pages.CLEAN_UP else f"Delete {several}"
        return title, (*registry_steps(key, key), last_step(page.title))
    named = _titles(repository, references)
    if page is pages.REPOSITORY:
        return plain(repository), (*below[:-1], last_step(repository))
    if page is pages.CLEAN_UP:
        return f"{page.title} of {plain(repository)}", (*below, last_step(page.title))
    labels = [short(one) if ":" in one else one for one in references[:1]]
    if page is pages.IMAGE:
        return plain("".join(named[:1]) or repository), (*below, *(last_step(label) for label in labels))
    if page is pages.COMPARE:
        above = (
            (step(pages.IMAGE, labels[0], registry=key, repository=repository, reference=references[0]),)
            if labels
            else ()
        )
        return page.title, (*below, *above, last_step(page.title))
    title = counted(len(named), "image") if len(named) > 1 else "".join(named) or repository
    image = [
        step(pages.IMAGE, label, registry=key, repository=repository, reference=references[0])
        for label in labels
        if len(references) == 1
    ]
    return f"Delete {plain(title)}", (*below, *image, last_step(page.title))
