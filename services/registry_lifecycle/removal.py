"""The end of a registry with all that is in it: planned, looked at again, deleted, read back.

There is no soft delete of a registry: https://learn.microsoft.com/azure/container-registry/container-registry-delete.
The SDK takes 404 and 204 for success: that the registry is gone is read back.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from services.access.role_assignments import RoleAssignment
from services.access.role_definitions import REGISTRY, PermissionBlock
from services.commands import registries as az_registries
from services.connection.changes import Outcome, changed, refused, remove
from services.connection.errors import ServiceError, if_there, says_not_found
from services.connection.parallel import Partial
from services.connection.resource_ids import parse_id, same_id
from services.connection.session import AzureSession
from services.images.repositories import Repository, get_repositories, repository_names
from services.pull_checks.matrix import Answer, Pair
from services.registries.reading import get_registry
from services.registries.registry import Registry

# Names in a sentence; the rest is counted.
_SHOWN = 5


@dataclass(frozen=True)
class RemovalPlan:
    """What goes with a registry. `repositories` None: they could not be listed; `tags` and `manifests` None: not all
    were counted. `pulls`: the clusters that can pull from it, `assignments`: role assignments at it or in it; both None
    where they were not read. Nothing is sent while there are `blockers`."""

    registry: Registry
    repositories: tuple[str, ...] | None
    tags: int | None
    manifests: int | None
    pulls: tuple[Pair, ...] | None
    assignments: tuple[RoleAssignment, ...] | None
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def plan_removal(
    registry: Registry,
    names: Iterable[str] | None,
    read: Partial[Repository],
    pairs: Iterable[Pair] | None,
    assignments: Iterable[RoleAssignment] | None,
    *,
    own: tuple[PermissionBlock, ...] | None = None,
) -> RemovalPlan:
    """What would be lost, as far as it was read: the catalogue's `names` with the attributes of each, the pairs of the
    pull matrix, and the role assignments of the subscription; None where one could not be read.

    `own`: the caller's permissions at the registry, None where they were not read: Azure says then.
    """
    repositories = None if names is None else tuple(names)
    whole = repositories is not None and len(read.values) == len(repositories)
    pulls = None if pairs is None else tuple(pair for pair in pairs if _pulls(pair, registry))
    at_it = None if assignments is None else tuple(one for one in assignments if _within(one.scope, registry.id))
    blockers = []
    if registry.provisioning_state == "Deleting":
        blockers.append("It is being deleted already.")
    if own is not None and not any(block.covers(REGISTRY + "delete", data=False) for block in own):
        blockers.append("You may not delete this registry (Microsoft.ContainerRegistry/registries/delete).")
    return RemovalPlan(
        registry,
        repositories,
        sum(one.tag_count for one in read.values) if whole else None,
        sum(one.manifest_count for one in read.values) if whole else None,
        pulls,
        at_it,
        tuple(blockers),
        tuple(_warnings(registry, repositories, whole, pulls, at_it)),
        (az_registries.delete_registry(registry.name, registry.resource_group, registry.subscription_id),),
    )


def _pulls(pair: Pair, registry: Registry) -> bool:
    return same_id(pair.registry.id, registry.id) and pair.answer in (Answer.CAN, Answer.SOME)


def _within(scope: str, registry_id: str) -> bool:
    return f"{scope.casefold()}/".startswith(f"{registry_id.casefold()}/")


def _warnings(
    registry: Registry,
    repositories: tuple[str, ...] | None,
    whole: bool,
    pulls: tuple[Pair, ...] | None,
    assignments: tuple[RoleAssignment, ...] | None,
) -> Iterable[str]:
    if registry.unsettled and registry.provisioning_state != "Deleting":
        yield f"{registry.unsettled}."
    yield "No image of it can be brought back: a registry has no soft delete. Locks of images do not protect them."
    if registry.login_server.partition(".")[0] == registry.name.lower():
        yield (
            f"The name {registry.login_server} is free for anybody then: whatever still names it pulls what its new "
            "owner puts there."
        )
    if pulls:
        clusters = [pair.cluster.name for pair in pulls]
        yield (
            f"{_listed(clusters)} can pull from it: pods that need an image of it no longer start on a node that does "
            "not have it."
        )
    if registry.network.private_endpoints:
        ends = [parse_id(end.endpoint_id).name or end.endpoint_id for end in registry.network.private_endpoints]
        yield f"Private endpoints stay in their networks, and are billed, until they are deleted: {_listed(ends)}."
    if assignments:
        yield "The role assignments at it go too: a new registry of the same name has none of them."
    if repositories is None:
        yield "What is in it could not be listed: there may be images that nobody has seen here."
    elif not whole:
        yield "Not every repository could be read: tags and manifests are not counted."
    if pulls is None:
        yield "Which clusters pull from it is not known here."
    if assignments is None:
        yield "Which role assignments are at it is not known here."
    if registry.replicas is None or registry.usages is None:
        yield f"Not read: {', '.join(refusal.what for refusal in registry.unread)}."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def apply_removal(
    session: AzureSession, plan: RemovalPlan, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Deletes the registry as planned. DELETED: Azure says that it is gone, as read back. ALREADY_DONE: it was before
    anything was sent. NOT_CONFIRMED: Azure took the deletion, and nobody can tell.

    Raises ServiceError where nothing was deleted: refused by the plan or by Azure (ScopeLocked), or since it is another
    registry now or holds more (ChangedMeanwhile); and where it is still there (StillThere), or nobody can
    tell after a failure.
    """
    title = f"Could not delete the registry {plan.registry.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    now = if_there(lambda: get_registry(session, plan.registry.id), says_not_found)
    if now is None:
        return Outcome.ALREADY_DONE
    _require_same(session, plan, now, title)
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
    if outcome is Outcome.NOT_CONFIRMED and (left := _if_readable(session, now.id)):
        raise ServiceError(
            title,
            f"Azure took the deletion, and it is still there (state: {left.provisioning_state or 'not reported'}).",
            "It may take a while longer: refresh in a minute, and plan it again if it stays.",
            "StillThere",
        )
    return outcome


def _if_readable(session: AzureSession, registry_id: str) -> Registry | None:
    with suppress(ServiceError):
        return get_registry(session, registry_id)
    return None


def _require_same(session: AzureSession, plan: RemovalPlan, now: Registry, title: str) -> None:
    if now.created != plan.registry.created:
        raise changed(title, f"It is another registry of that name, created {now.created:%Y-%m-%d %H:%M}.")
    if plan.repositories is None:
        return
    client = session.registry(now.login_server)
    names = [name for page in repository_names(client) for name in page]
    if new := sorted(set(names) - set(plan.repositories)):
        raise changed(title, f"There are repositories in it that the plan did not show: {_listed(new)}.")
    if plan.manifests is None or plan.tags is None:
        return
    read = get_repositories(client, names).values
    manifests, tags = sum(one.manifest_count for one in read), sum(one.tag_count for one in read)
    if manifests > plan.manifests or tags > plan.tags:
        raise changed(
            title,
            f"It holds {manifests:,} manifests and {tags:,} tags now: the plan showed {plan.manifests:,} and "
            f"{plan.tags:,}.",
        )
