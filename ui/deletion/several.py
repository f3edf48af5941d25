"""One plan over several repositories: listed by repository, confirmed once, and run as a job for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import streamlit as st

from services.connection.errors import ServiceError
from services.deletion.by_policy import PolicyRun
from services.deletion.plan import DeletionPlan
from services.deletion.plan_rows import count_kinds
from services.deletion.repository import RepositoryDeletionPlan
from services.deletion.several import RepositoryPart, SeveralPlan
from services.jobs.jobs import Within
from services.registries.registry import Registry
from services.wording import counted
from ui.deletion import deletions
from ui.deletion.figures import freed, freed_alone, show_figures
from ui.deletion.places import Places
from ui.deletion.plan_view import show_deleted, show_kept
from ui.elements.columns import ago_column
from ui.elements.notices import say_done
from ui.elements.selectable_table import openable
from ui.elements.styled_table import Worded
from ui.elements.table import UTC
from ui.elements.text import plain, size
from ui.navigation import pages
from ui.navigation.links import change_query, link_to, open_page


def show_several(places: Places, who: str, registry: Registry, plan: SeveralPlan) -> None:
    """Shows the figures of the plan, its table by repository, and folded every manifest and what stays. A repository's
    name shows the page for it alone."""
    every = (*plan.parts, *plan.staying)
    planned = [part.contents for part in every]
    deleted = {part.name: part.deleted for part in plan.parts}
    unread = frozenset(one.name for one in planned if not one.complete)
    bytes_freed = freed(who, registry, planned, deleted)
    with places.figures:
        show_figures(who, registry, deleted, bytes_freed, unread=bool(unread))
    with places.lists:
        _show_repositories(every, freed_alone(who, registry, planned, deleted))
        if plan.parts and bytes_freed.counted_at is None:
            link_to(pages.STORAGE, "Read the registry for the exact size", registry=st.query_params["registry"])
        number = sum(len(found) for found in deleted.values())
        if number:
            with st.expander(counted(number, "manifest to delete", "manifests to delete"), icon=":material/delete:"):
                show_deleted({part.name: part.deleted for part in every}, unread)
        show_kept({part.name: part.kept for part in every})


def _show_repositories(parts: Sequence[RepositoryPart], alone: Mapping[str, int]) -> None:
    pushes = {part.name: [one.row.created for one in part.deleted if one.row.created] for part in parts}
    opened = openable(
        sorted(parts, key=lambda part: alone[part.name], reverse=True),
        lambda part: {
            "Repository": part.name,
            "Manifests": len(part.deleted),
            "Tags": sum(len(one.item.tags) for one in part.deleted),
            "Frees": alone[part.name] if part.deleted else None,
            "Oldest push": min(pushes[part.name], default=None),
            "Last push": max(pushes[part.name], default=None),
            "Stays": count_kinds(part.kept) or None,
        },
        "repositories of the plan",
        "What is deleted of each repository, the most bytes first",
        columns={
            "Manifests": st.column_config.NumberColumn("Manifests to delete"),
            "Frees": Worded(
                size, "If this repository alone is cleaned up: shared layers are freed with the last of all"
            ),
            "Oldest push": ago_column(),
            "Last push": ago_column(),
            "Stays": st.column_config.TextColumn(width="large"),
        },
        types={"Oldest push": UTC, "Last push": UTC, "Stays": pa.string()},
    )
    if opened:
        change_query(repository=opened.name)


def start_several(
    who: str,
    registry: Registry,
    plan: SeveralPlan,
    within: Callable[[str], Within] | None = None,
    policy: PolicyRun | None = None,
) -> None:
    """Starts a job for each repository of the plan, and opens Activity. `within`: what each writes with its job, by
    repository; `policy`: that they follow. Raises ServiceError where one can't be recorded: it says how many were
    started before."""
    for number, part in enumerate(plan.parts):
        try:
            _start(who, registry, part.plan, within and within(part.name), policy)
        except ServiceError as error:
            if not number:
                raise
            begun = counted(number, "deletion was", "deletions were")
            raise replace(error, remedy=f"{begun} started before: see Activity. {error.remedy}") from error
    say_done(f"{counted(len(plan.parts), 'deletion')} started in {plain(registry.name)}.")
    # By the name that the list has: a login server may carry a suffix that nobody knows it by.
    open_page(pages.DELETIONS, target=registry.name)


def _start(
    who: str,
    registry: Registry,
    plan: DeletionPlan | RepositoryDeletionPlan,
    within: Within | None,
    policy: PolicyRun | None,
) -> None:
    if isinstance(plan, DeletionPlan):
        deletions.delete_manifests(who, registry, plan, within=within, policy=policy)
    else:
        deletions.delete_repository(who, registry, plan)
