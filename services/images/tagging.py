"""Adding, moving and removing tags, without docker: each first as a plan, then done, then read back.

The registry offers no compare-and-swap: between the last look at a tag and the write to it lies one round trip.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Event

from services.connection.changes import LOOK_AGAIN, Outcome, changed, refused, remove
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, as_service_error, says_gone
from services.connection.names import is_tag, require_digest, require_tag
from services.connection.parallel import Partial, parallel_map
from services.images.manifest_reading import ACCEPT
from services.images.repositories import Repository, Tag, find_tag, get_manifest_row, get_repository, get_tag


@dataclass(frozen=True)
class TagPlan:
    """Puts `tag` on `digest`. `current_digest` is where it points now, None for a new tag.

    `refusal` is '' where it can be done, else the reason in words.
    """

    repository: str
    digest: str
    tag: str
    current_digest: str | None
    refusal: str


@dataclass(frozen=True)
class UntagItem:
    """One tag to remove; `digest` is '' where the tag could not be read, `refusal` '' where it can be removed."""

    tag: str
    digest: str
    refusal: str


@dataclass(frozen=True)
class UntagPlan:
    """Removes the tags of `items` that are not refused; `left_untagged` are the digests that then have no tag."""

    repository: str
    items: tuple[UntagItem, ...]
    left_untagged: tuple[str, ...]


@dataclass(frozen=True)
class UntagResult:
    """What became of one tag, and the digest that it pointed to.

    DELETED: requested, and the tag is gone, as read back. ALREADY_DONE: there was no such tag; after a lost answer that
    may be our own doing. NOT_CONFIRMED: accepted, and the tag is still there or could not be read back.
    """

    tag: str
    digest: str
    outcome: Outcome


# Add or move


def plan_tag(client: RegistryClient, repository: str, digest: str, tag: str) -> TagPlan:
    """What putting `tag` on `digest` would do. Two requests.

    Raises ServiceError: InvalidTag, InvalidDigest, NAME_UNKNOWN where the repository is gone.
    """
    title = f"Could not tag {repository}@{digest}"
    require_tag(title, tag)
    require_digest(title, digest)
    return decide_tag(get_repository(client, repository), digest, tag, find_tag(client, repository, tag))


def decide_tag(repository: Repository, digest: str, tag: str, current: Tag | None) -> TagPlan:
    """The plan, from the repository's locks and the tag as it is (None: there is none). Pure.

    A lock against deletion alone does not keep a tag from moving, nor does a lock of the manifest:
    https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
    """
    refusal = ""
    if current and current.digest == digest:
        refusal = f"The tag {tag} points to this digest already."
    elif current and not current.locks.write:
        refusal = f"The tag {tag} is locked against writing: unlock it first."
    elif not repository.locks.write:
        refusal = f"The repository {repository.name} is locked against writing: unlock it first."
    elif not repository.locks.read:
        refusal = (
            f"The repository {repository.name} is locked against reading, and a tag is put by the manifest's bytes."
        )
    return TagPlan(repository.name, digest, tag, current.digest if current else None, refusal)


def apply_tag(client: RegistryClient, plan: TagPlan) -> Tag:
    """Sends the manifest's own bytes and media type under the tag; returns the tag as read back.

    Nothing is written where the bytes are not those of the digest, or the tag is not where the plan saw it.
    Raises ServiceError: Refused (by the plan), ChangedMeanwhile, DigestMismatch, DigestChanged, NotConfirmed (put, but
    not read back), REGISTRY_DISALLOWED_OPERATION (a lock), and what reading raises.
    """
    title = f"Could not put the tag {plan.repository}:{plan.tag}"
    require_tag(title, plan.tag)
    require_digest(title, plan.digest)
    if plan.refusal:
        raise refused(title, plan.refusal)
    content, media_type = _manifest_bytes(client, plan, title)
    current = find_tag(client, plan.repository, plan.tag)
    if (current.digest if current else None) != plan.current_digest:
        raise _changed(title, plan.tag, plan.current_digest, current)
    path = path_of("/v2/{repository}/manifests/{tag}", repository=plan.repository, tag=plan.tag)
    try:
        with as_service_error(title):
            answer = client.send("PUT", path, content=content, headers={"Content-Type": media_type})
    except ServiceError as error:
        return _put_all_the_same(client, plan, error)
    _prove(title, plan.digest, answer.headers.get("Docker-Content-Digest"), "answered with")
    try:
        tag = get_tag(client, plan.repository, plan.tag)
    except ServiceError as error:
        raise replace(
            error,
            title=f"Put the tag {plan.repository}:{plan.tag}, but could not read it back",
            remedy="The registry accepted it. Refresh the list to see where the tag points.",
            code="NotConfirmed",
        ) from error
    _prove(title, plan.digest, tag.digest, "has the tag at")
    return tag


def _manifest_bytes(client: RegistryClient, plan: TagPlan, title: str) -> tuple[bytes, str]:
    """The manifest as it is stored, and its media type."""
    path = path_of("/v2/{repository}/manifests/{digest}", repository=plan.repository, digest=plan.digest)
    with as_service_error(title):
        response = client.raw(path, accept=ACCEPT)
    found = "sha256:" + hashlib.sha256(response.content).hexdigest()
    if found != plan.digest:
        raise ServiceError(
            title,
            f"The registry sent other bytes than asked for: their digest is {found}. Nothing was written.",
            "Do not use this image. Something between here and the registry changes content.",
            "DigestMismatch",
        )
    return response.content, str(response.headers.get("Content-Type", "")).partition(";")[0].strip()


def _prove(title: str, digest: str, found: str | None, verb: str) -> None:
    if found != digest:
        raise ServiceError(
            title,
            f"The tag was put on {digest}, and the registry {verb} {found or 'no digest'}.",
            "Somebody else may have moved it in the same moment: look where the tag points now.",
            "DigestChanged",
        )


def _put_all_the_same(client: RegistryClient, plan: TagPlan, error: ServiceError) -> Tag:
    """The tag, where a write that failed has put it: its answer was lost. Raises `error` where it has not."""
    try:
        tag = find_tag(client, plan.repository, plan.tag)
    except ServiceError:
        raise replace(error, remedy=f"Whether it was done is not known. {LOOK_AGAIN}") from error
    if tag and tag.digest == plan.digest:
        return tag
    raise error


# Remove


def plan_untag(client: RegistryClient, repository: str, tags: Iterable[str]) -> UntagPlan:
    """What removing these tags would do: a request for each tag and each digest, in parallel.

    Untagging frees no space: the manifest and its layers stay, and pulls by digest go on.
    A tag that can't be read is an item refused with the reason. Raises ServiceError where the repository is gone or
    a manifest's tags can't be read: then what would be left untagged is not known.
    """
    of_repository = get_repository(client, repository)
    names = list(dict.fromkeys(tags))

    def read(name: str) -> Tag | str:
        if not is_tag(name):
            return "That is no name for a tag."
        try:
            return find_tag(client, repository, name) or f"There is no tag {name}."
        except ServiceError as error:
            return str(error)

    seen = dict(zip(names, parallel_map(read, names).values, strict=True))
    digests = list(dict.fromkeys(tag.digest for tag in seen.values() if isinstance(tag, Tag)))
    rows = parallel_map(lambda digest: get_manifest_row(client, repository, digest), digests)
    if rows.refused:
        raise rows.refused[0].error
    return decide_untag(of_repository, seen, {row.digest: row.tags for row in rows.values})


def decide_untag(
    repository: Repository, found: Mapping[str, Tag | str], tags_of: Mapping[str, Iterable[str]]
) -> UntagPlan:
    """The plan, from each tag as it is (or why it could not be read) and the tags of each digest. Pure."""
    items = tuple(
        UntagItem(name, "", tag)
        if isinstance(tag, str)
        else UntagItem(name, tag.digest, _untag_refusal(repository, tag))
        for name, tag in found.items()
    )
    going = {item.tag: item.digest for item in items if not item.refusal}
    left = (digest for digest in dict.fromkeys(going.values()) if set(tags_of.get(digest, ())) <= going.keys())
    return UntagPlan(repository.name, items, tuple(left))


def _untag_refusal(repository: Repository, tag: Tag) -> str:
    """Why a tag can't be removed; '' where it can."""
    for what, locks in ((f"tag {tag.name}", tag.locks), (f"repository {repository.name}", repository.locks)):
        if against := locks.against_deletion:
            return f"The {what} is locked against {against}: unlock it first."
    return ""


