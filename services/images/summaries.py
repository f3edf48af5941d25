"""For a page of tags: what each digest is, its platforms and its size. The digest fixes all of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.connection.data_plane import RegistryClient
from services.connection.parallel import Partial, parallel_map
from services.images.leftovers import is_index
from services.images.manifest_reading import read_manifest
from services.images.manifests import Descriptor, Kind, Manifest
from services.images.platforms import images_below, read_nested
from services.images.repositories import PAGE, ManifestRow, get_manifest_row, manifest_rows


@dataclass(frozen=True)
class ImageSummary:
    """`size` is bytes of compressed layers, over all platforms; layers that platforms share count each time. None where
    an index or a platform below could not be read."""

    digest: str
    kind: Kind
    platforms: tuple[str, ...]
    size: int | None


def summarise(
    client: RegistryClient, repository: str, digests: Iterable[str], manifest_count: int
) -> Partial[ImageSummary]:
    """One summary a digest. A repository whose manifests fit one page costs one request, and one for each index;
    a larger one costs one request for each digest on the page, and for each platform of its indexes.

    What the list leaves out (locked against listing) is read one by one.
    """
    digests = list(dict.fromkeys(digests))
    rows: dict[str, ManifestRow] = {}
    if digests and manifest_count <= PAGE:
        rows = {row.digest: row for row in manifest_rows(client, repository).values}
    found = _read_rows(client, repository, [digest for digest in digests if digest not in rows])
    rows |= {row.digest: row for row in found.values}
    wanted = [digest for digest in digests if digest in rows and is_index(rows[digest])]
    read = parallel_map(lambda digest: read_manifest(client, repository, digest), wanted, server=client.login_server)
    indexes = {manifest.digest: manifest for manifest in read.values}
    nested = read_nested(client, repository, indexes.values())
    below = {index.digest: index for index in (*indexes.values(), *nested.values)}
    images = {digest: images_below(index, below) for digest, index in indexes.items()}
    missing = {image.digest for listed in images.values() for image in listed} - rows.keys()
    more = _read_rows(client, repository, sorted(missing))
    rows |= {row.digest: row for row in more.values}
    summaries = [
        _of_index(indexes[digest], images[digest], rows) if digest in indexes else _single(rows[digest])
        for digest in digests
        if digest in indexes or (digest in rows and digest not in wanted)
    ]
    refused = found.refused + read.refused + nested.refused + more.refused
    return Partial(tuple(summaries), refused, nested.untried)


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
