"""Deletes a registry: what Azure deletes with it, the confirmation, and the result."""

import datetime
from collections import Counter

import streamlit as st

from services.access.role_assignments import RoleAssignment
from services.connection.changes import Outcome
from services.images.repositories import Repository
from services.jobs.changes import Change
from services.pull_checks.matrix import Pulls
from services.pull_checks.summary import PullSummary, summarize_pulls
from services.registries.registry import Registry
from services.registry_lifecycle.remaining import Remaining, remaining_after
from services.registry_lifecycle.removal import RemovalPlan, apply_removal, plan_removal
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.outcomes import results_list, show_outcome
from ui.elements.skeleton import Shape
from ui.elements.table import UTC, show_facts, show_rows
from ui.elements.text import ago, exact, plain, size
from ui.elements.writing import confirm
from ui.loaders import clusters, contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to, open_page
from ui.runtime import connection
from ui.runtime.background import Reading, show_progress
from ui.runtime.session_runs import RunKind, begin, runs_of, show

# Without a time, after all others.
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)
_DELETIONS = RunKind[RemovalPlan, Outcome]("registry deletions")


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
    session, registry = connection.session(who), plan.registry

    def forget() -> None:
        registry_loaders.forget_registry(who, registry)
        contents.forget(who, registry.login_server)
        clusters.forget_registries(who)

    begin(
        _DELETIONS,
        registry.id,
        plan,
        lambda run: apply_removal(session, plan, run.report_state),
        forget,
        Change("Delete registry", registry.name, plan.commands),
        lambda outcome: results_list(((registry.name, outcome),)),
        verb=f"{registry.name}:",
    )


def show_removals(key: str) -> bool:
    """Shows the registry deletions that this session started, until they are dismissed. Returns whether the registry of
    `key` in the URL is being deleted or is deleted: then a page has nothing else to show of it."""
    show(_DELETIONS, _show_end)
    return any(
        key.casefold() in (registry.name.casefold(), registry.login_server.casefold(), registry.id.casefold())
        and not run.reading.error
        for run in runs_of(_DELETIONS).values()
        for registry in (run.plan.registry,)
    )


def _show_end(plan: RemovalPlan, outcome: Outcome) -> None:
    content = counted(len(plan.repositories), "repository", "repositories") if plan.repositories is not None else ""
    more = f", with {content}" if content and outcome is Outcome.DELETED else ""
    show_outcome(f"Registry {plain(plan.registry.name)}", outcome, more)
    link_to(pages.INVENTORY)
