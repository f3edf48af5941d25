"""Adding, moving and removing tags, without docker: each first as a plan, then done, then read back.

The registry offers no compare-and-swap: between the last look at a tag and the write to it lies one round trip.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Event
from types import MappingProxyType

from services.commands import images as az_images
from services.connection.changes import Outcome, changed, refused, remove, write
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, says_gone
from services.connection.names import is_tag, require_digest, require_tag
from services.connection.parallel import Partial, parallel_map
from services.images.manifest_reading import read_raw
from services.images.repositories import Repository, Tag, find_tag, get_manifest_row, get_repository, get_tag
from services.wording import counted

# Of the sources, the roles' reference lets AcrPush and Repository Writer untag, the page on tokens asks for
# metadata/write, and az 2.91 for delete: https://learn.microsoft.com/azure/container-registry/
# container-registry-rbac-built-in-roles-directory-reference, container-registry-token-based-repository-permissions,
# and azure-cli's acr/repository.py.
UNTAG_RULE = (
    "Who may remove a tag and keep its manifest is not certain: whoever may delete may; for whoever may only push or "
    "change locks Microsoft's sources disagree."
)
_MAY_NOT_UNTAG = (
    "Ask for a role that deletes: AcrPull and AcrDelete in Legacy mode, Container Registry Repository Contributor in "
    f"ABAC mode. {UNTAG_RULE}"
)


@dataclass(frozen=True)
class TagPlan:
    """Puts `tag` on `digest`. `current_digest` is where it points now, None for a new tag. Nothing is sent while there
    are `blockers`; `commands` do the same."""

    repository: str
    digest: str
    tag: str
    current_digest: str | None
    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class UntagItem:
    """One tag to remove; `digest` is '' where the tag could not be read, `blocker` '' where it can be removed."""

    tag: str
    digest: str
    blocker: str = ""


@dataclass(frozen=True)
class UntagPlan:
    """Removes the tags of `unblocked`; `left_untagged` are digests that then have no tag. `registry` is its name."""

    registry: str
    repository: str
    items: tuple[UntagItem, ...]
    left_untagged: tuple[str, ...]

    @cached_property
    def unblocked(self) -> tuple[UntagItem, ...]:
        return tuple(item for item in self.items if not item.blocker)

    @property
    def blockers(self) -> tuple[str, ...]:
        """Why no tag can be removed; empty where one can."""
        return () if self.unblocked else tuple(dict.fromkeys(item.blocker for item in self.items))

    @property
    def warnings(self) -> tuple[str, ...]:
        if not self.left_untagged:
            return ()
        number = counted(len(self.left_untagged), "manifest has", "manifests have")
        it = "it" if len(self.left_untagged) == 1 else "they"
        return (f"{number} no other tag: {it} will be untagged.",)

    @property
    def commands(self) -> tuple[str, ...]:
        return tuple(az_images.untag(self.registry, self.repository, item.tag) for item in self.unblocked)


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


def plan_tag(registry: str, repository: Repository, digest: str, tag: str, current: Tag | None) -> TagPlan:
    """What putting `tag` on `digest` would do, from the repository and the tag as they are (None: no such tag). Pure.

    `registry` is the registry's name. A lock against deletion alone does not keep a tag from moving, nor does a lock of
    the manifest: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
    """
    blockers = []
    if current and current.digest == digest:
        blockers.append(f"The tag {tag} points to this digest already.")
    elif current and not current.locks.write:
        blockers.append(f"The tag {tag} is locked against writing: unlock it first.")
    elif not repository.locks.write:
        blockers.append(f"The repository {repository.name} is locked against writing: unlock it first.")
    elif not repository.locks.read:
        blockers.append(
            f"The repository {repository.name} is locked against reading, and a tag is put by the manifest's bytes."
        )
    move = current is not None
    line = az_images.add_tag(registry, repository.registry, repository.name, digest, tag, move=move)
    return TagPlan(repository.name, digest, tag, current.digest if current else None, tuple(blockers), commands=(line,))


def read_tag_plan(client: RegistryClient, registry: str, repository: str, digest: str, tag: str) -> TagPlan:
    """Reads what `plan_tag` needs: two requests.

    Raises ServiceError: InvalidTag, InvalidDigest, NAME_UNKNOWN where the repository is gone.
    """
    title = f"Could not tag {repository}@{digest}"
    require_tag(title, tag)
    require_digest(title, digest)
    return plan_tag(registry, get_repository(client, repository), digest, tag, find_tag(client, repository, tag))


def apply_tag(client: RegistryClient, plan: TagPlan) -> Tag:
    """Sends the manifest's own bytes and media type under the tag; returns the tag as read back.

    Nothing is written where the bytes are not those of the digest, or the tag is not where the plan saw it.
    Raises ServiceError: Refused (by the plan), ChangedMeanwhile, DigestMismatch, DigestChanged, NotConfirmed (put, but
    not read back), REGISTRY_DISALLOWED_OPERATION (a lock), and what reading raises.
    """
    title = f"Could not put the tag {plan.repository}:{plan.tag}"
    require_tag(title, plan.tag)
    require_digest(title, plan.digest)
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    content, content_type = read_raw(client, plan.repository, plan.digest, title)
    media_type = content_type.partition(";")[0].strip()
    current = find_tag(client, plan.repository, plan.tag)
    if (current.digest if current else None) != plan.current_digest:
        raise _changed(title, plan.tag, plan.current_digest, current)
    path = path_of("/v2/{repository}/manifests/{tag}", repository=plan.repository, tag=plan.tag)

    def send() -> None:
        answer = client.send("PUT", path, content=content, headers={"Content-Type": media_type})
        if (at := answer.headers.get("Docker-Content-Digest")) != plan.digest:
            raise _elsewhere(title, plan, f"answered with {at or 'no digest'}")

    tag = write(
        title,
        send,
        lambda: get_tag(client, plan.repository, plan.tag),
        lambda tag: tag.digest == plan.digest,
        says_gone,
    )
    return tag or _read_again(client, plan, title)


def _elsewhere(title: str, plan: TagPlan, how: str) -> ServiceError:
    return ServiceError(
        title,
        f"The tag was put on {plan.digest}, and the registry {how}.",
        "Somebody else may have moved it in the same moment: look where the tag points now.",
        "DigestChanged",
    )


def _read_again(client: RegistryClient, plan: TagPlan, title: str) -> Tag:
    """The tag that was put and did not show. Raises ServiceError where it still does not."""
    try:
        tag = get_tag(client, plan.repository, plan.tag)
    except ServiceError as error:
        raise replace(
            error,
            title=f"Put the tag {plan.repository}:{plan.tag}, but could not read it back",
            remedy="The registry accepted it. Refresh the list to see where the tag points.",
            code="NotConfirmed",
        ) from error
    if tag.digest != plan.digest:
        raise _elsewhere(title, plan, f"has the tag at {tag.digest}")
    return tag


# Remove


def plan_untag(
    registry: str,
    repository: Repository,
    found: Mapping[str, Tag | str],
    tags_of: Mapping[str, Iterable[str]],
    kept: Mapping[str, str] = MappingProxyType({}),
) -> UntagPlan:
    """What removing these tags would do: each as it is, or why it could not be read, and the tags of each digest. Pure.

    `registry` is the registry's name; `kept`: why a tag stays that could be removed, a sentence. Untagging frees no
    space: the manifest and its layers stay, and pulls by digest go on.
    """
    items = tuple(
        UntagItem(name, "", tag)
        if isinstance(tag, str)
        else UntagItem(name, tag.digest, _untag_blocker(repository, tag) or kept.get(name, ""))
        for name, tag in found.items()
    )
    unblocked = {item.tag: item.digest for item in items if not item.blocker}
    left = (digest for digest in dict.fromkeys(unblocked.values()) if set(tags_of.get(digest, ())) <= unblocked.keys())
    return UntagPlan(registry, repository.name, items, tuple(left))


def read_untag_plan(client: RegistryClient, registry: str, repository: str, tags: Iterable[str]) -> UntagPlan:
    """Reads what `plan_untag` needs: a request for each tag and each digest, in parallel.

    A tag that can't be read is an item blocked for that reason. Raises ServiceError where the repository is gone or a
    manifest's tags can't be read: then what would be left untagged is not known.
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

    seen = dict(zip(names, parallel_map(read, names, server=client.login_server).values, strict=True))
    digests = list(dict.fromkeys(tag.digest for tag in seen.values() if isinstance(tag, Tag)))
    rows = parallel_map(
        lambda digest: get_manifest_row(client, repository, digest), digests, server=client.login_server
    )
    if rows.refused:
        raise rows.refused[0].error
    return plan_untag(registry, of_repository, seen, {row.digest: row.tags for row in rows.values})


