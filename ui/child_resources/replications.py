"""Replicas of a registry: read, and the dialogs that add a region and give one up, both in the background."""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from services.child_resources.replications import (
    ReplicaPlan,
    Replication,
    apply_replica,
    apply_replica_removal,
    list_replications,
    plan_replica,
    plan_replica_removal,
    replica_regions,
)
from services.child_resources.webhooks import list_webhooks
from services.commands import child_resources as az_child_resources
from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.pricing.money import cents, money
from services.registries.registry import Registry
from ui.elements.errors import panel, show_error
from ui.elements.outcomes import WORDS
from ui.elements.text import plain
from ui.elements.writing import may_write, show_objections, show_read_only
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import BY_ID, Loaded
from ui.pricing.prices import PriceBook
from ui.runtime import connection
from ui.runtime.background import Reading, show_progress, start


@dataclass(frozen=True)
class _Change:
    """A region of this session's that is being added or given up, or was."""

    plan: ReplicaPlan
    reading: Reading[Outcome | None]


@st.cache_resource(ttl="2m", show_spinner="Reading replicas", max_entries=200, hash_funcs=BY_ID)
def listed(who: str, registry: Registry) -> Loaded[tuple[Replication, ...]]:
    return Loaded(list_replications(connection.session(who), registry), datetime.now(UTC))


@st.cache_resource(
    ttl="1h", show_spinner="Reading regions", max_entries=50, hash_funcs={Registry: lambda one: one.subscription_id}
)
def _offered(who: str, registry: Registry) -> tuple[str, ...]:
    """The same for all registries of a subscription."""
    return replica_regions(connection.session(who), registry)


def forget(who: str, registry: Registry) -> None:
    """Reads the replicas, and the registry with what it costs, anew."""
    listed.clear(who, registry)
    registry_loaders.registry.clear(who, registry.id)


@st.dialog("Add a replica", width="medium")
def add(who: str, registry: Registry, there: tuple[Replication, ...], book: PriceBook) -> None:
    """Asks for the region, shows the plan and its cost, and starts."""
    with panel():
        offered = _offered(who, registry)
        taken = {registry.location, *(one.region for one in there)}
        free = [region for region in offered if region not in taken]
        if not free:
            st.info("It is in every region already in which Azure offers replicas to this subscription.")
            return
        region = st.selectbox("Region", free, help="Where Azure offers replicas to this subscription.")
        plan = plan_replica(registry, there, region, offered, book.by_region.get(registry.location), book.days)
        _show_cost(plan)
        show_objections(plan.blockers, plan.warnings)
        if not plan.blockers:
            st.markdown(
                "Images are copied there by and by. Zone redundancy needs no choice: regions that have zones have it."
            )
        st.code(az_child_resources.add_replica(registry.name, region), language="bash", wrap_lines=True)
        show_read_only()
        if st.button("Add the replica", type="primary", disabled=bool(plan.blockers) or not may_write()):
            _begin(who, plan, adding=True)
            st.rerun()


@st.dialog("Remove a replica", width="medium")
def remove(who: str, registry: Registry, there: tuple[Replication, ...], book: PriceBook) -> None:
    """Asks for the region, shows the plan and its cost, and starts."""
    with panel():
        region = st.selectbox("Region", [one.region for one in there if not one.home])
        hooks = _hooks_in(who, registry, region)
        plan = plan_replica_removal(registry, there, region, hooks, book.by_region.get(registry.location), book.days)
        _show_cost(plan)
        show_objections(plan.blockers, plan.warnings)
        st.markdown("No image is lost: the other regions have them all.")
        name = next(one.name for one in there if one.region == region)
        st.code(az_child_resources.remove_replica(registry.name, name), language="bash", wrap_lines=True)
        show_read_only()
        if st.button("Remove the replica", type="primary", disabled=bool(plan.blockers) or not may_write()):
            _begin(who, plan, adding=False)
            st.rerun()


def _hooks_in(who: str, registry: Registry, region: str) -> tuple[str, ...] | None:
    try:
        found = list_webhooks(connection.session(who), registry)
    except ServiceError:
        return None
    return tuple(webhook.name for webhook in found if webhook.location == region)


def _show_cost(plan: ReplicaPlan) -> None:
    if plan.before and plan.after:
        more = cents(plan.after.total) - cents(plan.before.total)
        words = f"{money(abs(more), plan.after.currency)} {'more' if more >= 0 else 'less'}"
        st.markdown(
            f"A month of the registry costs {money(plan.before.total, plan.before.currency)} now, and would cost "
            f"**{money(plan.after.total, plan.after.currency)}**: {words}. A replica is billed as a registry of its "
            "own, and for as much again as is stored."
        )
        if plan.after.unpriced:
            st.warning(f"No price is known for: {', '.join(plan.after.unpriced)}.", icon=":material/warning:")


def _begin(who: str, plan: ReplicaPlan, *, adding: bool) -> None:
    session = connection.session(who)

    def work(reading: Reading[Outcome | None]) -> None:
        def report(state: str) -> None:
            reading.report(0, 0, state)

        try:
            if adding:
                reading.value = apply_replica(session, plan, report)
            else:
                reading.value = apply_replica_removal(session, plan, report)
        finally:  # Also what failed may have been done.
            forget(who, plan.registry)
            registry_loaders.inventory.clear(who)

    _changes()[f"{plan.registry.id} {plan.region}"] = _Change(plan, start(None, work, verb=f"{plan.registry.name}:"))


def _changes() -> dict[str, _Change]:
    changes: dict[str, _Change] = st.session_state.setdefault("replica changes", {})
    return changes


def show_changes(registry_id: str) -> None:
    """Those of a registry that this session began: under way, or how each ended, until it is put away."""
    for key, change in list(_changes().items()):
        if change.plan.registry.id != registry_id:
            continue
        show_progress(change.reading, f"replica {key}")
        if change.reading.running:
            continue
        name, region = plain(change.plan.registry.name), plain(change.plan.region)
        if change.reading.error:
            show_error(change.reading.error)
        elif outcome := change.reading.value:
            words = f"Replica of {name} in {region}: {WORDS[outcome]}."
            if outcome is Outcome.NOT_CONFIRMED:
                st.warning(words, icon=":material/pending:")
            else:
                copying = " Images are copied there in the background." if outcome is Outcome.CREATED else ""
                st.success(words + copying, icon=":material/check_circle:")
        st.button("Put away", key=f"put away {key}", on_click=_put_away, args=(key,))


def _put_away(key: str) -> None:
    _changes().pop(key, None)
