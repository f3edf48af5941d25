"""What a registry keeps of what was deleted while its soft delete policy was on (a preview).

https://learn.microsoft.com/azure/container-registry/container-registry-soft-delete-policy. No SDK has it: the requests
are those of az 2.91 (azure-cli, acr/manifest.py and acr/repository.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from services.connection.answers import read_entries, time_or_none
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import as_service_error
from services.connection.parallel import Partial, Progress, Refusal, counter, parallel_map
from services.images.repositories import PAGE, repository_names

# Microsoft.ContainerRegistry/registries/deleted/read, at the registry: AcrPull and the repository roles lack it.
MAY_LIST = "It needs the action registries/deleted/read at the registry, as Reader, Contributor and Owner have it."


@dataclass(frozen=True)
class DeletedManifest:
    """A deleted manifest. The registry lists neither its type nor its size. Times are None where it reports none."""

    digest: str
    created: datetime | None
    deleted: datetime | None


@dataclass(frozen=True)
class DeletedTag:
    """A deleted tag and the manifest that it pointed to, which may be there still. One tag may have been deleted
    several times, of several manifests."""

    tag: str
    digest: str
    created: datetime | None
    deleted: datetime | None


@dataclass(frozen=True)
class DeletedContents:
    """What can be restored of one repository, the last deleted last; `whole` says that the repository itself is
    deleted. `unread`: parts of its lists that could not be understood."""

    repository: str
    manifests: tuple[DeletedManifest, ...]
    tags: tuple[DeletedTag, ...]
    whole: bool = False
    unread: tuple[Refusal, ...] = ()

    def latest(self, tag: str) -> DeletedTag | None:
        """The tag as it was deleted last; None where it was not deleted."""
        return next((one for one in reversed(self.tags) if one.tag == tag), None)

    def tags_of(self, digest: str) -> tuple[DeletedTag, ...]:
        """The deleted tags that pointed to a digest."""
        return tuple(one for one in self.tags if one.digest == digest)


def expires(deleted: datetime | None, days: int | None) -> datetime | None:
    """When what was deleted then is purged, by the `days` that the policy has now; None where either is unknown.

    The registry looks every 24 hours, and by the days that are set at that time.
    """
    return deleted + timedelta(days=days) if deleted and days else None


def deleted_repositories(client: RegistryClient) -> Partial[str]:
    """The names of the repositories that are deleted as such, and can be restored image by image. Raises
    ServiceError."""
    with as_service_error(f"Could not list the deleted repositories of {client.login_server}"):
        entries = _entries(client, path_of("/acr/v1/_deleted/_catalog", {"n": PAGE}), "repositories")
        return read_entries(
            f"deleted repositories of {client.login_server}", entries, lambda entry: entry["repository"]
        )


def read_deleted(client: RegistryClient, repository: str, *, whole: bool = False) -> DeletedContents:
    """What can be restored of one repository: two requests, more where it is thousands. Raises ServiceError."""
    with as_service_error(f"Could not list what is deleted in {repository}"):
        listed = _entries(client, _path(repository, "_manifests"), "manifests")
        manifests = read_entries(f"deleted manifests of {repository}", listed, _manifest)
        listed = _entries(client, _path(repository, "_tags"), "tags")
        tags = read_entries(f"deleted tags of {repository}", listed, _tag)
    return DeletedContents(repository, manifests.values, tags.values, whole, manifests.refused + tags.refused)


def read_all_deleted(
    client: RegistryClient, *, progress: Progress | None = None, stop: Event | None = None
) -> Partial[DeletedContents]:
    """What can be restored of every repository of a registry, those without anything left out; two requests each.

    A repository that can't be listed is a Refusal. Raises ServiceError where the repositories can't be listed.
    """
    gone = deleted_repositories(client)
    names = [name for page in repository_names(client) for name in page]
    whole = set(gone.values) - set(names)
    every = [*sorted(whole), *names]
    read = parallel_map(
        lambda name: read_deleted(client, name, whole=name in whole),
        every,
        server=client.login_server,
        done=counter(progress, "repositories", len(every)),
        stop=stop,
    )
    found = tuple(one for one in read.values if one.manifests or one.tags or one.unread)
    within = tuple(refusal for one in found for refusal in one.unread)
    return Partial(found, gone.refused + read.refused + within, read.untried)


def _path(repository: str, which: str) -> str:
    return path_of("/acr/v1/_deleted/{repository}/", {}, repository=repository) + f"{which}?n={PAGE}"


def _entries(client: RegistryClient, path: str, member: str) -> Iterable[Any]:
    for body in client.pages(path):
        found: Sequence[Any] | None = body.get(member)
        if found is not None and not isinstance(found, list):
            raise ValueError(f"{member!r} is no list")
        yield from found or ()


def _manifest(entry: dict[str, Any]) -> DeletedManifest:
    return DeletedManifest(entry["digest"], time_or_none(entry.get("createdAt")), time_or_none(entry.get("deletedAt")))


def _tag(entry: dict[str, Any]) -> DeletedTag:
    return DeletedTag(
        entry["tag"], entry["digest"], time_or_none(entry.get("createdAt")), time_or_none(entry.get("deletedAt"))
    )
