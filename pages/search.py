"""Search over all registries: by name, tag, digest, label, base image, layer, size and age, in the console's index."""

import re
from collections.abc import Sequence

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.index.index_jobs import targets_of
from services.index.query import EXAMPLES, Query, QueryError, digest_prefix, parse
from services.index.scope import NOT_INDEXED, IndexCount, IndexedRegistry, Scope, count_states, examples_of
from services.index.search import FoundImage
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.page import empty, header
from ui.elements.skeleton import Shape
from ui.elements.table import UTC, show_rows
from ui.elements.text import ago, exact, plain
from ui.estate.suggestions import suggesting_box
from ui.index.indexing import index_menu, show_indexing
from ui.index.results import ImageColumn, changed_line, show_results
from ui.loaders import index as loader
from ui.loaders import registries as registry_loaders
from ui.loaders.pulls import estate_pulls
from ui.navigation import pages
from ui.navigation.url_choice import nearest
from ui.pulls.columns import LAST, PullsOf, last_pull_column, last_pull_text, pull_cells
from ui.runtime import connection
from ui.runtime.background import show_progress

SHOWN = "the search that the address names"
# Registries in a sentence; the rest is counted.
NAMED = 3
# Names that a word is compared with: of more it takes seconds.
MOST_NAMES = 5000

who = connection.who()
reading = registry_loaders.inventory(who)


def refresh() -> None:
    registry_loaders.inventory.clear(who)
    loader.forget(who)
    estate_pulls.clear(who)


def search_for(given: str) -> None:
    st.session_state[SHOWN] = given
    if given:
        st.query_params["q"] = given
    else:
        st.query_params.pop("q", None)


def go_to(given: str) -> None:
    """Searches for a text that was not typed: the box gets it too."""
    st.query_params["q"] = given


def offer(given: str) -> None:
    st.button(
        f"Search {plain(given)}", icon=":material/arrow_forward:", key=f"offer {given}", on_click=go_to, args=(given,)
    )


def with_word(given: str, word: str, near: str) -> str:
    """The text with `near` in place of the word, where it stands alone: it may be a part of another condition too."""
    return re.sub(rf"(?<!\S){re.escape(word)}(?!\S)", lambda _: near, given, count=1)


def offer_nearest_words(given: str, asked: Query) -> None:
    """Offers the search with the nearest name in place of each word that is in none."""
    names = loader.scope(who).words()
    if len(names) > MOST_NAMES:
        return
    for term in asked.of(""):
        known = any(term.value.casefold() in name.casefold() for name in names)
        near = None if known or digest_prefix(term.value) else nearest(term.value, names)
        if near:
            offer(with_word(given, term.value, near))


def last_pulls(asked: Query) -> ImageColumn | None:
    """The column of last pulls, where the search is about pulls and they are read."""
    if not (asked.of("pulled") or asked.without("pulled")) or reading.running:
        return None
    logs = estate_pulls(who).value

    def last(one: FoundImage) -> float | None:
        known = logs.get(one.registry.id)
        digests = (one.digest, *one.listed)
        return pull_cells(PullsOf(known, one.repository), digests, one.every_tag)[LAST] if known else None

    return ImageColumn(LAST, last_pull_column(), last, lambda one: last_pull_text(last(one)))


def show_examples(scope: Scope) -> None:
    """Searches that find something, each of which runs at a click."""
    st.markdown("Try")
    with st.container(horizontal=True):
        for one in examples_of(scope):
            st.button(plain(one), key=f"example {one}", type="tertiary", on_click=go_to, args=(one,))


actions = header(pages.SEARCH.title, "", None if reading.running else reading.at, refresh)
text = st.query_params.get("q", "")
# What is typed is no search yet; an address that names another one replaces it.
if st.session_state.get(SHOWN) != text or "q" not in st.session_state:
    st.session_state["q"] = text
st.session_state[SHOWN] = text
suggesting_box(
    who,
    "Search",
    search_for,
    key="q",
    placeholder="A name, a tag, a digest, or annotation:team=payments size:>1GiB",
    tip="Conditions are all to be true: " + ", ".join(f"`{one}`" for one in (*EXAMPLES.values(), "untagged")),
    searched=text,
)
notice = st.container()
show_progress(reading, "inventory", shape=None if reading.value.registries.values else Shape.PAGE)
if reading.error:
    show_error(reading.error)
    st.stop()
registries = reading.value.registries.values
with actions:
    index_menu(who, registries)
show_indexing(who)


def query_of(given: str) -> Query | None:
    """The query; None where it is none, which is said."""
    try:
        return parse(given)
    except QueryError as error:
        with st.container(border=True):
            st.markdown(f":red[:material/error:] **{plain(error.why)}**")
            st.code(f"{given}\n{' ' * error.at}^", language=None)
            st.text(error.allowed)
            if error.instead:
                offer(error.instead)
        return None


