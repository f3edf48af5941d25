"""Changing a registry's SKU: the plan with its cost before and after, and the result."""

import streamlit as st

from services.jobs.jobs import Job
from services.jobs.plans import details_of, plan_of
from services.pricing.estimates import difference_words
from services.registries.registry import Registry
from services.registries.skus import Sku
from services.registry_lifecycle.sku_change import SkuPlan, count_connected, plan_sku_change, run_sku_change, sku_items
from ui.elements.notices import dialog
from ui.elements.text import as_option, plain
from ui.elements.writing import confirm, dialog_panel
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs
from ui.loaders import clusters
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import BY_ID
from ui.pricing.prices import PriceBook
from ui.runtime import connection


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=200, hash_funcs=BY_ID)
def _connected(who: str, registry: Registry) -> int | None:
    return count_connected(connection.session(who), registry)


@dialog("Change SKU", width="medium")
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
    details = details_of(SkuPlan, plan, plan.commands)
    begin_and_show(who, SKU_CHANGE, plan.registry.login_server, sku_items(plan), details)


def _forget(job: Job) -> None:
    registry = plan_of(SkuPlan, job).registry
    registry_loaders.registry.clear(job.who, registry.id)
    clusters.forget_registries(job.who)
    _connected.clear(job.who, registry)


SKU_CHANGE = JobKind("Change SKU", "Changing the SKU of", run_sku_change, _forget)


def show_changes(who: str) -> None:
    """The changes that are running, and those that this session has seen end, until they are dismissed."""
    show_jobs(who, SKU_CHANGE)
