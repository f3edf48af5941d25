"""Repositories, tags and manifests of a registry. Reading only.

Lists go from JSON straight to values: the SDK's models cost twelve times the JSON itself, and drop the
media types without which an index looks like an image.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.connection.answers import checked, read_entries, time_or_none
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import as_service_error, if_there, says_gone
from services.connection.parallel import Partial, Refusal, parallel_map
from services.images.manifests import known_size

# The service cuts a larger page to 1000 without an error: https://github.com/Azure/acr/issues/749
PAGE = 1000


@dataclass(frozen=True)
class Locks:
    """What may be done; False is a lock. `write` False also refuses deletion."""

    delete: bool = True
    write: bool = True
    list: bool = True
    read: bool = True

    @property
    def any(self) -> bool:
        return not (self.delete and self.write and self.list and self.read)

    @property
    def deletable(self) -> bool:
        """A lock against writing refuses deletion too (`az acr repository update --help`)."""
        return self.delete and self.write

    @property
    def against_deletion(self) -> str:
        """What the lock that refuses deletion is against, in words; '' where none does."""
        if self.deletable:
            return ""
        return "deletion" if self.write else "writing, and so against deletion"

    @property
    def label(self) -> str:
        """'delete, write' for what is locked, '' for nothing."""
        return ", ".join(name for name in ("delete", "write", "list", "read") if not getattr(self, name))


@dataclass(frozen=True)
class Repository:
    """A repository's attributes as `az acr repository show` prints them. Times are None where the registry reports
    none."""

    registry: str
    name: str
    created: datetime | None
    updated: datetime | None
    manifest_count: int
    tag_count: int
    locks: Locks


@dataclass(frozen=True)
class Tag:
    """`updated` also moves when the tag or its attributes change: it is not the age of the image. Times are None where
    the registry reports none."""

    name: str
    digest: str
    created: datetime | None
    updated: datetime | None
    locks: Locks


@dataclass(frozen=True)
class TagPage:
    """One page of tags; `next` is what to ask the next page after, None on the last. `refused`: tags of the page that
    could not be understood."""

    tags: tuple[Tag, ...]
    next: str | None
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class ManifestRow:
    """What the registry's metadata say of one manifest. `size` is bytes of its layers, compressed. Size and times are
    None where the registry reports none, or one that can't be.

    Children of an index and referrers have no tags either: no tags does not mean unused.
    """

    digest: str
    media_type: str
    config_media_type: str
    artifact_type: str
    size: int | None
    created: datetime | None
    updated: datetime | None
    os: str
    architecture: str
    tags: tuple[str, ...]
    locks: Locks

    @property
    def platform(self) -> str:
        """linux/amd64; '' for an index, and for an attestation, whose platform is unknown/unknown."""
        return "/".join(part for part in (self.os, self.architecture) if part and part != "unknown")


def repository_names(client: RegistryClient) -> Iterator[list[str]]:
    """The catalogue, a page at a time, in the registry's order. In ABAC mode it needs Catalog Lister."""
    with as_service_error(f"Could not list the repositories of {client.login_server}"):
        for body in client.pages(path_of("/acr/v1/_catalog", {"n": PAGE})):
            names = _entries(body, "repositories")
            if not all(isinstance(name, str) for name in names):
                raise ValueError("a repository's name is no text")
            yield names


def all_repository_names(client: RegistryClient) -> tuple[str, ...]:
    """The whole catalogue: every repository that the identity may list, in the registry's order."""
    return tuple(name for names in repository_names(client) for name in names)


def get_repository(client: RegistryClient, name: str) -> Repository:
    """One repository's attributes. Raises ServiceError (NAME_UNKNOWN where it is gone)."""
    with as_service_error(f"Could not read the repository {name}"):
        found = client.page(path_of("/acr/v1/{name}", {"api-version": "2021-07-01"}, name=name)).body
        return checked(
            Repository(
                client.login_server,
                found["imageName"],
                time_or_none(found.get("createdTime")),
                time_or_none(found.get("lastUpdateTime")),
                found["manifestCount"],
                # Where nothing has a tag, the number may be left out.
                found.get("tagCount") or 0,
                _locks(found.get("changeableAttributes")),
            )
        )


def as_az_prints(repository: Repository) -> str:
    """The JSON of `az acr repository show`, its keys in az's order."""
    locks = repository.locks
    printed = {
        "changeableAttributes": {
            "deleteEnabled": locks.delete,
            "listEnabled": locks.list,
            "readEnabled": locks.read,
            "writeEnabled": locks.write,
        },
        "createdTime": repository.created.isoformat() if repository.created else None,
        "imageName": repository.name,
        "lastUpdateTime": repository.updated.isoformat() if repository.updated else None,
        "manifestCount": repository.manifest_count,
        "registry": repository.registry,
        "tagCount": repository.tag_count,
    }
    return json.dumps(printed, indent=2)


def get_repositories(
    client: RegistryClient,
    names: list[str],
    *,
    done: Callable[[Repository | None], None] | None = None,
    stop: Event | None = None,
) -> Partial[Repository]:
    """The attributes of many repositories, one request each, in the order of `names`."""
    with as_service_error(f"Could not sign in to {client.login_server}"):
        client.tokens.hold_for_reading(names)
    return parallel_map(
        lambda name: get_repository(client, name),
        names,
        server=client.login_server,
        done=(lambda _, found: done(found if isinstance(found, Repository) else None)) if done else None,
        stop=stop,
    )