def _untag_blocker(repository: Repository, tag: Tag) -> str:
    """Why a tag can't be removed; '' where it can."""
    for what, locks in ((f"tag {tag.name}", tag.locks), (f"repository {repository.name}", repository.locks)):
        if against := locks.against_deletion:
            return f"The {what} is locked against {against}: unlock it first."
    return ""


def apply_untag(
    client: RegistryClient,
    plan: UntagPlan,
    *,
    on_result: Callable[[UntagItem, UntagResult | ServiceError], None] | None = None,
    stop: Event | None = None,
) -> Partial[UntagResult]:
    """Removes the plan's tags one by one; each has its own result or its own ServiceError, in the plan's order.

    Refused: what the plan refused (Refused; no request is sent), a tag that moved since (ChangedMeanwhile), a lock that
    appeared (REGISTRY_DISALLOWED_OPERATION). `on_result(item, what)` is called in the caller's thread as items end;
    after `stop` the rest is untried, and so it is after any error, as in `parallel_map`. No space is freed.
    """

    def finished(index: int, result: UntagResult | ServiceError) -> None:
        if on_result:
            on_result(plan.items[index], result)

    return parallel_map(
        lambda item: _untag(client, plan.repository, item),
        plan.items,
        server=client.login_server,
        name=lambda item: item.tag,
        done=finished,
        stop=stop,
    )


def _untag(client: RegistryClient, repository: str, item: UntagItem) -> UntagResult:
    title = f"Could not remove the tag {repository}:{item.tag}"
    require_tag(title, item.tag)
    if item.blocker:
        raise refused(title, item.blocker)
    current = find_tag(client, repository, item.tag)
    if current is None:
        return UntagResult(item.tag, item.digest, Outcome.ALREADY_DONE)
    if current.digest != item.digest:
        raise _changed(title, item.tag, item.digest, current)
    path = path_of("/acr/v1/{repository}/_tags/{tag}", repository=repository, tag=item.tag)
    try:
        outcome = remove(
            title, lambda: client.send("DELETE", path), lambda: get_tag(client, repository, item.tag), says_gone
        )
    except ServiceError as error:
        raise replace(error, remedy=_MAY_NOT_UNTAG) if error.code == "UNAUTHORIZED" else error from error
    return UntagResult(item.tag, item.digest, outcome)


# Both


def _changed(title: str, tag: str, planned: str | None, current: Tag | None) -> ServiceError:
    then = f"pointed to {planned}" if planned else "was not there"
    now = f"points to {current.digest}" if current else "is gone"
    return changed(title, f"The tag {tag} {then} when it was planned, and now {now}.")
