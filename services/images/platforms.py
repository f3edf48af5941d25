"""The images that an index leads to, those of the indexes within it too; and the indexes that list an image."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import count
from threading import Event

from services.connection.data_plane import RegistryClient
from services.connection.parallel import Partial, Refusal, parallel_map
from services.database.contents import ContentStore
from services.images.leftovers import may_be_index
from services.images.manifest_reading import read_listed, read_manifest
from services.images.manifests import Descriptor, Kind, Manifest, attached_to
from services.images.repositories import ManifestRow

# Tools write two levels of indexes at most; whoever nests more makes each level cost a round trip.
DEEPEST = 8
# An index of platforms has a dozen; what lists hundreds is a catalogue of something else.
MOST_CHILDREN = 200


def read_nested(client: RegistryClient, repository: str, indexes: Iterable[Manifest]) -> Partial[Manifest]:
    """The indexes below `indexes`, each once, level by level; a request each. Those below DEEPEST are not tried."""
    level = list(indexes)
    asked = {index.digest for index in level}
    found: list[Manifest] = []
    refused: list[Refusal] = []
    for _ in range(DEEPEST):
        wanted = _nested(level) - asked
        if not wanted:
            break
        asked |= wanted
        read = parallel_map(
            lambda digest: read_manifest(client, repository, digest), sorted(wanted), server=client.login_server
        )
        level = list(read.values)
        found += read.values
        refused += read.refused
    return Partial(tuple(found), tuple(refused), len(_nested(level) - asked))


def _nested(level: Iterable[Manifest]) -> set[str]:
    return {child.digest for index in level for child in index.children if child.kind is Kind.INDEX}


def images_below(index: Manifest, nested: Mapping[str, Manifest]) -> tuple[Descriptor, ...]:
    """What the index leads to in the end, each digest once and without attestations. Pure.

    `nested` has the indexes below it, by digest (other manifests do not count); one that is not among them stands for
    what it leads to.
    """
    found: dict[str, Descriptor] = {}
    seen = {index.digest}
    open_ends = list(reversed(index.children))
    while open_ends:
        child = open_ends.pop()
        below = nested.get(child.digest)
        if child.attests or child.digest in seen:
            continue
        seen.add(child.digest)
        if below is None or below.kind is not Kind.INDEX:
            found[child.digest] = child
        else:
            open_ends.extend(reversed(below.children))
    return tuple(found.values())


def platforms_of(images: Iterable[Descriptor]) -> dict[str, Descriptor]:
    """Platform → the image for it. Where several are for one platform, the digest tells them apart. Pure."""
    with_platform = [image for image in images if image.platform]
    times = Counter(image.platform for image in with_platform)
    return {
        image.platform if times[image.platform] == 1 else f"{image.platform} {image.digest[:19]}": image
        for image in with_platform
    }


def read_platforms(client: RegistryClient, repository: str, index: Manifest) -> dict[str, Descriptor]:
    """Platform → the image for it, of an index and those within it; empty for what is no index.

    Raises ServiceError where an index within it can't be read.
    """
    read = read_nested(client, repository, [index])
    if read.refused:
        raise read.refused[0].error
    return platforms_of(images_below(index, {nested.digest: nested for nested in read.values}))


def indexes_of(digest: str, rows: Iterable[ManifestRow], indexes: Iterable[Manifest]) -> tuple[ManifestRow, ...]:
    """The rows of the `indexes` that list `digest`, those with a tag first. Pure.

    An index at a tag sha256-… lists what refers to a digest, not platforms: it is none of them.
    """
    listing = {index.digest for index in indexes if any(child.digest == digest for child in index.children)}
    found = [row for row in rows if row.digest in listing and not any(attached_to(tag) for tag in row.tags)]
    return tuple(sorted(found, key=lambda row: not row.tags))


def read_indexes(
    client: RegistryClient,
    repository: str,
    rows: Iterable[ManifestRow],
    *,
    store: ContentStore | None = None,
    done: Callable[[int, int], None] | None = None,
    stop: Event | None = None,
) -> Partial[Manifest]:
    """The indexes among these rows, a request for each that is not in `store`. `done(count, of)` is called in the
    caller's thread."""
    wanted = [row for row in rows if may_be_index(row)]
    number = count(1)
    return read_listed(
        client,
        store,
        repository,
        wanted,
        on_each=lambda: done(next(number), len(wanted)) if done else None,
        stop=stop,
    )


def read_children(client: RegistryClient, repository: str, index: Manifest) -> Partial[Manifest]:
    """The manifests that an index lists, a request each; those after the first MOST_CHILDREN are not tried."""
    digests = list(dict.fromkeys(child.digest for child in index.children))
    read = parallel_map(
        lambda digest: read_manifest(client, repository, digest), digests[:MOST_CHILDREN], server=client.login_server
    )
    return replace(read, untried=read.untried + len(digests[MOST_CHILDREN:]))
