"""Locks of a repository, a tag and a manifest: set, and what a combination of them means.

The three are separate: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from threading import Event
from typing import Literal

from services.connection.changes import is_unknown, write
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, says_gone
from services.connection.names import require_digest, require_tag
from services.connection.parallel import Partial, Progress, counter, parallel_map
from services.images.repositories import Locks, get_manifest_row, get_repository, get_tag

Lockable = Literal["repository", "tag", "manifest"]

_NAMES = ("delete", "write", "list", "read")
_MAY_NOT_LOCK = (
    "The identity may not change locks. In Legacy mode Contributor may, and a custom role with "
    "Microsoft.ContainerRegistry/registries/metadata/write; AcrPush may not. In ABAC mode: Container Registry "
    "Repository Writer or Contributor."
)


def set_repository_locks(client: RegistryClient, repository: str, locks: Locks) -> Locks:
    """Sets a repository's locks; returns them as read back. Raises ServiceError as `set_tag_locks` does."""
    return _set(
        client,
        f"Could not set the locks of the repository {repository}",
        path_of("/acr/v1/{repository}", repository=repository),
        lambda: get_repository(client, repository).locks,
        locks,
    )


def set_tag_locks(client: RegistryClient, repository: str, tag: str, locks: Locks) -> Locks:
    """Sets a tag's locks, those that differ only; returns them as read back. The manifest's own stay.

    Raises ServiceError: InvalidTag, TAG_UNKNOWN, UNAUTHORIZED, NotConfirmed (accepted, but read back otherwise).
    """
    title = f"Could not set the locks of the tag {repository}:{tag}"
    require_tag(title, tag)
    path = path_of("/acr/v1/{repository}/_tags/{tag}", repository=repository, tag=tag)
    return _set(client, title, path, lambda: get_tag(client, repository, tag).locks, locks)


def set_manifest_locks(client: RegistryClient, repository: str, digest: str, locks: Locks) -> Locks:
    """Sets a manifest's locks, those that differ only; returns them as read back. Its tags' own stay.

    Raises ServiceError: InvalidDigest, MANIFEST_UNKNOWN, UNAUTHORIZED, NotConfirmed as `set_tag_locks` does.
    """
    title = f"Could not set the locks of {repository}@{digest}"
    require_digest(title, digest)
    path = path_of("/acr/v1/{repository}/_manifests/{digest}", repository=repository, digest=digest)
    return _set(client, title, path, lambda: get_manifest_row(client, repository, digest).locks, locks)


def change_tag_locks(
    client: RegistryClient,
    repository: str,
    tags: Iterable[str],
    changes: Mapping[str, bool],
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[Locks]:
    """Sets the locks in `changes` (delete, write, list, read; False is locked) of each tag, and leaves its others as
    they are; returns each as read back.

    A tag that fails is a Refusal of its own, with the error of `set_tag_locks`; after `stop` the rest is untried.
    """
    tags = list(tags)

    def change(tag: str) -> Locks:
        require_tag(f"Could not set the locks of the tag {repository}:{tag}", tag)
        return set_tag_locks(client, repository, tag, replace(get_tag(client, repository, tag).locks, **changes))

    done = counter(progress, "tags", len(tags))
    return parallel_map(change, tags, server=client.login_server, done=done, stop=stop)


def change_repository_locks(
    client: RegistryClient,
    repositories: Iterable[str],
    changes: Mapping[str, bool],
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[Locks]:
    """As `change_tag_locks`, of repositories."""
    repositories = list(repositories)

    def change(name: str) -> Locks:
        return set_repository_locks(client, name, replace(get_repository(client, name).locks, **changes))

    done = counter(progress, "repositories", len(repositories))
    return parallel_map(change, repositories, server=client.login_server, done=done, stop=stop)


def _set(client: RegistryClient, title: str, path: str, read: Callable[[], Locks], wanted: Locks) -> Locks:
    """PATCH of what differs. A PATCH whose answer is lost is not sent again: reading back says whether it was done."""
    changes = _differing(read(), wanted)
    if not changes:
        return wanted

    def missed(found: Locks) -> list[str]:
        return [name for name in changes if name in _differing(found, wanted)]

    body = json.dumps({f"{name}Enabled": getattr(wanted, name) for name in changes}).encode()
    try:
        found = write(
            title,
            lambda: client.send("PATCH", path, content=body, headers={"Content-Type": "application/json"}),
            read,
            lambda locks: not missed(locks),
            says_gone,
        )
    except ServiceError as error:
        if error.code == "ConnectionLost" and not is_unknown(error):
            raise replace(error, remedy="They are as they were, as read back: try again.") from error
        if error.code == "UNAUTHORIZED":
            raise replace(error, remedy=_MAY_NOT_LOCK) from error
        raise
    return found or _read_again(title, read, missed)


def _read_again(title: str, read: Callable[[], Locks], missed: Callable[[Locks], list[str]]) -> Locks:
    """Locks whose change was accepted and did not show. Raises ServiceError where it still does not."""
    try:
        found = read()
    except ServiceError as error:
        raise replace(
            error,
            title=f"{title}: they could not be read back",
            remedy="Whether they are set is not known. Refresh to see the locks.",
            code="NotConfirmed",
        ) from error
    if names := missed(found):
        raise ServiceError(
            title,
            f"The registry accepted the change, and the locks do not show it: {', '.join(names)}.",
            "Somebody else may have set them back in the same moment: refresh to see the locks.",
            "NotConfirmed",
        )
    return found


def _differing(found: Locks, wanted: Locks) -> list[str]:
    return [name for name in _NAMES if getattr(found, name) != getattr(wanted, name)]


def meaning(locks: Locks, what: Lockable) -> str:
    """What the combination means for a repository, a tag or a manifest, in sentences.

    `write` off refuses deletion too, and no combination keeps from overwriting what can be deleted:
    https://github.com/Azure/acr/issues/561. A repository's locks hold for all that is in it, and nothing in it can be
    set free of them: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
    """
    if not locks.any:
        return "Not locked."
    said = [sentence for sentence in _SENTENCES[what](locks) if sentence]
    if what != "repository":
        said.append("A tag's locks do not lock its manifest, nor a manifest's its tags.")
    return " ".join(said)


def _of_repository(locks: Locks) -> tuple[str, ...]:
    return (
        "Nothing can be pushed to it or deleted from it, and no tag in it moves."
        if not locks.write
        else "Nothing in it can be deleted; pushing goes on, and tags still move."
        if not locks.delete
        else "",
        "It is hidden: lists of repositories leave it out, this console's too. Who knows its name still finds it."
        if not locks.list
        else "",
        "Pulls are refused for all that is in it: nodes that need to pull an image again fail to start its pods."
        if not locks.read
        else "",
    )


def _of_tag(locks: Locks) -> tuple[str, ...]:
    return (
        "It can't be moved to another digest, and so can't be removed either."
        if not locks.write
        else "It can't be removed, but it can be moved to another digest."
        if not locks.delete
        else "",
        "It is hidden from lists of tags; who knows its name still finds it." if not locks.list else "",
        "Pulls by this tag are refused; those by digest or by another tag go on." if not locks.read else "",
    )


def _of_manifest(locks: Locks) -> tuple[str, ...]:
    return (
        "It can't be deleted." if not (locks.write and locks.delete) else "",
        "It is hidden from lists of manifests, and who counts those misses it." if not locks.list else "",
        "Pulls of it are refused, by its digest and by each of its tags." if not locks.read else "",
    )


_SENTENCES = {"repository": _of_repository, "tag": _of_tag, "manifest": _of_manifest}
