"""A registry's bill by repository, once all its manifests were read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import streamlit as st

from services.connection.parallel import Partial
from services.connection.resource_ids import same_id
from services.costs.by_repository import RepositoryCost, by_prefix, split_bill
from services.costs.review import Review, ReviewLine
from services.costs.tables import repository_table
from services.pricing.report import Table
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import show_error
from ui.elements.text import ago, plain
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation.selection import registry_box, show_unknown
from ui.pricing.report_table import show_table
from ui.runtime.background import show_progress


@dataclass(frozen=True)
class SharedOut:
    """A registry's line of the review, split by repository. `complete`: all of the registry was read."""

    line: ReviewLine
    costs: tuple[RepositoryCost, ...]
    complete: bool
    words: str


def shared_out(who: str, review: Review, registries: Iterable[Registry]) -> Mapping[str, SharedOut]:
    """By registry id in lower case, the registries whose contents were read already. Reads nothing."""
    found = {}
    lines = {line.registry_id: line for line in review.lines if line.figure is not None}
    for registry in registries:
        line = lines.get(registry.id.casefold())
        counted = contents.last_count(who, registry.login_server) if registry.login_server else None
        if line and line.figure is not None and counted:
            costs = split_bill(line.figure, counted.storage)
            if costs:
                words = f"By stored bytes, read {ago(counted.at)}."
                found[line.registry_id] = SharedOut(line, costs, counted.storage.complete, words)
    return found


def show_repository_bills(
    who: str, review: Review, registries: Partial[Registry], shares: Mapping[str, SharedOut]
) -> list[Table]:
    """Lets the reader choose a registry, and shows its bill by repository. Returns the tables of all that are known."""
    st.caption(
        "The registry's month, split by stored bytes. Layers of several repositories are split in proportion to how "
        "much shared content each one uses."
    )
    registry = registry_box(registries)
    show_unknown(registries)
    prefixes = st.toggle("Group by prefix", key="prefix", bind="query-params", help="team/api and team/web as team/")
    chosen = registry.id.casefold() if registry else ""
    if registry and chosen not in shares:
        _ask_to_read(who, registry, review)
    tables = [_table(one, prefixes) for one in shares.values()]
    for one, table in zip(shares.values(), tables, strict=True):
        if one.line.registry_id == chosen:
            if registry and (notice := registry_loaders.soft_delete(who, registry).notice):
                st.info(plain(notice), icon=":material/auto_delete:")
            show_table(table, f"repositories {chosen} {prefixes}")
    return tables


def _table(shared: SharedOut, prefixes: bool) -> Table:
    costs = by_prefix(shared.costs) if prefixes else shared.costs
    part = "" if shared.complete else " Not all of the registry could be read: the rest is not included."
    kind = "estimate" if shared.line.cost is None else "bill"
    note = f"{counted(len(costs), 'part')} of the month's {kind}. {shared.words}{part}"
    return repository_table(shared.line.name, costs, shared.line.currency, note)


def _ask_to_read(who: str, registry: Registry, review: Review) -> None:
    line = next((line for line in review.lines if same_id(line.registry_id, registry.id)), None)
    if line is None or line.figure is None:
        st.info(f"{plain(registry.name)} has no cost in this month to split.", icon=":material/info:")
        return
    asked = f"contents of {registry.id} for its bill"
    if not st.session_state.get(asked):
        st.markdown(f"To split its bill, all manifests of {plain(registry.name)} have to be read once.")
        if not st.button("Read repositories", icon=":material/database:"):
            return
        st.session_state[asked] = True
    reading = contents.registry(who, registry.login_server)
    show_progress(reading, asked)
    if reading.error:
        show_error(reading.error)
    elif not reading.running:
        counted = contents.last_count(who, registry.login_server)
        if counted and counted.storage.total:
            st.rerun()
        st.info(f"{plain(registry.name)} stores nothing that could be read.", icon=":material/info:")
