"""What each digest of a list of tags is, its platforms and its size. The digest fixes all of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Event

from services.connection.data_plane import RegistryClient
from services.connection.parallel import Partial, Progress, counter, parallel_map
from services.database.contents import ContentStore
from services.images.leftovers import is_index
from services.images.manifest_reading import read_manifests, shared_manifests
from services.images.manifests import Descriptor, Kind, Manifest
from services.images.platforms import images_below, read_nested
from services.images.repositories import ManifestRow, get_manifest_row


@dataclass(frozen=True)
class ImageSummary:
    """`size` is bytes of compressed layers, over all platforms; layers that platforms share count each time. None where
    an index or a platform below could not be read."""

    digest: str
    kind: Kind
    platforms: tuple[str, ...]
    size: int | None


def summarise(
    client: RegistryClient,
    repository: str,
    digests: Iterable[str],
    rows: Iterable[ManifestRow],
    known: dict[str, Manifest],
    *,
    store: ContentStore | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[ImageSummary]:
    """One summary a digest, in the order of `digests`. `rows` is the repository's list of manifests.

    One request for each index that is neither in `known`, which is added to, nor in `store`; and one for what the list
    leaves out (locked against listing). Indexes that were not read because of `stop` are untried.
    """
    digests = list(dict.fromkeys(digests))
    listed = {row.digest: row for row in rows}
    found = _read_rows(client, repository, [digest for digest in digests if digest not in listed])
    listed |= {row.digest: row for row in found.values}
    of_index = [digest for digest in digests if digest in listed and is_index(listed[digest])]
    unknown = [listed[digest] for digest in of_index if digest not in known]
    known |= shared_manifests(client, store, {repository: unknown})
    wanted = {digest: repository for digest in of_index if digest not in known}
    read = read_manifests(client, store, wanted, done=counter(progress, "indexes", len(wanted)), stop=stop)
    known |= {manifest.digest: manifest for manifest in read.values}
    indexes = {digest: known[digest] for digest in of_index if digest in known}
    nested = read_nested(client, repository, indexes.values())
    below = {index.digest: index for index in (*indexes.values(), *nested.values)}
    images = {digest: images_below(index, below) for digest, index in indexes.items()}
    missing = {image.digest for below_index in images.values() for image in below_index} - listed.keys()
    more = _read_rows(client, repository, sorted(missing))
    listed |= {row.digest: row for row in more.values}
    unread = set(of_index) - indexes.keys()
    summaries = [
        _of_index(indexes[digest], images[digest], listed) if digest in indexes else _single(listed[digest])
        for digest in digests
        if digest in listed and digest not in unread
    ]
    refused = found.refused + read.refused + nested.refused + more.refused
    return Partial(tuple(summaries), refused, read.untried + nested.untried)


def _read_rows(client: RegistryClient, repository: str, digests: list[str]) -> Partial[ManifestRow]:
    return parallel_map(
        lambda digest: get_manifest_row(client, repository, digest), digests, server=client.login_server
    )


def _of_index(index: Manifest, images: tuple[Descriptor, ...], rows: Mapping[str, ManifestRow]) -> ImageSummary:
    """An index that could not be read is among the `images`: then their size is not known."""
    sizes = [rows[image.digest].size for image in images if image.kind is not Kind.INDEX and image.digest in rows]
    known = [size for size in sizes if size is not None]
    platforms = tuple(dict.fromkeys(image.platform for image in images if image.platform))
    return ImageSummary(index.digest, Kind.INDEX, platforms, sum(known) if len(known) == len(images) else None)


def _single(row: ManifestRow) -> ImageSummary:
    kind = Kind.IMAGE if row.platform else Kind.ARTIFACT
    return ImageSummary(row.digest, kind, (row.platform,) if row.platform else (), row.size)
