"""A registry's bill by repository, once all its manifests were read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import streamlit as st

from services.connection.parallel import Partial
from services.connection.resource_ids import same_id
from services.costs.by_repository import RepositoryCost, by_prefix, split_bill
from services.costs.review import Review, ReviewLine
from services.costs.tables import repository_table
from services.pricing.report import Table
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.bar_chart import show_bars
from ui.elements.errors import show_error
from ui.elements.notices import run_again
from ui.elements.text import ago, plain, size
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.selection import registry_named, show_registries, show_unknown
from ui.pricing.report_table import show_folded
from ui.runtime.background import show_progress


@dataclass(frozen=True)
class RepositoryBill:
    """A registry's line of the review, split by repository. `note` says when it was read, and what it lacks."""

    line: ReviewLine
    costs: tuple[RepositoryCost, ...]
    note: str
    partial: bool

    def table(self, *, prefixes: bool) -> Table:
        """As `repository_table`; `prefixes`: added up by prefix."""
        costs = by_prefix(self.costs) if prefixes else self.costs
        kind = "estimate" if self.line.cost is None else "bill"
        note = f"{counted(len(costs), 'part')} of the month's {kind}. {self.note}"
        return repository_table(self.line.name, costs, self.line.currency, note, partial=self.partial)


def read_repository_bills(who: str, review: Review, registries: Iterable[Registry]) -> Mapping[str, RepositoryBill]:
    """By registry id in lower case, the registries whose contents were read already. Reads nothing."""
    found = {}
    lines = {line.registry_id: line for line in review.lines if line.figure is not None}
    for registry in registries:
        line = lines.get(registry.id.casefold())
        count = contents.last_count(who, registry.login_server) if registry.login_server else None
        if line and line.figure is not None and count:
            costs = split_bill(line.figure, count.storage, registry.stored_bytes)
            if costs:
                found[line.registry_id] = RepositoryBill(
                    line, costs, _note(registry, count, costs), not count.storage.complete
                )
    return found


def _note(registry: Registry, count: contents.StorageCount, costs: Iterable[RepositoryCost]) -> str:
    parts = [f"By stored bytes, read {ago(count.at)}."]
    for one in costs:
        if not one.counted:
            parts.append(
                f"Uncounted: {size(one.unique)} that Azure reports as stored and no repository lists, such as layers "
                "without a manifest, or what soft delete keeps."
            )
    if registry.stored_bytes is None:
        parts.append("Unknown whether more is stored: Azure's usage could not be read.")
    if not count.storage.complete:
        parts.append("Not all of the registry could be read.")
    return " ".join(parts)


def show_repository_bill(
    who: str, review: Review, registries: Partial[Registry], bills: Mapping[str, RepositoryBill]
) -> None:
    """Lets the reader choose a registry, and shows its bill by repository."""
    registry = registry_named(registries)
    if registry is None:
        if not show_unknown(registries):
            show_registries(registries, pages.COST_REVIEW)
        return
    st.toggle(
        "Group by prefix",
        key="prefix",
        bind="query-params",
        help="team/api and team/web as team/. Layers of several repositories are split in proportion to how much "
        "shared content each one uses",
    )
    bill = bills.get(registry.id.casefold())
    if bill is None:
        _ask_to_read(who, registry, review)
        return
    if notice := registry_loaders.soft_delete(who, registry).notice:
        st.info(plain(notice), icon=":material/auto_delete:")
    table = bill.table(prefixes=bool(st.session_state["prefix"]))
    st.caption(table.note)
    if table.chart:
        show_bars(table.chart, f"{table.chart.title}: a bar for each repository. The numbers are folded under it.")
    show_folded(replace(table, note=""), f"repositories {registry.id} {st.session_state['prefix']}")


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
        count = contents.last_count(who, registry.login_server)
        if count and count.storage.total:
            run_again()
        st.info(f"{plain(registry.name)} stores nothing that could be read.", icon=":material/info:")
