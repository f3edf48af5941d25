"""Search over all registries: by name, tag, digest, label, base image, layer, size and age, in the console's index."""

from collections.abc import Sequence

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.index.index_jobs import targets_of
from services.index.query import EXAMPLES, Query, QueryError, parse
from services.index.scope import IndexedRegistry, Scope
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
from ui.index.results import changed_line, show_results
from ui.loaders import index as loader
from ui.loaders import registries as registry_loaders
from ui.loaders.pulls import estate_pulls
from ui.navigation import pages
from ui.runtime import connection
from ui.runtime.background import show_progress

SHOWN = "the search that the address names"

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
        return None


def age_line(scope: Scope, listed: Sequence[Registry]) -> str:
    """'11 of 12 registries in the index, the oldest compared 3 hours ago'."""
    times = [one.read for one in scope.registries.values() if one.read]
    least = "" if reading.value.registries.complete and not reading.running else "at least "
    of = f"{least}{counted(len(targets_of(listed)), 'registry', 'registries')}"
    known = f"{len(times):,} of {of} in the index"
    return f"{known}, compared {ago(min(times))} or later" if times else known


def show_index(scope: Scope, listed: Sequence[Registry]) -> None:
    """Each registry with its age in the index, those that are not in it first."""
    found = {one.id: one for one in scope.registries.values()}

    def state(one: IndexedRegistry | None) -> str:
        if one is None or not (one.read or one.tried):
            return "Not indexed"
        return f"Not read: {one.unread}" if one.unread else "Indexed"

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
            show_results(found, registries)
        elif not indexed:
            empty(pages.SEARCH.icon, "No registry is indexed", "Index registries reads what each has, for this search.")
        elif reading.running:
            st.markdown("Nothing found so far: catalogues are still being read.")
        else:
            oldest = min(one.read for one in indexed if one.read)
            missing = len(targets_of(registries)) - len(indexed)
            lacks = f" {counted(missing, 'registry is', 'registries are')} not indexed." if missing else ""
            empty(
                ":material/search_off:",
                "Nothing found in what is known" if found.unknown else "Nothing found",
                f"In {counted(len(indexed), 'indexed registry', 'indexed registries')}, compared since "
                f"{exact(oldest)}. What was pushed later is not in the index.{lacks}",
            )
elif query and not indexed:
    empty(pages.SEARCH.icon, "No registry is indexed", "Index registries reads what each has, for this search.")
elif query:
    st.markdown("Try " + " · ".join(f"`{one}`" for one in (*EXAMPLES.values(), "untagged")))
if registries:
    show_index(scope, registries)
with notice:
    if not reading.running:
        show_partial(Part(reading.value.registries, "subscription"), catalogues, Part(unread, "registry", "registries"))
