"""Deleting a repository with all that is in it: planned, checked again, done, and read back."""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace

from services.connection.changes import LOOK_AGAIN, changed, refused
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, as_service_error
from services.deletion.blocking_locks import blocking_locks
from services.images.repositories import all_tags, find_repository, manifest_rows
from services.images.repository_contents import RepositoryContents


@dataclass(frozen=True)
class RepositoryDeletionPlan:
    """Deletes `repository`: the manifests of `digests`, and `tags` (each with its digest).

    `hidden` further manifests go with it that no list shows. `refusals` are the reasons why it can't be done.
    """

    repository: str
    digests: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    hidden: int
    refusals: tuple[str, ...]


@dataclass(frozen=True)
class RepositoryDeleted:
    """What the registry says that it deleted, as `az acr repository delete` prints it.

    `told` is False where its answer was lost: then both are what the plan named, and that it is gone was read back.
    """

    manifests: tuple[str, ...]
    tags: tuple[str, ...]
    told: bool = True


def as_az_prints(deleted: RepositoryDeleted) -> str:
    """The JSON of `az acr repository delete`."""
    return json.dumps({"manifestsDeleted": list(deleted.manifests), "tagsDeleted": list(deleted.tags)}, indent=2)


def plan_repository_deletion(
    contents: RepositoryContents, running: Collection[str] = frozenset()
) -> RepositoryDeletionPlan:
    """What deleting the repository would do. Pure. A lock on anything in it keeps all of it."""
    running_here = [f"{row.digest} runs in a cluster." for row in contents.rows if row.digest in running]
    return RepositoryDeletionPlan(
        contents.name,
        tuple(sorted(row.digest for row in contents.rows)),
        tuple(sorted((tag.name, tag.digest) for tag in contents.tags)),
        contents.hidden,
        (*blocking_locks(contents).all, *running_here),
    )


def apply_repository_deletion(client: RegistryClient, plan: RepositoryDeletionPlan) -> RepositoryDeleted:
    """Deletes it, if its manifests and tags are those of the plan, and reads back that it is gone.

    Raises ServiceError: Refused (by the plan), ChangedMeanwhile, REGISTRY_DISALLOWED_OPERATION (a lock), NotConfirmed
    (accepted, and still there or not to be read back), NAME_UNKNOWN where it was gone already.
    """
    name = plan.repository
    title = f"Could not delete the repository {name}"
    if plan.refusals:
        raise refused(title, plan.refusals[0])
    if how := _difference(client, plan):
        raise changed(title, how)
    told: RepositoryDeleted | None = None
    failure: ServiceError | None = None
    try:
        with as_service_error(title):
            answer = client.send("DELETE", path_of("/acr/v1/{name}", name=name))
            body = json.loads(answer.content or b"{}")
            told = RepositoryDeleted(tuple(body.get("manifestsDeleted") or ()), tuple(body.get("tagsDeleted") or ()))
    except ServiceError as error:
        failure = error
    try:
        left = find_repository(client, name)
    except ServiceError as error:
        what = failure or replace(error, title=f"{title}: it could not be read back", code="NotConfirmed")
        raise replace(what, remedy=f"Whether it was done is not known. {LOOK_AGAIN}") from error
    if left is None:
        if failure and failure.status == 404:
            raise failure
        return told or RepositoryDeleted(plan.digests, tuple(tag for tag, _ in plan.tags), told=False)
    raise failure or ServiceError(
        title,
        f"The registry accepted it, and the repository is still there with {left.manifest_count:,} manifests.",
        "The registry may still be at it, or somebody pushed in the same moment: refresh in a minute.",
        "NotConfirmed",
    )


def _difference(client: RegistryClient, plan: RepositoryDeletionPlan) -> str:
    rows, tags = manifest_rows(client, plan.repository), all_tags(client, plan.repository)
    if came := {row.digest for row in rows} - set(plan.digests):
        return f"Since it was planned, {len(came):,} manifests have come, {min(came)} for one."
    moved = {(tag.name, tag.digest) for tag in tags} - set(plan.tags)
    if moved:
        return f"Since it was planned, tags have come or moved: {', '.join(sorted(tag for tag, _ in moved)[:5])}."
    return ""
