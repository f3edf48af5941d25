"""The search that is on every page: what is named exactly, or found alone, is opened; several are listed below."""

from dataclasses import dataclass, replace
from typing import NoReturn

import streamlit as st

from services.connection.errors import ServiceError
from services.estate.references import digest_prefix
from services.estate.search import Found, Hit, HitKind, Known, KnownManifest, find, shortened, without_reference
from services.index.query import has_fields
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.notices import ticking
from ui.elements.text import plain
from ui.estate.places import Place, place_of_cluster, place_of_registry
from ui.estate.suggestions import suggesting_box
from ui.loaders import clusters as cluster_loaders
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import Inventory
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.runtime.background import TICK_S, Reading

BOX = "search everything"
# The button is beside it.
_BOX_PX = 155
_QUESTION = "what is searched for"
_EMPTY_BOX = "the search box is emptied"
_INDEXED = "what is searched for in the index"


@dataclass(frozen=True)
class _Result:
    """A hit as it is listed, and its place."""

    title: str
    where: str
    place: Place


@dataclass(frozen=True)
class _Answer:
    """What a text found. `missing`: what it names is not there, `results` are the nearest. `unread`: what was not
    searched."""

    results: tuple[_Result, ...]
    missing: str = ""
    unread: str = ""


@dataclass(frozen=True)
class _Question:
    """`text` was searched for on `page`. `open_best`: what alone can be meant is opened as soon as it is known.
    `answer`: once all is read, so that the pages that follow neither read nor search again."""

    text: str
    page: str
    open_best: bool = True
    answer: _Answer | None = None


def show_search(who: str, page: str) -> None:
    """The box, and what the last text found. `page`: the address of the page that is shown.

    Nothing is read before something is searched for. Opens a page, and ends the run, where the best is known.
    """
    if st.session_state.pop(_EMPTY_BOX, False):
        st.session_state[BOX] = ""
    asked: _Question | None = st.session_state.get(_QUESTION)
    suggesting_box(
        who,
        "Find anything",
        lambda text: _ask(text, page),
        key=BOX,
        placeholder="Search",
        tip="Registry, repository, cluster, digest, or a pasted image reference, `docker pull` line, resource id "
        "or portal address",
        width=_BOX_PX,
        searched=asked.text if asked else "",
        on_open=_close,
    )
    if text := st.session_state.pop(_INDEXED, ""):
        _open_index(text)
    question: _Question | None = st.session_state.get(_QUESTION)
    if not question:
        return
    if question.page != page:
        question = st.session_state[_QUESTION] = replace(question, page=page, open_best=False)
    if question.answer:
        _show(question, question.answer)
    else:
        _search(who, question)


def _ask(text: str, page: str) -> None:
    """What the page that runs next looks for."""
    if text and has_fields(text):
        st.session_state[_INDEXED] = text
    st.session_state[_QUESTION] = _Question(text, page) if text and not has_fields(text) else None


def _search(who: str, question: _Question) -> None:
    inventory, pulls = registry_loaders.inventory(who), cluster_loaders.pulls(who)
    if question.open_best:
        for reading in (inventory, pulls):
            reading.finished.wait(reading.moment)
    running = inventory.running or pulls.running
    registries, clusters = inventory.value.registries.values, pulls.value.clusters.values
    known = Known(registries, clusters, inventory.value.catalogues, _manifests(who, registries))
    found = find(known, question.text)
    if question.open_best and (only := found.only) and (found.certain or not running):
        found = _look(who, found, only)

    def answer() -> _Answer:
        results = []
        for hit in found.hits:
            if hit.cluster:
                place = place_of_cluster(hit.cluster, clusters)
            else:
                assert hit.registry
                place = place_of_registry(hit.registry, registries, hit.repository, hit.reference)
            results.append(_Result(hit.title, f"{hit.kind} in {hit.where}", place))
        return _Answer(tuple(results), found.missing, "" if running else _unread(inventory, pulls))

    if running and not found.certain:
        if found.missing:
            found = Found()  # It may be in what is still being read.
        _show(question, answer(), inventory, pulls)
        return
    question = st.session_state[_QUESTION] = replace(question, answer=answer())
    if question.open_best and not found.hits and digest_prefix(question.text):
        st.session_state[_QUESTION] = None
        _open_index(question.text)
    if question.open_best and found.only:
        # With others beside it, they stay listed: the best may not be what was meant.
        others = len(found.hits) > 1
        st.session_state[_QUESTION] = replace(question, open_best=False) if others else None
        st.session_state[_EMPTY_BOX] = True
        page, query = answer().results[0].place
        open_page(page, **query)
    _show(question, answer())


