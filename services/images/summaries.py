"""For a page of tags: what each digest is, its platforms and its size. All of it is fixed by the digest for good."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.connection.data_plane import RegistryClient
from services.connection.parallel import Partial, Refusal, parallel_map
from services.images.manifest_reading import read_manifest
from services.images.manifests import DOCKER_LIST, OCI_INDEX, Kind
from services.images.repositories import PAGE, ManifestRow, get_manifest_row, manifest_rows


@dataclass(frozen=True)
class ImageSummary:
    """`size` is bytes of compressed layers, over all platforms; layers that platforms share count each time."""

    digest: str
    kind: Kind
    platforms: tuple[str, ...]
    size: int


def summarise(
    client: RegistryClient, repository: str, digests: Iterable[str], manifest_count: int
) -> Partial[ImageSummary]:
    """One summary a digest. A repository whose manifests fit one page costs one request, and one for each index;
    a larger one costs one request for each digest on the page, and for each platform of its indexes."""
    digests = list(dict.fromkeys(digests))
    refused: tuple[Refusal, ...] = ()
    if manifest_count <= PAGE:
        rows = {row.digest: row for row in manifest_rows(client, repository)}
    else:
        found = _rows(client, repository, digests)
        rows, refused = {row.digest: row for row in found.values}, found.refused
    wanted = [digest for digest in digests if digest in rows and rows[digest].media_type in (OCI_INDEX, DOCKER_LIST)]
    read = parallel_map(lambda digest: read_manifest(client, repository, digest), wanted, server=client.login_server)
    indexes = {manifest.digest: manifest for manifest in read.values}
    images = {child.digest for index in indexes.values() for child in index.children if not child.attests}
    if missing := sorted(images - rows.keys()):
        more = _rows(client, repository, missing)
        rows |= {row.digest: row for row in more.values}
    summaries = []
    for digest in digests:
        if index := indexes.get(digest):
            sizes = [rows[child.digest].size for child in index.children if not child.attests and child.digest in rows]
            summaries.append(ImageSummary(digest, Kind.INDEX, index.platforms, sum(sizes)))
        elif digest in rows and digest not in wanted:
            summaries.append(_single(digest, rows))
    return Partial(tuple(summaries), refused + read.refused)


def _rows(client: RegistryClient, repository: str, digests: list[str]) -> Partial[ManifestRow]:
    return parallel_map(
        lambda digest: get_manifest_row(client, repository, digest), digests, server=client.login_server
    )


def _single(digest: str, rows: Mapping[str, ManifestRow]) -> ImageSummary:
    row = rows[digest]
    kind = Kind.IMAGE if row.platform else Kind.ARTIFACT
    return ImageSummary(digest, kind, (row.platform,) if row.platform else (), row.size)