def apply_untag(
    client: RegistryClient,
    plan: UntagPlan,
    *,
    done: Callable[[int, UntagResult | None], None] | None = None,
    stop: Event | None = None,
) -> Partial[UntagResult]:
    """Removes the plan's tags one by one; each has its own result or its own ServiceError, in the plan's order.

    Refused: what the plan refused (Refused; no request is sent), a tag that moved since (ChangedMeanwhile), a lock that
    appeared (REGISTRY_DISALLOWED_OPERATION). `done` and `stop` as in `parallel_map`. No space is freed.
    """
    return parallel_map(
        lambda item: _untag(client, plan.repository, item),
        plan.items,
        name=lambda item: item.tag,
        done=done,
        stop=stop,
    )


def _untag(client: RegistryClient, repository: str, item: UntagItem) -> UntagResult:
    title = f"Could not remove the tag {repository}:{item.tag}"
    require_tag(title, item.tag)
    if item.refusal:
        raise refused(title, item.refusal)
    current = find_tag(client, repository, item.tag)
    if current is None:
        return UntagResult(item.tag, item.digest, Outcome.ALREADY_DONE)
    if current.digest != item.digest:
        raise _changed(title, item.tag, item.digest, current)
    path = path_of("/acr/v1/{repository}/_tags/{tag}", repository=repository, tag=item.tag)
    outcome = remove(
        title, lambda: client.send("DELETE", path), lambda: get_tag(client, repository, item.tag), says_gone
    )
    return UntagResult(item.tag, item.digest, outcome)


# Both


def _changed(title: str, tag: str, planned: str | None, current: Tag | None) -> ServiceError:
    then = f"pointed to {planned}" if planned else "was not there"
    now = f"points to {current.digest}" if current else "is gone"
    return changed(title, f"The tag {tag} {then} when it was planned, and now {now}.")