def _show(
    question: _Question,
    answer: _Answer,
    inventory: Reading[Inventory] | None = None,
    pulls: Reading[Pulls] | None = None,
) -> None:
    """The results, closed where the best was opened; `inventory` and `pulls` while they are being read."""
    number = counted(len(answer.results), "result") if answer.results else "No results"
    label = answer.missing or f"{number} for {shortened(question.text)}"
    opened = question.open_best or bool(answer.missing)
    with st.expander(plain(label), expanded=opened, icon=":material/manage_search:"), st.container(gap="xsmall"):
        if inventory and pulls:
            _wait(inventory, pulls)
        if answer.missing and answer.results:
            st.markdown(":small[Nearest]")
        for at, result in enumerate(answer.results):
            page, query = result.place
            # No page link: one from a page to itself does not change the browser's address.
            with st.container(gap=None):
                if st.button(plain(result.title), icon=page.icon, type="tertiary", key=f"{BOX} {at}"):
                    open_page(page, **query)
                st.markdown(f":small[{plain(result.where)}]")
        if answer.unread:
            st.markdown(f":small[{answer.unread} could not be read]")
        if st.button("Search all tags and images", icon=pages.SEARCH.icon, type="tertiary"):
            _open_index(question.text)
        st.button("Close search", icon=":material/close:", type="tertiary", on_click=_close)


def _manifests(who: str, registries: tuple[Registry, ...]) -> tuple[KnownManifest, ...]:
    """The manifests of the registries whose contents were read."""
    return tuple(
        KnownManifest(registry.id, of_one.name, row.digest, row.tags)
        for registry in registries
        if (count := contents.last_count(who, registry.login_server))
        for of_one in count.contents.values
        for row in of_one.rows
    )


def _look(who: str, found: Found, hit: Hit) -> Found:
    """`found`, or that its best, an image, is not in its repository. Reads what the image's page would read first."""
    if hit.kind is not HitKind.IMAGE or not hit.registry:
        return found
    server, name = hit.registry.login_server, hit.repository
    try:
        if ":" in hit.reference:
            image_loaders.manifest_row(who, server, name, hit.reference)
        else:
            image_loaders.tag(who, server, name, hit.reference)
    except ServiceError as error:
        if error.status == 404:
            return without_reference(hit, _tags(who, server, name))
    return found  # Also where it can't be read: the image's page says why.


def _tags(who: str, server: str, name: str) -> tuple[str, ...]:
    try:
        return tuple(tag.name for tag in image_loaders.newest_tags(who, server, name).tags)
    except ServiceError:
        return ()


def _open_index(text: str) -> NoReturn:
    """Opens the page that searches the index, which answers what is not known here."""
    st.session_state[_EMPTY_BOX] = True
    open_page(pages.SEARCH, q=text)


def _close() -> None:
    st.session_state[_QUESTION] = None
    st.session_state[_EMPTY_BOX] = True


@ticking(TICK_S)
def _wait(inventory: Reading[Inventory], pulls: Reading[Pulls]) -> bool:
    """What is still read; the page runs again as more of it is in."""
    registries, read = inventory.value.registries.values, len(inventory.value.catalogues)
    seen = f"{BOX}: seen"
    now = (inventory.running, pulls.running, 10 * read // max(1, len(registries)))
    more = bool(st.session_state.setdefault(seen, now) != now)
    st.session_state[seen] = now
    parts = (
        (f"{read:,} of {len(registries):,} catalogues read" if registries else "reading registries")
        if inventory.running
        else "",
        "reading clusters" if pulls.running else "",
    )
    st.markdown(f":small[{', '.join(part for part in parts if part)}]")
    return more or not (inventory.running or pulls.running)


def _unread(inventory: Reading[Inventory], pulls: Reading[Pulls]) -> str:
    """What was not searched, as it could not be read: '1 subscription, 1 registry's catalogue'. A subscription that
    refuses both lists is one."""
    lists = (inventory.value.registries, pulls.value.clusters)
    names = {refusal.what for partial in lists for refusal in partial.refused}
    subscriptions = len(names) + sum(partial.untried for partial in lists)
    counts = inventory.value.counts
    catalogues = len(counts.refused) + counts.untried
    parts = (
        "registries" if inventory.error else "",
        "clusters" if pulls.error else "",
        counted(subscriptions, "subscription") if subscriptions else "",
        counted(catalogues, "registry's catalogue", "registries' catalogues") if catalogues else "",
    )
    return ", ".join(part for part in parts if part)
