"""The search that is on every page: what is typed or pasted is opened, and what else it finds is listed below."""

from dataclasses import dataclass, replace

import streamlit as st

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.estate.search import Found, Hit, HitKind, Known, KnownManifest, find, without_reference
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.text import plain
from ui.estate.places import Place, place_of_cluster, place_of_registry
from ui.loaders import clusters as cluster_loaders
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import Inventory
from ui.navigation.links import open_page
from ui.runtime import background
from ui.runtime.background import TICK_S, Reading

BOX = "search everything"
# In a wider box Streamlit writes "Press Enter to submit form" over the text.
_BOX_PX = 155
_QUESTION = "what is searched for"
_EMPTY_BOX = "the search box is emptied"


@dataclass(frozen=True)
class _Question:
    """`text` was searched for on `page`. `open_best`: the best is opened as soon as it is known."""

    text: str
    page: str
    open_best: bool = True


def show_search(who: str, page: str) -> None:
    """The box, and what the last text found. `page`: the address of the page that is shown.

    Nothing is read before something is searched for. Opens a page, and ends the run, where the best is known.
    """
    if st.session_state.pop(_EMPTY_BOX, False):
        st.session_state[BOX] = ""
    with (
        st.form("search", border=False),
        st.container(horizontal=True, gap="xxsmall", vertical_alignment="center"),
    ):
        text = st.text_input(
            "Find anything",
            key=BOX,
            type="search",
            placeholder="Search",
            label_visibility="collapsed",
            width=_BOX_PX,
        )
        submitted = st.form_submit_button(
            "",
            icon=":material/arrow_forward:",
            help="Registry, repository, cluster, digest, or a pasted image reference, `docker pull` line, resource id "
            "or portal address",
        )
    if submitted:
        st.session_state[_QUESTION] = _Question(text.strip(), page) if text and text.strip() else None
    question: _Question | None = st.session_state.get(_QUESTION)
    if question:
        if question.page != page:
            question = st.session_state[_QUESTION] = replace(question, page=page, open_best=False)
        _answer(who, question)


def _answer(who: str, question: _Question) -> None:
    inventory, pulls = registry_loaders.inventory(who), cluster_loaders.pulls(who)
    if question.open_best:
        for reading in (inventory, pulls):
            reading.finished.wait(background.BLINK_S)
    registries, clusters = inventory.value.registries.values, pulls.value.clusters.values
    known = Known(registries, clusters, inventory.value.catalogues, _manifests(who, registries))
    found = find(known, question.text)
    running = inventory.running or pulls.running
    decided = found.certain or not running

    def place_of(hit: Hit) -> Place:
        if hit.cluster:
            return place_of_cluster(hit.cluster, clusters)
        assert hit.registry
        return place_of_registry(hit.registry, registries, hit.repository, hit.reference)

    if question.open_best and decided and found.hits and not found.missing:
        best = found.hits[0]
        found = _look(who, found, best)
        if not found.missing:
            # With others beside it, they stay listed: the best may not be what was meant.
            others = len(found.hits) > 1
            st.session_state[_QUESTION] = replace(question, open_best=False) if others else None
            st.session_state[_EMPTY_BOX] = True
            page, query = place_of(best)
            open_page(page, **query)
    elif found.missing and running:
        found = Found()  # It may be in what is still read.
    results = counted(len(found.hits), "result") if found.hits else "No results"
    label = found.missing or f"{results} for {question.text[:40]}"
    opened = question.open_best or bool(found.missing)
    with st.expander(plain(label), expanded=opened, icon=":material/manage_search:"), st.container(gap="xsmall"):
        if running and not found.certain:
            _wait(inventory, pulls)
        if found.missing and found.hits:
            st.markdown(":small[Nearest]")
        for number, hit in enumerate(found.hits):
            page, query = place_of(hit)
            # No page link: one from a page to itself does not change the browser's address.
            with st.container(gap=None):
                if st.button(plain(hit.title), icon=page.icon, type="tertiary", key=f"{BOX} {number}"):
                    open_page(page, **query)
                st.markdown(f":small[{hit.kind} in {plain(hit.where)}]")
        if not running:
            _show_unread(inventory.value, pulls.value.clusters)
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


def _close() -> None:
    st.session_state[_QUESTION] = None
    st.session_state[_EMPTY_BOX] = True


@st.fragment(run_every=TICK_S)
def _wait(inventory: Reading[Inventory], pulls: Reading[Pulls]) -> None:
    """What is still read; the page runs again as more of it is in."""
    registries, read = inventory.value.registries.values, len(inventory.value.catalogues)
    seen = f"{BOX}: seen"
    now = (inventory.running, pulls.running, 10 * read // max(1, len(registries)))
    if st.session_state.setdefault(seen, now) != now:
        st.session_state[seen] = now
        st.rerun()
    parts = (
        (f"{read:,} of {len(registries):,} catalogues read" if registries else "reading registries")
        if inventory.running
        else "",
        "reading clusters" if pulls.running else "",
    )
    st.markdown(f":small[{', '.join(part for part in parts if part)}]")


def _show_unread(inventory: Inventory, clusters: Partial[Cluster]) -> None:
    """What was not searched, as it could not be read. A subscription that refuses both lists is one."""
    lists = (inventory.registries, clusters)
    names = {refusal.what for partial in lists for refusal in partial.refused}
    subscriptions = len(names) + sum(partial.untried for partial in lists)
    catalogues = len(inventory.counts.refused) + inventory.counts.untried
    parts = (
        counted(subscriptions, "subscription") if subscriptions else "",
        counted(catalogues, "registry's catalogue", "registries' catalogues") if catalogues else "",
    )
    if unread := ", ".join(part for part in parts if part):
        st.markdown(f":small[{unread} could not be read]")
