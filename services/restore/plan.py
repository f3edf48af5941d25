"""What a restore brings back, decided before anything is sent.

A registry restores one manifest with one tag a request: neither the platforms of an index nor what refers to it, and a
referrer only after its subject.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, TypeVar

from services.commands import images as az_images
from services.connection.data_plane import RegistryClient
from services.connection.names import is_digest, is_tag
from services.connection.parallel import parallel_map
from services.images.manifests import Kind, Manifest, attached_to
from services.images.repositories import ManifestRow, Repository, Tag, find_manifest_row, find_repository, find_tag
from services.restore.deleted import DeletedContents, read_deleted
from services.wording import counted


class Why(StrEnum):
    """Why something is in a plan."""

    CHOSEN = "chosen"
    CHILD = "listed by an index that is restored"
    REFERRER = "refers to one that is restored"
    ATTACHED = "attached by its tag to one that is restored"


@dataclass(frozen=True)
class RestoreItem:
    """One request: a manifest with `tag`, or without one where that is "". `current_digest`: what the tag points to
    now, None where there is no such tag. `after`: the digests that are restored before it. `blocker`: why it can't be,
    "" where it can."""

    digest: str
    tag: str
    why: Why = Why.CHOSEN
    current_digest: str | None = None
    after: tuple[str, ...] = ()
    blocker: str = ""

    @property
    def name(self) -> str:
        """The tag, or the digest."""
        return self.tag or self.digest

    @property
    def moves(self) -> bool:
        """Whether a tag that is there is moved to it."""
        return self.current_digest is not None and self.current_digest != self.digest


@dataclass(frozen=True)
class RestorePlan:
    """Restores the items of `unblocked`. `unknown`: the digests of which the console does not know what they are, so
    that platforms are found only once an index is restored, and what refers to it is not."""

    registry: str
    repository: str
    items: tuple[RestoreItem, ...]
    unknown: tuple[str, ...] = ()

    @property
    def unblocked(self) -> tuple[RestoreItem, ...]:
        return tuple(item for item in self.items if not item.blocker)

    @property
    def moved(self) -> tuple[RestoreItem, ...]:
        """The items whose tag is there now, and points to another manifest."""
        return tuple(item for item in self.unblocked if item.moves)

    @property
    def blockers(self) -> tuple[str, ...]:
        """Why nothing can be restored; empty where something can."""
        return () if self.unblocked else tuple(dict.fromkeys(item.blocker for item in self.items))

    @property
    def warnings(self) -> tuple[str, ...]:
        found = []
        if moved := self.moved:
            names = ", ".join(item.tag for item in moved[:5]) + (" and more" if len(moved) > 5 else "")
            move = "moves" if len(moved) == 1 else "move"
            found.append(
                f"{counted(len(moved), 'tag exists', 'tags exist')} and {move} to what is restored: {names}. While "
                "soft delete is on, a moved tag can be restored in turn."
            )
        if blocked := len(self.items) - len(self.unblocked):
            causes = " ".join(dict.fromkeys(item.blocker for item in self.items if item.blocker))
            found.append(f"{counted(blocked, 'item')} can't be restored: {causes}")
        if self.unknown:
            found.append(
                f"{counted(len(self.unknown), 'manifest is', 'manifests are')} not known to the console: of an index, "
                "the platforms are restored after it, signatures and SBOMs only where they are chosen too."
            )
        return tuple(found)

    @property
    def commands(self) -> tuple[str, ...]:
        return tuple(
            az_images.restore(self.registry, self.repository, item.tag, item.digest, force=item.moves)
            if item.tag
            else az_images.restore_untagged(self.registry, self.repository, item.digest)
            for item in self.unblocked
        )


@dataclass(frozen=True)
class Current:
    """A repository as it is now: None where it is deleted; its tags and manifests of those that the plan is about."""

    repository: Repository | None
    tags: Mapping[str, Tag]
    manifests: Mapping[str, ManifestRow]


def plan_restore(
    registry: str,
    deleted: DeletedContents,
    wanted: Iterable[tuple[str, str]],
    current: Current,
    known: Mapping[str, Manifest],
) -> RestorePlan:
    """What restoring `wanted` would do: digests, each with a tag or "". Pure.

    With each comes what belongs to it, as far as `known` (digest → manifest) says: the platforms of an index, what
    refers to it, and what is attached by its tag. `registry` is the registry's name. Items come in an order that works.
    """
    there = {one.digest for one in deleted.manifests}
    asked = dict.fromkeys(wanted)
    tagged = {digest for digest, tag in asked if tag}
    chosen = [(digest, tag) for digest, tag in asked if tag or digest not in tagged]
    why = _closure(dict.fromkeys(digest for digest, _ in chosen), there, known, deleted)
    items = [RestoreItem(digest, tag) for digest, tag in chosen]
    tagged = {digest for digest, _ in chosen}
    for digest, reason in why.items():
        if digest in tagged:
            continue
        attached = [one.tag for one in deleted.tags_of(digest) if attached_to(one.tag) in why]
        items += [RestoreItem(digest, tag, reason) for tag in attached or [""]]
    planned = {item.digest for item in items} & there
    finished: dict[str, RestoreItem] = {}
    for item in items:
        one = _finished(item, planned, there, current, known)
        if (other := finished.setdefault(item.name, one)) is not one:
            # Two manifests can't have one tag.
            finished[item.name] = replace(other, blocker=f"The tag {item.tag} is chosen of two manifests.")
    ordered = in_order(finished.values())
    unknown = tuple(sorted(planned - known.keys()))
    return RestorePlan(registry, deleted.repository, ordered, unknown)


def _closure(
    chosen: Collection[str], there: Collection[str], known: Mapping[str, Manifest], deleted: DeletedContents
) -> dict[str, Why]:
    """Every digest that is restored, with the reason."""
    referrers: dict[str, list[str]] = {}
    for digest in there:
        if (manifest := known.get(digest)) and manifest.subject:
            referrers.setdefault(manifest.subject, []).append(digest)
    attached: dict[str, list[str]] = {}
    for tag in deleted.tags:
        if subject := attached_to(tag.tag):
            attached.setdefault(subject, []).append(tag.digest)
    why = dict.fromkeys(chosen, Why.CHOSEN)
    waiting = list(why)
    for digest in waiting:  # It grows while it runs.
        children = [child.digest for child in known[digest].children] if digest in known else []
        for reason, found in (
            (Why.CHILD, children),
            (Why.REFERRER, referrers.get(digest, ())),
            (Why.ATTACHED, attached.get(digest, ())),
        ):
            for one in found:
                if one in there and one not in why:
                    why[one] = reason
                    waiting.append(one)
    return why


def _finished(
    item: RestoreItem, planned: set[str], there: Collection[str], current: Current, known: Mapping[str, Manifest]
) -> RestoreItem:
    """The item with what precedes it, where its tag is, and what blocks it."""
    tag = current.tags.get(item.tag) if item.tag else None
    manifest = known.get(item.digest)
    first: list[str] = []
    if manifest:
        first = [child.digest for child in manifest.children] if manifest.kind is Kind.INDEX else []
        first += [manifest.subject] if manifest.subject else []
    after = tuple(digest for digest in dict.fromkeys(first) if digest in planned and digest != item.digest)
    found = replace(item, current_digest=tag.digest if tag else None, after=after)
    return replace(found, blocker=_blocker(found, tag, there, current))


def _blocker(item: RestoreItem, tag: Tag | None, there: Collection[str], current: Current) -> str:
    live = item.digest in current.manifests
    if item.digest not in there and not live:
        return f"{item.name} is not among what can be restored: it has expired, or was restored or purged."
    if live and (not item.tag or item.current_digest == item.digest):
        return f"{item.name} is there: nothing is left to restore."
    if current.repository and not current.repository.locks.write:
        return f"The repository {current.repository.name} is locked against writing: unlock it first."
    if item.moves and tag and not tag.locks.write:
        return f"The tag {item.tag} is there and locked against writing: unlock it first."
    return ""


class _Item(Protocol):
    """What comes after others: `after` has their digests."""

    @property
    def digest(self) -> str: ...

    @property
    def after(self) -> tuple[str, ...]: ...


Item = TypeVar("Item", bound=_Item)


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """Each item behind those that it comes after; in a circle, as they are."""
    found: list[Item] = []
    left = list(items)
    while left:
        waiting = {item.digest for item in left}
        ready = [item for item in left if not waiting.intersection(item.after)] or left
        found += ready
        left = [item for item in left if item not in ready]
    return tuple(found)


def read_restore_plan(
    client: RegistryClient,
    registry: str,
    repository: str,
    wanted: Iterable[tuple[str, str]],
    known: Mapping[str, Manifest],
) -> RestorePlan:
    """Reads what `plan_restore` needs: the lists of what is deleted, and a request for each tag and digest.

    What can be no tag or digest is left out. Raises ServiceError.
    """
    asked = [(digest, tag) for digest, tag in wanted if is_digest(digest) and (not tag or is_tag(tag))]
    deleted = read_deleted(client, repository)
    of_repository = find_repository(client, repository)
    first = plan_restore(registry, deleted, asked, Current(of_repository, {}, {}), known)
    names = list(dict.fromkeys(item.tag for item in first.items if item.tag))
    digests = list(dict.fromkeys(item.digest for item in first.items))
    tags, rows = (
        parallel_map(lambda name: find_tag(client, repository, name), names, server=client.login_server).all_values(),
        parallel_map(
            lambda digest: find_manifest_row(client, repository, digest), digests, server=client.login_server
        ).all_values(),
    )
    current = Current(of_repository, {tag.name: tag for tag in tags if tag}, {row.digest: row for row in rows if row})
    return plan_restore(registry, deleted, asked, current, known)
