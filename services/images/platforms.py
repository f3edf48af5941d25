"""The images that an index leads to: those that it lists, and those of the indexes within it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from services.connection.data_plane import RegistryClient
from services.connection.parallel import Partial, Refusal, parallel_map
from services.images.manifest_reading import read_manifest
from services.images.manifests import Descriptor, Kind, Manifest

# Tools write two levels of indexes at most; whoever nests more makes each level cost a round trip.
DEEPEST = 8


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