def index_count(scope: Scope, listed: Sequence[Registry]) -> IndexCount:
    """How many of the registries are in the index."""
    found = {one.id: one.state for one in scope.registries.values()}
    least = reading.running or not reading.value.registries.complete
    return count_states((found.get(one.id, NOT_INDEXED) for one in targets_of(listed)), least=least)


def age_line(scope: Scope, listed: Sequence[Registry]) -> str:
    """'12 registries: 11 indexed, 1 not indexed, compared 3 hours ago or later'."""
    times = [one.read for one in scope.registries.values() if one.read]
    known = index_count(scope, listed).sentence
    return f"{known}, compared {ago(min(times))} or later" if times else known


def not_read(scope: Scope) -> str:
    """What of the indexed registries could not be read, in sentences (markdown); "" nothing."""
    lacking = sorted((one.name, one.unread) for one in scope.registries.values() if one.unread)
    said = "; ".join(f"{name}: {why}" for name, why in lacking[:NAMED])
    more = f"; and of {len(lacking) - NAMED:,} more registries" if len(lacking) > NAMED else ""
    return f" Not read: {plain(said)}{more}." if lacking else ""


def show_index(scope: Scope, listed: Sequence[Registry]) -> None:
    """Each registry with its age in the index, those that are not in it first."""
    found = {one.id: one for one in scope.registries.values()}

    def state(one: IndexedRegistry | None) -> str:
        words = (one.state if one else NOT_INDEXED).capitalize()
        return f"{words}: {one.unread}" if one and one.unread else words

    with st.expander(age_line(scope, listed), icon=":material/sync:"):
        show_rows(
            [
                {
                    "Registry": one.name,
                    "State": state(found.get(one.id)),
                    "Repositories": found[one.id].repositories if one.id in found else None,
                    "Compared": found[one.id].read if one.id in found else None,
                    "Subscription": one.subscription,
                }
                for one in sorted(
                    listed, key=lambda one: (one.id in found and found[one.id].read is not None, one.name)
                )
            ],
            "Registries, and when each was compared with the index",
            key="registries in the index",
            columns={"Compared": ago_column("When all of it was compared with the registry last")},
            types={"Compared": UTC},
        )


try:
    scope = loader.scope(who)
except ServiceError as error:
    show_error(error)
    st.stop()
indexed = [one for one in scope.registries.values() if one.read]
catalogues = Part(reading.value.counts, "registry's catalogue", "registries' catalogues")
unread: Partial[object] = Partial(())
query = query_of(text)
if query and (query.terms or query.untagged):
    with panel():
        for number, one in enumerate(loader.readings_of(who, query)):
            show_progress(one, f"usage {number}")
        found = loader.search(who, query)
        unread = Partial((), found.unread)
        if len(found.unknown) == 1:
            st.markdown(f":gray-badge[:material/help: Unknown] {plain(found.unknown[0])}")
        elif found.unknown:
            with st.expander(
                f"Unknown: {counted(len(found.unknown), 'reason')} why images may be missing", icon=":material/help:"
            ):
                for why in found.unknown:
                    st.text(why)
        if changed := changed_line(found):
            st.markdown(changed)
        if found.configs_unread:
            of = counted(found.configs_unread, "repository", "repositories")
            st.markdown(
                f":gray-badge[:material/help: Partial] Configs of images in {of} are not read yet: what only these say "
                "is not found. Index registries reads them, some in each run."
            )
        if found.number:
            show_results(found, registries, last_pulls(query))
        elif not indexed:
            empty(pages.SEARCH.icon, "No registry is indexed", "Index registries reads what each has, for this search.")
        elif reading.running:
            st.markdown("Nothing found so far: catalogues are still being read.")
        else:
            oldest = min(one.read for one in indexed if one.read)
            bases = f" {found.bases.sentence}" if found.bases else ""
            empty(
                ":material/search_off:",
                "Nothing found in what is known" if found.unknown else "Nothing found",
                f"{index_count(scope, registries).sentence}, compared since {exact(oldest)}. "
                f"What was pushed later is not in the index.{not_read(scope)}{bases}",
            )
            offer_nearest_words(text, query)
elif query and not indexed:
    empty(pages.SEARCH.icon, "No registry is indexed", "Index registries reads what each has, for this search.")
elif query:
    show_examples(scope)
if registries:
    show_index(scope, registries)
with notice:
    if not reading.running:
        show_partial(Part(reading.value.registries, "subscription"), catalogues, Part(unread, "registry", "registries"))