def tag_page(client: RegistryClient, repository: str, *, size: int, after: str | None = None) -> TagPage:
    """One page of tags, the newest first; `after` is the former page's `next`."""
    query: dict[str, str | int] = {"n": size, "orderby": "timedesc"}
    if after:
        query["last"] = after
    with as_service_error(f"Could not list the tags of {repository}"):
        page = client.page(path_of("/acr/v1/{repository}/_tags", query, repository=repository))
        following = parse_qs(urlsplit(page.next).query).get("last", [None])[0] if page.next else None
        read = read_entries(f"tags of {repository}", _entries(page.body, "tags"), _tag)
        return TagPage(read.values, following, read.refused)


def all_tags(client: RegistryClient, repository: str) -> Partial[Tag]:
    """All tags of one repository, each once, in the registry's order; those locked against listing are not among
    them."""
    path = path_of("/acr/v1/{repository}/_tags", {"n": PAGE}, repository=repository)
    with as_service_error(f"Could not list the tags of {repository}"):
        entries = (entry for body in client.pages(path) for entry in _entries(body, "tags"))
        read = read_entries(f"tags of {repository}", entries, _tag)
    return replace(read, values=tuple({tag.name: tag for tag in read.values}.values()))


def get_tag(client: RegistryClient, repository: str, tag: str) -> Tag:
    """One tag. Raises ServiceError (TAG_UNKNOWN where it is gone)."""
    with as_service_error(f"Could not read the tag {repository}:{tag}"):
        body = client.page(path_of("/acr/v1/{repository}/_tags/{tag}", repository=repository, tag=tag)).body
        return checked(_tag(body["tag"]))


def find_tag(client: RegistryClient, repository: str, tag: str) -> Tag | None:
    """The tag; None where the registry itself says that there is none. Raises ServiceError for any other failure."""
    return if_there(lambda: get_tag(client, repository, tag), says_gone)


def find_repository(client: RegistryClient, name: str) -> Repository | None:
    """The repository; None where the registry itself says that there is none, as `find_tag`."""
    return if_there(lambda: get_repository(client, name), says_gone)


def get_manifest_row(client: RegistryClient, repository: str, digest: str) -> ManifestRow:
    """The metadata of one manifest. Raises ServiceError (MANIFEST_UNKNOWN where it is gone)."""
    path = path_of("/acr/v1/{repository}/_manifests/{digest}", repository=repository, digest=digest)
    with as_service_error(f"Could not read {repository}@{digest}"):
        return checked(_manifest_row(client.page(path).body["manifest"]))


def find_manifest_row(client: RegistryClient, repository: str, digest: str) -> ManifestRow | None:
    """The metadata of one manifest; None where the registry itself says that there is none, as `find_tag`."""
    return if_there(lambda: get_manifest_row(client, repository, digest), says_gone)


def manifest_rows(client: RegistryClient, repository: str) -> Partial[ManifestRow]:
    """All manifests of one repository, tagged or not, in the registry's order; one request a page of 1000.

    Each digest once, as it was listed last: a list that changes while it is read may name one twice.
    """
    path = path_of("/acr/v1/{repository}/_manifests", {"n": PAGE}, repository=repository)
    with as_service_error(f"Could not list the manifests of {repository}"):
        entries = (entry for body in client.pages(path) for entry in _entries(body, "manifests"))
        read = read_entries(f"manifests of {repository}", entries, _manifest_row)
    return replace(read, values=tuple({row.digest: row for row in read.values}.values()))


def _entries(body: dict[str, Any], member: str) -> list[Any]:
    """The entries of a page; none where the registry has none, and then leaves the member out or null."""
    found = body.get(member)
    if found is not None and not isinstance(found, list):
        raise ValueError(f"{member!r} is no list")
    return found or []


def last_update_of(item: Tag | ManifestRow) -> datetime:
    """The time to sort by: what has none counts as the newest."""
    return item.updated or datetime.max.replace(tzinfo=UTC)


def _locks(attributes: dict[str, Any] | None) -> Locks:
    """A missing attribute is no lock."""
    found = attributes or {}
    return Locks(*(found.get(f"{name}Enabled") is not False for name in ("delete", "write", "list", "read")))


def _tag(entry: dict[str, Any]) -> Tag:
    return Tag(
        entry["name"],
        entry["digest"],
        time_or_none(entry.get("createdTime")),
        time_or_none(entry.get("lastUpdateTime")),
        _locks(entry.get("changeableAttributes")),
    )


def _manifest_row(entry: dict[str, Any]) -> ManifestRow:
    return ManifestRow(
        digest=entry["digest"],
        media_type=entry.get("mediaType") or "",
        config_media_type=entry.get("configMediaType") or "",
        artifact_type=entry.get("artifactType") or "",
        size=known_size(entry.get("imageSize")),
        created=time_or_none(entry.get("createdTime")),
        updated=time_or_none(entry.get("lastUpdateTime")),
        os=entry.get("os") or "",
        architecture=entry.get("architecture") or "",
        tags=tuple(entry.get("tags") or ()),
        locks=_locks(entry.get("changeableAttributes")),
    )
