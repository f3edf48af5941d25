"""Deleting a registry with all that is in it: planned, checked again, deleted, read back.

There is no soft delete of a registry: https://learn.microsoft.com/azure/container-registry/container-registry-delete.
The SDK treats 404 and 204 as success: only reading back shows that the registry is gone.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event

from services.access.role_assignments import RoleAssignment
from services.access.role_definitions import REGISTRY, PermissionBlock
from services.commands import registries as az_registries
from services.connection.changes import Outcome, changed, refused, remove
from services.connection.errors import ServiceError, if_there, says_not_found
from services.connection.parallel import Partial
from services.connection.resource_ids import parse_id
from services.connection.session import AzureSession
from services.images.repositories import Repository, get_repositories, repository_names
from services.pull_checks.summary import PullSummary
from services.registries.reading import get_registry
from services.registries.registry import Registry

# How many names a sentence lists; the rest is counted.
_NAMES_LISTED = 5


@dataclass(frozen=True)
class RemovalPlan:
    """What is deleted with a registry. `repositories` None: they could not be listed; `tags` and `manifests` None: not
    all were read. `pulls`: the clusters that can pull from it, `assignments`: role assignments at it or below; both
    None where they were not read. Nothing is sent while there are `blockers`."""

    registry: Registry
    repositories: tuple[str, ...] | None
    tags: int | None
    manifests: int | None
    pulls: PullSummary | None
    assignments: tuple[RoleAssignment, ...] | None
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def plan_removal(
    registry: Registry,
    names: Iterable[str] | None,
    read: Partial[Repository],
    pulls: PullSummary | None,
    assignments: Iterable[RoleAssignment] | None,
    *,
    caller_permissions: tuple[PermissionBlock, ...] | None = None,
) -> RemovalPlan:
    """What would be lost, as far as it was read: `names` of the catalogue, `read` the attributes of each, `pulls` of
    the registry, `assignments` of the subscription; None where one could not be read.

    `caller_permissions`: those at the registry, None where they were not read: then Azure decides.
    """
    repositories = None if names is None else tuple(names)
    all_read = repositories is not None and len(read.values) == len(repositories)
    below = None if assignments is None else tuple(one for one in assignments if _within(one.scope, registry.id))
    blockers = []
    if registry.provisioning_state == "Deleting":
        blockers.append("It is being deleted already.")
    if caller_permissions is not None and not any(
        block.covers(REGISTRY + "delete", data=False) for block in caller_permissions
    ):
        blockers.append("You may not delete this registry (Microsoft.ContainerRegistry/registries/delete).")
    return RemovalPlan(
        registry,
        repositories,
        sum(one.tag_count for one in read.values) if all_read else None,
        sum(one.manifest_count for one in read.values) if all_read else None,
        pulls,
        below,
        tuple(blockers),
        tuple(_warnings(registry, repositories, all_read, pulls, below)),
        (az_registries.delete_registry(registry.name, registry.resource_group, registry.subscription_id),),
    )


def _within(scope: str, registry_id: str) -> bool:
    return f"{scope.casefold()}/".startswith(f"{registry_id.casefold()}/")


def _warnings(
    registry: Registry,
    repositories: tuple[str, ...] | None,
    all_read: bool,
    pulls: PullSummary | None,
    assignments: tuple[RoleAssignment, ...] | None,
) -> Iterable[str]:
    if registry.unsettled and registry.provisioning_state != "Deleting":
        yield f"{registry.unsettled}."
    yield "Its images can't be restored: a registry has no soft delete. Locks do not protect images from this."
    if registry.soft_delete.days:
        yield "Images that its soft delete policy keeps are deleted with it too."
    elif registry.soft_delete.days is None:
        yield (
            "Whether its soft delete policy keeps deleted images is unknown "
            f"({registry.soft_delete.unread.rstrip('.')}): they would be deleted with it too."
        )
    if registry.login_server.partition(".")[0] == registry.name.lower():
        yield (
            f"Anyone can take the name {registry.login_server} afterwards: whatever still pulls from it then gets the "
            "images of the new owner."
        )
    if pulls and pulls.can:
        clusters = [pair.cluster.name for pair in pulls.can]
        yield (
            f"{_listed(clusters)} can pull from it: pods that need its images will not start on nodes that do not have "
            "them already."
        )
    if pulls and pulls.undetermined:
        clusters = [pair.cluster.name for pair in pulls.undetermined]
        yield f"Unknown whether {_listed(clusters)} can pull from it: {'; '.join(pulls.missing)}."
    elif pulls and pulls.lists_unread:
        yield f"Unknown whether other clusters can pull from it: {'; '.join(pulls.missing)}."
    if registry.network.private_endpoints:
        names = [parse_id(end.endpoint_id).name or end.endpoint_id for end in registry.network.private_endpoints]
        yield f"Private endpoints stay, and are billed, until they are deleted: {_listed(names)}."
    if assignments:
        yield "Its role assignments are deleted with it: a new registry of the same name has none of them."
    if repositories is None:
        yield "Its repositories could not be listed: it may have images that are not shown here."
    elif not all_read:
        yield "Not every repository could be read: the numbers of tags and manifests are unknown."
    if pulls is None:
        yield "Which clusters can pull from it is unknown: that could not be read."
    if assignments is None:
        yield "Its role assignments are unknown: they could not be read."
    if registry.replicas is None or registry.usages is None:
        yield f"Unknown, could not be read: {', '.join(refusal.what for refusal in registry.unread)}."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_LISTED} more" if len(names) > _NAMES_LISTED else ""
    return f"{', '.join(names[:_NAMES_LISTED])}{more}"


def apply_removal(
    session: AzureSession,
    plan: RemovalPlan,
    report: Callable[[str], None] = lambda _state: None,
    stop: Event | None = None,
) -> Outcome:
    """Deletes the registry as planned. DELETED: Azure says that it is gone, as read back. ALREADY_DONE: it was gone
    before anything was sent. NOT_CONFIRMED: Azure accepted the deletion, and the registry could not be read after it.
    NOT_TRIED: `stop` was set before.

    Raises ServiceError where nothing was deleted: refused by the plan or by Azure (ScopeLocked), or because it is
    another registry now or has more in it (ChangedMeanwhile); also where it still exists (StillThere), or could not be
    read after a failure.
    """
    title = f"Could not delete the registry {plan.registry.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    now = if_there(lambda: get_registry(session, plan.registry.id), says_not_found)
    if now is None:
        return Outcome.ALREADY_DONE
    _require_unchanged(session, plan, now, title)
    if stop and stop.is_set():
        return Outcome.NOT_TRIED
    report("deleting")
    client = session.registries(now.subscription_id).registries

    def read_back() -> Registry:
        report("verifying")
        return get_registry(session, now.id)

    outcome = remove(
        title,
        lambda: client.begin_delete(now.resource_group, now.name).result(),
        read_back,
        says_not_found,
    )
    if outcome is Outcome.NOT_CONFIRMED and (remaining := _read_or_none(session, now.id)):
        state = remaining.provisioning_state or "not reported"
        raise ServiceError(
            title,
            f"Azure accepted it, but the registry is still there (state: {state}).",
            "It may take longer: refresh in a minute, and delete it again if it is still there.",
            "StillThere",
        )
    return outcome


def _read_or_none(session: AzureSession, registry_id: str) -> Registry | None:
    with suppress(ServiceError):
        return get_registry(session, registry_id)
    return None


def _require_unchanged(session: AzureSession, plan: RemovalPlan, now: Registry, title: str) -> None:
    if now.created != plan.registry.created:
        raise changed(title, f"It is another registry of that name, created {now.created:%Y-%m-%d %H:%M}.")
    if plan.repositories is None:
        return
    client = session.registry(now.login_server)
    names = [name for page in repository_names(client) for name in page]
    if new := sorted(set(names) - set(plan.repositories)):
        raise changed(title, f"It has repositories that the plan did not show: {_listed(new)}.")
    if plan.manifests is None or plan.tags is None:
        return
    read = get_repositories(client, names)
    if read.refused:
        raise replace(read.refused[0].error, title=f"{title}: it could not be checked again")
    manifests, tags = sum(one.manifest_count for one in read.values), sum(one.tag_count for one in read.values)
    if manifests > plan.manifests or tags > plan.tags:
        raise changed(
            title,
            f"It has {manifests:,} manifests and {tags:,} tags now: the plan showed {plan.manifests:,} and "
            f"{plan.tags:,}.",
        )
