"""Replicas of a registry: reads them; dialogs add and delete one, in the background."""

from datetime import UTC, datetime

import streamlit as st

from services.child_resources.replica_jobs import replica_items, run_replica, run_replica_removal
from services.child_resources.replications import (
    ReplicaPlan,
    list_replications,
    plan_replica,
    plan_replica_removal,
    replica_regions,
)
from services.child_resources.webhooks import list_webhooks
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.jobs.jobs import Job
from services.jobs.plans import details_of, plan_of
from services.pricing.estimates import difference_words
from services.registries.registry import Registry, Replication
from ui.elements.notices import dialog
from ui.elements.writing import PlainPlan, confirm, dialog_panel
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs
from ui.loaders import clusters
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import BY_ID, Loaded
from ui.pricing.prices import PriceBook
from ui.runtime import connection


@st.cache_resource(ttl="2m", show_spinner="Reading replicas", max_entries=200, hash_funcs=BY_ID)
def listed(who: str, registry: Registry) -> Loaded[Partial[Replication]]:
    return Loaded(list_replications(connection.session(who), registry), datetime.now(UTC))


@st.cache_resource(
    ttl="1h", show_spinner="Reading regions", max_entries=50, hash_funcs={Registry: lambda one: one.subscription_id}
)
def _offered(who: str, registry: Registry) -> tuple[str, ...]:
    """The regions that Azure offers, the same for all registries of a subscription."""
    return replica_regions(connection.session(who), registry)


def forget(who: str, registry: Registry) -> None:
    """Drops the replicas that were read, and the registry."""
    listed.clear(who, registry)
    registry_loaders.registry.clear(who, registry.id)


@dialog("Add replica", width="medium")
def add(who: str, registry: Registry, existing: Partial[Replication], book: PriceBook) -> None:
    """Asks for the region, shows the plan and its cost, and starts to add a replica there."""
    with dialog_panel():
        offered = _offered(who, registry)
        there = existing.all_values()
        used = {registry.location, *(one.region for one in there)}
        free = [region for region in offered if region not in used]
        if not free:
            everywhere = "The registry is already in every region that Azure offers to this subscription."
            confirm(PlainPlan(blockers=(everywhere,)), "Add replica")
            return
        region = st.selectbox("Region", free, help="The regions in which Azure offers replicas to this subscription")
        plan = plan_replica(registry, there, region, offered, book.by_region.get(registry.location), book.days)
        _show_cost(plan)
        if not plan.blockers:
            st.markdown(
                "Images are copied there in the background. Zone redundancy is on in regions that have zones; ACR "
                "Tasks are not covered."
            )
        if confirm(plan, "Add replica"):
            _begin(who, ADD_REPLICA, plan)


@dialog("Delete replica", width="medium")
def delete(who: str, registry: Registry, existing: Partial[Replication], book: PriceBook) -> None:
    """Asks for the region, shows the plan and its cost, and starts to delete the replica there."""
    with dialog_panel():
        region = st.selectbox("Region", [one.region for one in existing.values if not one.home])
        hooks = _hooks_in(who, registry, region)
        prices = book.by_region.get(registry.location)
        plan = plan_replica_removal(registry, existing.values, region, hooks, prices, book.days)
        _show_cost(plan)
        st.markdown("No image is lost: every other region has all of them.")
        if confirm(plan, "Delete replica"):
            _begin(who, DELETE_REPLICA, plan)


def _hooks_in(who: str, registry: Registry, region: str) -> tuple[str, ...] | None:
    try:
        found = list_webhooks(connection.session(who), registry).all_values()
    except ServiceError:
        return None
    return tuple(webhook.name for webhook in found if webhook.location == region)


def _show_cost(plan: ReplicaPlan) -> None:
    if plan.before and plan.after:
        st.markdown(
            f"The registry costs {plan.before.words} a month now, and would cost **{plan.after.words}**: "
            f"{difference_words(plan.before, plan.after)}. Azure bills a replica as a separate registry, with the same "
            "storage again. Traffic between regions and private endpoints are billed besides."
        )
    else:
        st.markdown("What it costs is unknown: the registry's use, or the prices of its region, could not be read.")


def _begin(who: str, kind: JobKind, plan: ReplicaPlan) -> None:
    details = details_of(ReplicaPlan, plan, plan.commands)
    begin_and_show(who, kind, plan.registry.login_server, replica_items(plan), details)


def _forget_all(job: Job) -> None:
    forget(job.who, plan_of(ReplicaPlan, job).registry)
    clusters.forget_registries(job.who)


ADD_REPLICA = JobKind("Add replica", "Adding a replica of", run_replica, _forget_all)
DELETE_REPLICA = JobKind("Delete replica", "Deleting a replica of", run_replica_removal, _forget_all)


def show_changes(who: str, registry: Registry) -> None:
    """Shows the changes of a registry's replicas that are running, and those that this session has seen end, until
    they are dismissed."""
    for kind in (ADD_REPLICA, DELETE_REPLICA):
        show_jobs(who, kind, only=lambda job: job.login_server == registry.login_server)
