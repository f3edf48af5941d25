"""Changing a registry's SKU: the plan with its cost before and after, and the result."""

import streamlit as st

from services.connection.changes import Outcome
from services.jobs.changes import Change
from services.pricing.estimates import difference_words
from services.registries.registry import Registry
from services.registries.skus import Sku
from services.registry_lifecycle.sku_change import SkuPlan, apply_sku_change, count_connected, plan_sku_change
from ui.elements.outcomes import results_list, show_outcome
from ui.elements.text import as_option, plain
from ui.elements.writing import confirm, dialog_panel
from ui.loaders import clusters
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import BY_ID
from ui.pricing.prices import PriceBook
from ui.runtime import connection
from ui.runtime.session_runs import RunKind, begin, show

_CHANGES = RunKind[SkuPlan, Outcome]("SKU changes")


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=200, hash_funcs=BY_ID)
def _connected(who: str, registry: Registry) -> int | None:
    return count_connected(connection.session(who), registry)


@st.dialog("Change SKU", width="medium")
def change_sku(who: str, registry: Registry, book: PriceBook, best: Sku | None) -> None:
    """Asks for the SKU, shows the plan, and starts the change."""
    with dialog_panel():
        st.markdown(f"**{plain(registry.name)}** is {plain(registry.sku)}.")
        others = [sku for sku in Sku if sku.value != registry.sku]
        first = others.index(best) if best in others else 0
        target = Sku(
            st.segmented_control("To", others, default=others[first], key=f"to {registry.id}", format_func=as_option)
            or others[first]
        )
        known = book.by_region.get(registry.location)
        plan = plan_sku_change(registry, target, _connected(who, registry), known, book.days)
        _show_cost(plan)
        if not plan.blockers:
            st.markdown("No downtime. The registry is read again before the change and verified afterwards.")
        if confirm(plan, f"Change to {target.value}"):
            _begin(who, plan)


def _show_cost(plan: SkuPlan) -> None:
    if plan.before and plan.after:
        st.markdown(
            f"A month costs {plan.before.words} now, and would cost **{plan.after.words}**: "
            f"{difference_words(plan.before, plan.after)}."
        )
    else:
        st.markdown("What it costs is unknown: its use, or the prices of its region, could not be read.")


def _begin(who: str, plan: SkuPlan) -> None:
    session, registry = connection.session(who), plan.registry

    def forget() -> None:
        registry_loaders.registry.clear(who, registry.id)
        clusters.forget_registries(who)
        _connected.clear(who, registry)

    begin(
        _CHANGES,
        registry.id,
        plan,
        lambda run: apply_sku_change(session, plan, run.report_state),
        forget,
        Change(f"Change to {plan.target.value}", registry.name, plan.commands),
        lambda outcome: results_list(((registry.name, outcome),)),
        verb=f"{registry.name}:",
    )


def show_changes() -> None:
    """The changes that this session started, running or ended, until they are dismissed."""
    show(_CHANGES, _show_end)


def _show_end(plan: SkuPlan, outcome: Outcome) -> None:
    show_outcome(f"{plain(plan.registry.name)} to {plan.target}", outcome)
