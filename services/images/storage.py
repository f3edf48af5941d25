"""What takes a registry's bytes, and what a deletion would free.

The unit is content: whatever has a digest (a layer, a config, a manifest's own bytes). A registry keeps it once,
however many manifests of however many repositories point to it, and deletes it with the last of them
(https://learn.microsoft.com/azure/container-registry/container-registry-concepts and -delete).
So sizes of images must not be added up: here each content counts once, by its digest.

Nothing is read here: these are functions of what `services.images.repository_contents` has read. All sizes are bytes.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.connection.parallel import Partial
from services.images.manifests import Kind, Manifest, attached_to
from services.images.repositories import ManifestRow
from services.images.repository_contents import RepositoryContents
from services.images.tree import referrers_of


@dataclass(frozen=True)
class ImageStorage:
    """A digest with its tags, and all that belongs to it: platforms, attestations, and what refers to any of them.

    `unique`: what belongs to no other image, and is in no other repository. Untagged manifests may still hold some of
    it: what deleting the image frees, `freed_bytes` says.
    """

    digest: str
    tags: tuple[str, ...]
    total: int
    unique: int

    @property
    def shared(self) -> int:
        return self.total - self.unique


@dataclass(frozen=True)
class RepositoryStorage:
    """One repository. `unique`, what is in no other, is exactly the sum of `images`' own unique bytes,
    `between_images` (what several of them hold), and `untagged` (what no tag leads to).

    `unread` counts manifests of which it is not known what they hold, `hidden` those that the registry does not list.
    """

    name: str
    total: int
    unique: int
    between_images: int
    untagged: int
    images: tuple[ImageStorage, ...]
    unread: int = 0
    hidden: int = 0

    @property
    def shared(self) -> int:
        """What other repositories hold too."""
        return self.total - self.unique

    @property
    def complete(self) -> bool:
        return not self.unread and not self.hidden


@dataclass(frozen=True)
class RegistryStorage:
    """One registry. `total` is exactly `shared` (what several repositories hold) and each repository's unique bytes.

    Where it is not `complete`, total is at least what it says, and what is called unique may be shared with what was
    not read: `missing` counts the repositories that were not read at all.
    """

    total: int
    shared: int
    repositories: tuple[RepositoryStorage, ...]
    missing: int = 0

    @property
    def untagged(self) -> int:
        """What no tag leads to, in all repositories."""
        return sum(repository.untagged for repository in self.repositories)

    @property
    def complete(self) -> bool:
        return not self.missing and all(repository.complete for repository in self.repositories)


def freed_bytes(repositories: Iterable[RepositoryContents], deleted: Mapping[str, Collection[str]]) -> int:
    """Bytes of what only manifests in `deleted` (repository name → digests) point to.

    `repositories` must be all of the registry: content that any other manifest points to stays. `deleted` must have
    all that is deleted: what the registry deletes along with a manifest (its referrers) is the caller's to add.
    Where a repository is not complete, this is the most that is freed.
    """
    sizes: dict[str, int] = {}
    kept: set[str] = set()
    for contents in repositories:
        deleted_sizes, kept_here = _split_content(contents, deleted.get(contents.name, ()))
        _add_sizes(sizes, deleted_sizes.items())
        kept |= kept_here
    return sum(size for digest, size in sizes.items() if digest not in kept)


def freed_by_repository(
    repositories: Iterable[RepositoryContents], deleted: Mapping[str, Collection[str]]
) -> dict[str, int]:
    """Repository name → bytes that are freed where only what `deleted` has of that repository is deleted. As
    `freed_bytes`, which may be more than their sum: what several share is freed with all of them."""
    split = {one.name: _split_content(one, deleted.get(one.name, ())) for one in repositories}
    holders = Counter(digest for sizes, kept in split.values() for digest in sizes.keys() | kept)
    return {
        name: sum(size for digest, size in sizes.items() if digest not in kept and holders[digest] == 1)
        for name, (sizes, kept) in split.items()
    }


def _split_content(contents: RepositoryContents, deleted: Collection[str]) -> tuple[dict[str, int], set[str]]:
    """The sizes of the contents that deleted manifests point to, and the digests of those that the others point to."""
    digests = frozenset(deleted)
    sizes: dict[str, int] = {}
    kept: set[str] = set()
    for row in contents.rows:
        content_of = _content_of(row, contents.manifests.get(row.digest))
        if row.digest in digests:
            _add_sizes(sizes, content_of)
        else:
            kept.update(digest for digest, _ in content_of)
    return sizes, kept


def _content_of(row: ManifestRow, manifest: Manifest | None) -> list[tuple[str, int]]:
    """The digest and size of each content that a manifest points to, its own bytes first.

    What does not give all its sizes (schema 1) has the rest of the size that the registry gives it, and so has a
    manifest that was not read: the most that it may hold of its own.
    """
    if manifest is None:
        return [(row.digest, row.size or 0)]
    descriptors = (manifest.config, *manifest.layers) if manifest.config else manifest.layers
    content = [(found.digest, found.size or 0) for found in descriptors]
    own = manifest.size
    if manifest.kind is not Kind.INDEX and (not descriptors or any(found.size is None for found in descriptors)):
        own = max(own, (row.size or 0) - sum(dict(content).values()))
    return [(row.digest, own), *content]


def _add_sizes(sizes: dict[str, int], content_of: Iterable[tuple[str, int]]) -> None:
    """Where manifests disagree about a size, the larger one holds."""
    for digest, size in content_of:
        if size > sizes.get(digest, -1):
            sizes[digest] = size


def registry_storage(read: Partial[RepositoryContents]) -> RegistryStorage:
    """What a registry stores, by repository and image: those with most bytes of their own first."""
    sizes: dict[str, int] = {}
    content_by_repository: list[dict[str, tuple[str, ...]]] = []
    for contents in read.values:
        content_of = {
            row.digest: _content_of(row, contents.manifests[row.digest])
            for row in contents.rows
            if row.digest in contents.manifests
        }
        for content in content_of.values():
            _add_sizes(sizes, content)
        content_by_repository.append(
            {manifest: tuple(digest for digest, _ in content) for manifest, content in content_of.items()}
        )
    everything = [
        {digest for content in content_of.values() for digest in content} for content_of in content_by_repository
    ]
    repositories_with = Counter(digest for digests in everything for digest in digests)
    found = [
        _repository(contents, content_of, sizes, {digest for digest in digests if repositories_with[digest] == 1})
        for contents, content_of, digests in zip(read.values, content_by_repository, everything, strict=True)
    ]
    return RegistryStorage(
        total=sum(sizes.values()),
        shared=sum(sizes[digest] for digest, repositories in repositories_with.items() if repositories > 1),
        repositories=tuple(sorted(found, key=lambda repository: (-repository.unique, repository.name))),
        missing=len(read.refused) + read.untried,
    )


def _repository(
    contents: RepositoryContents,
    content_of: Mapping[str, tuple[str, ...]],
    sizes: Mapping[str, int],
    own: Collection[str],
) -> RepositoryStorage:
    """`content_of` is manifest → its content; `own` the content that no other repository holds."""
    tags = _tags(contents)
    by_image = {
        digest: {content for manifest in closure for content in content_of.get(manifest, ())}
        for digest, closure in _closures(contents, tags).items()
    }
    images_with = Counter(digest for digests in by_image.values() for digest in digests)

    def add_up(digests: Iterable[str]) -> int:
        return sum(sizes[digest] for digest in digests)

    images = [
        ImageStorage(
            digest,
            tags[digest],
            add_up(content),
            add_up(found for found in content if images_with[found] == 1 and found in own),
        )
        for digest, content in by_image.items()
    ]
    return RepositoryStorage(
        name=contents.name,
        total=add_up({digest for content in content_of.values() for digest in content}),
        unique=add_up(own),
        between_images=add_up(digest for digest in own if images_with[digest] > 1),
        untagged=add_up(digest for digest in own if not images_with[digest]),
        images=tuple(sorted(images, key=lambda image: (-image.unique, image.tags))),
        unread=len(contents.unread) + contents.untried,
        hidden=contents.hidden,
    )


def _tags(contents: RepositoryContents) -> Mapping[str, tuple[str, ...]]:
    """Digest → its tags. A tag that moved while the lists were read is at both: neither then counts as untagged."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in contents.rows:
        found[row.digest].update(row.tags)
    for tag in contents.tags:
        found[tag.digest].add(tag.name)
    listed = {row.digest for row in contents.rows}
    return {digest: tuple(sorted(tags)) for digest, tags in found.items() if tags and digest in listed}


