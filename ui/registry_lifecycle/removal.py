"""Deletes a registry: what Azure deletes with it, the confirmation, and the result."""

import datetime
from collections import Counter

import streamlit as st

from services.access.role_assignments import RoleAssignment
from services.connection.changes import Outcome
from services.images.repositories import Repository
from services.jobs.jobs import Job
from services.jobs.plans import details_of, plan_of
from services.pull_checks.matrix import Pulls
from services.pull_checks.summary import PullSummary, summarize_pulls
from services.registries.registry import Registry
from services.registry_lifecycle.remaining import Remaining, remaining_after
from services.registry_lifecycle.removal import RemovalPlan, plan_removal
from services.registry_lifecycle.removal_jobs import removal_items, run_removal
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.skeleton import Shape
from ui.elements.table import UTC, show_facts, show_rows
from ui.elements.text import ago, exact, plain, size
from ui.elements.writing import confirm
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs, show_results, shown_plans
from ui.loaders import clusters, contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to, open_page
from ui.runtime.background import Reading, show_progress

# Without a time, after all others.
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)


def show_removal(who: str, registry: Registry) -> None:
    """Shows what Azure deletes with the registry, as far as it can be read, and the button that deletes it."""
    summary, question, lists, commands = (st.container() for _ in range(4))
    with lists:
        planned = _plan(who, registry)
    if planned is None:
        return
    plan, repositories = planned
    with summary:
        _show_contents(plan, repositories)
    with question, panel():
        if confirm(
            plan,
            "Delete registry",
            typed=registry.name,
            icon=":material/delete_forever:",
            in_dialog=False,
            commands=commands,
            cancel=lambda: open_page(pages.REGISTRY, registry=st.query_params["registry"]),
        ):
            _begin(who, plan)


def _plan(who: str, registry: Registry) -> tuple[RemovalPlan, tuple[Repository, ...]] | None:
    """The plan, and the repositories that were read; None while what it needs is being read."""
    catalogue = registry_loaders.catalogue(who, registry.login_server)
    pulls = clusters.pulls(who)
    show_progress(catalogue, f"catalogue to delete {registry.id}")
    show_progress(pulls, f"pulls to delete {registry.id}", shape=Shape.PLAN)
    if catalogue.running or pulls.running:
        return None
    names: tuple[str, ...] | None = catalogue.value.names
    if catalogue.error or catalogue.stop.is_set():
        names = None
    if catalogue.error:
        show_error(catalogue.error)
    show_partial(
        Part(catalogue.value.repositories, "repository", "repositories"),
        Part(pulls.value.clusters, "subscription's clusters", "subscriptions' clusters"),
        Part(pulls.value.access, "subscription's role assignments", "subscriptions' role assignments"),
    )
    read = catalogue.value.repositories
    if read.values:
        _show_repositories(read.values)
    summary, assignments = _users(registry, pulls)
    _show_remaining(remaining_after(registry, summary, assignments))
    caller_permissions = registry_loaders.read_caller_permissions(who, registry)
    plan = plan_removal(registry, names, read, summary, assignments, caller_permissions=caller_permissions)
    return plan, read.values


def _users(registry: Registry, reading: Reading[Pulls]) -> tuple[PullSummary | None, tuple[RoleAssignment, ...] | None]:
    """The clusters that can pull and the role assignments; None where they could not be read, and then why is shown."""
    if reading.error:
        show_error(reading.error)
        return None, None
    pulls = reading.value
    of_ours = pulls.by_subscription.get(registry.subscription_id)
    return summarize_pulls(pulls, registry), (of_ours.records.assignments if of_ours else None)


def _show_remaining(remaining: tuple[Remaining, ...]) -> None:
    kinds = Counter(one.kind for one in remaining)
    label = ", ".join(f"{kind} ({number:,})" if number > 1 else kind for kind, number in kinds.items())
    with st.expander(f"What stays: {label}", icon=":material/lock:"):
        show_rows(
            [{"Stays": one.kind, "Name": one.name, "Note": one.note} for one in remaining],
            "What stays in Azure after the registry is deleted",
            columns={"Note": st.column_config.TextColumn(width="large")},
        )


