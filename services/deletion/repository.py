"""Deleting a repository with all that is in it: planned, checked again, done, and read back."""

import json
from dataclasses import dataclass, replace

from services.commands import images as az_images
from services.connection.answers import parse_json
from services.connection.changes import Outcome, changed, refused, remove, unknown
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, says_gone
from services.deletion.blocking_locks import blocking_locks
from services.deletion.plan import NOTHING_RUNS
from services.deletion.running_images import RunningImages
from services.images.repositories import all_tags, find_repository, get_repository, manifest_rows
from services.images.repository_contents import RepositoryContents
from services.wording import counted


@dataclass(frozen=True)
class RepositoryDeletionPlan:
    """Deletes `repository`: the manifests of `digests`, and `tags` (each with its digest).

    `hidden` further manifests are deleted with it that no list shows. Nothing is sent while there are `blockers`;
    `commands` do the same.
    """

    repository: str
    digests: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    hidden: int
    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class RepositoryDeleted:
    """What the registry says that it deleted, as `az acr repository delete` prints it.

    `outcome` is ALREADY_DONE where it was deleted by somebody else first, or by this request whose answer was lost.
    `reported` is False where the answer was lost: then both are what the plan named, and that it is gone was read back.
    """

    manifests: tuple[str, ...]
    tags: tuple[str, ...]
    outcome: Outcome = Outcome.DELETED
    reported: bool = True

    def outcome_of(self, digest: str) -> Outcome:
        """What became of a manifest of the plan: somebody else deleted what the registry does not list."""
        return self.outcome if digest in self.manifests else Outcome.ALREADY_DONE


def as_az_prints(deleted: RepositoryDeleted) -> str:
    """The JSON of `az acr repository delete`."""
    return json.dumps({"manifestsDeleted": list(deleted.manifests), "tagsDeleted": list(deleted.tags)}, indent=2)


def plan_repository_deletion(
    contents: RepositoryContents, registry: str, running: RunningImages = NOTHING_RUNS
) -> RepositoryDeletionPlan:
    """What deleting a repository of the registry of that name would do. Pure. A lock on anything in it keeps all, and
    so does what runs, unless the person says so."""
    runs = tuple(f"{row.digest} {running.runs(row.digest)}" for row in contents.rows if row.digest in running.places)
    hidden = f"{counted(contents.hidden, 'manifest is', 'manifests are')} deleted with it that no list shows."
    return RepositoryDeletionPlan(
        contents.name,
        tuple(sorted(row.digest for row in contents.rows)),
        tuple(sorted((tag.name, tag.digest) for tag in contents.tags)),
        contents.hidden,
        (*blocking_locks(contents).all, *(() if running.delete_running else runs)),
        tuple(
            note
            for note in (
                *(runs if running.delete_running else ()),
                running.unknown,
                hidden if contents.hidden else "",
            )
            if note
        ),
        (az_images.delete_repository(registry, contents.name),),
    )


def apply_repository_deletion(client: RegistryClient, plan: RepositoryDeletionPlan) -> RepositoryDeleted:
    """Deletes it, if its manifests and tags are those of the plan, and reads back that it is gone.

    Raises ServiceError: Refused (by the plan), ChangedMeanwhile, REGISTRY_DISALLOWED_OPERATION (a lock), NotConfirmed
    (accepted, and still there or not to be read back), NAME_UNKNOWN where it was gone before.
    """
    name = plan.repository
    title = f"Could not delete the repository {name}"
    if plan.blockers:
        raise refused(title, plan.blockers[0])
    if how := _difference(client, plan):
        raise changed(title, how)
    answered: list[RepositoryDeleted] = []

    def send() -> None:
        if found := _reported(client.send("DELETE", path_of("/acr/v1/{name}", name=name)).content):
            answered.append(found)

    outcome = remove(title, send, lambda: get_repository(client, name), says_gone)
    if outcome is Outcome.ALREADY_DONE:
        return RepositoryDeleted((), (), outcome)
    if outcome is Outcome.NOT_CONFIRMED:
        _read_again(client, name, title)
    if answered:
        return answered[0]
    return RepositoryDeleted(plan.digests, tuple(tag for tag, _ in plan.tags), reported=False)


def _reported(content: bytes) -> RepositoryDeleted | None:
    """What the registry says that it deleted; None where it does not say it. Without tags it answers null for them."""
    try:
        body = parse_json(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or "tagsDeleted" not in body:
        return None
    manifests, tags = _texts(body.get("manifestsDeleted")), _texts(body["tagsDeleted"] or [])
    return None if manifests is None or tags is None else RepositoryDeleted(manifests, tags)


def _texts(found: object) -> tuple[str, ...] | None:
    return tuple(found) if isinstance(found, list) and all(isinstance(one, str) for one in found) else None


def _read_again(client: RegistryClient, name: str, title: str) -> None:
    """Looks again whether a repository is gone whose deletion was accepted. Raises ServiceError where it is not."""
    try:
        left = find_repository(client, name)
    except ServiceError as error:
        failure = replace(error, title=f"{title}: it could not be read back", code="NotConfirmed")
        raise unknown(failure) from error
    if left:
        raise ServiceError(
            title,
            f"The registry accepted it, and the repository is still there with {left.manifest_count:,} manifests.",
            "The registry may not be done yet, or somebody pushed in the same moment: refresh in a minute.",
            "NotConfirmed",
        )


def _difference(client: RegistryClient, plan: RepositoryDeletionPlan) -> str:
    rows = manifest_rows(client, plan.repository).all_values()
    tags = all_tags(client, plan.repository).all_values()
    if came := {row.digest for row in rows} - set(plan.digests):
        return f"Since it was planned, {len(came):,} manifests have come, {min(came)} for one."
    moved = {(tag.name, tag.digest) for tag in tags} - set(plan.tags)
    if moved:
        return f"Since it was planned, tags have come or moved: {', '.join(sorted(tag for tag, _ in moved)[:5])}."
    return ""