def _closures(contents: RepositoryContents, tags: Mapping[str, tuple[str, ...]]) -> Mapping[str, Collection[str]]:
    """Each image's digest → the digests of all manifests that belong to it.

    What has only tags such as sha256-….sig belongs to what it is attached to. Where that has no tag itself, or is
    gone, it stands for itself: what has a tag never counts as untagged.
    """
    rows = {row.digest: row for row in contents.rows}
    below = _list_below(rows, contents.manifests)
    own = [digest for digest, names in tags.items() if not all(attached_to(name) for name in names)]
    closures = {digest: _closure(digest, below) for digest in own}
    reached = {digest for closure in closures.values() for digest in closure}
    return closures | {digest: _closure(digest, below) for digest in tags if digest not in reached}


def _list_below(rows: Mapping[str, ManifestRow], manifests: Mapping[str, Manifest]) -> Mapping[str, Collection[str]]:
    """Digest → its children and referrers, as far as the repository has them."""
    below: defaultdict[str, list[str]] = defaultdict(list)
    for digest, manifest in manifests.items():
        below[digest] += [child.digest for child in manifest.children if child.digest in rows]
    for digest, referrers in referrers_of(rows, manifests).items():
        below[digest] += referrers
    return below


def _closure(top: str, below: Mapping[str, Collection[str]]) -> Collection[str]:
    """`top` and all below it, each once: indexes may list one another in a circle."""
    found = {top}
    open_ends = [top]
    while open_ends:
        for digest in below.get(open_ends.pop(), ()):
            if digest not in found:
                found.add(digest)
                open_ends.append(digest)
    return found