def _age_of(plan: RemovalPlan, repositories: tuple[Repository, ...]) -> str:
    """When the registry's images were last changed, and where; unknown where not every repository was read."""
    times = [(one.updated, one.name) for one in repositories if one.updated]
    if plan.tags is None or len(times) < len(repositories):
        return "Unknown"
    if not times:
        return "Never: it has no repository"
    updated, name = max(times)
    return f"{ago(updated)}, {plain(name)} ({exact(updated)})"


def _show_repositories(repositories: tuple[Repository, ...]) -> None:
    label = counted(len(repositories), "repository", "repositories")
    with st.expander(f"{label} to delete, the oldest first", icon=":material/delete:"):
        _show_repository_table(repositories)


def _show_repository_table(repositories: tuple[Repository, ...]) -> None:
    show_rows(
        [
            {
                "Repository": one.name,
                "Tags": one.tag_count,
                "Manifests": one.manifest_count,
                "Last update": one.updated,
            }
            for one in sorted(repositories, key=lambda one: (one.updated or _LAST, one.name))
        ],
        "The repositories that Azure deletes with the registry, the oldest first",
        columns={"Last update": ago_column()},
        types={"Last update": UTC},
    )


def _show_contents(plan: RemovalPlan, repositories: tuple[Repository, ...]) -> None:
    registry = plan.registry
    usages = {name: registry.usage(name) for name in ("Tokens", "ScopeMaps")}
    show_facts(
        {
            "Repositories": _number(None if plan.repositories is None else len(plan.repositories)),
            "Tags": _number(plan.tags),
            "Manifests": _number(plan.manifests),
            "Last update": _age_of(plan, repositories),
            "Registry created": f"{ago(registry.created)} ({exact(registry.created)})",
            "Stored": "Unknown" if registry.stored_bytes is None else size(registry.stored_bytes),
            "Replicas": _number(None if registry.replicas is None else len(registry.replicas)),
            "Webhooks": _number(registry.webhooks),
            "Private endpoint connections": _number(len(registry.network.private_endpoints)),
            **{
                label: _number(usage.current if (usage := usages[name]) else None)
                for name, label in (("Tokens", "Tokens"), ("ScopeMaps", "Scope maps"))
            },
            "Clusters that can pull from it": "Unknown" if plan.pulls is None else plain(plan.pulls.label),
            "Role assignments on it": _number(None if plan.assignments is None else len(plan.assignments)),
        }
    )


def _number(number: int | None) -> str:
    return "Unknown" if number is None else f"{number:,}"


def _begin(who: str, plan: RemovalPlan) -> None:
    details = details_of(RemovalPlan, plan, plan.commands)
    begin_and_show(who, REMOVAL, plan.registry.login_server, removal_items(plan), details)


def _forget(job: Job) -> None:
    registry = plan_of(RemovalPlan, job).registry
    registry_loaders.forget_registry(job.who, registry)
    contents.forget(job.who, registry.login_server)
    clusters.forget_registries(job.who)


REMOVAL = JobKind("Delete registry", "Deleting", run_removal, _forget)


def show_removals(who: str, key: str) -> bool:
    """Shows the registry deletions that are running, and those that this session has seen end, until they are
    dismissed. Returns whether the registry of `key` in the URL is being deleted or is deleted: then a page has nothing
    else to show of it."""
    show_jobs(who, REMOVAL, _show_end)
    return any(
        key.casefold() in (registry.name.casefold(), registry.login_server.casefold(), registry.id.casefold())
        and not job.error
        for job, plan in shown_plans(who, REMOVAL, RemovalPlan)
        for registry in (plan.registry,)
    )


def _show_end(job: Job) -> None:
    plan = plan_of(RemovalPlan, job)
    content = counted(len(plan.repositories), "repository", "repositories") if plan.repositories is not None else ""
    deleted = any(result.outcome == Outcome.DELETED for result in job.results.values())
    show_results(job, f", with {content}" if content and deleted else "")
    link_to(pages.INVENTORY)
