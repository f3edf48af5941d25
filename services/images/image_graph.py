"""All that an image is made of: its manifest, those of an index below it, and their blobs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.names import image_name
from services.connection.parallel import parallel_map
from services.images.manifest_reading import StoredManifest, read_stored
from services.images.manifests import Descriptor, Manifest


@dataclass(frozen=True)
class ImageContent:
    """The top manifest first, then what an index lists, each once. Attestations are in; referrers are not."""

    manifests: tuple[StoredManifest, ...]

    @property
    def top(self) -> Manifest:
        return self.manifests[0].manifest

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The configs and layers of all manifests, each digest once."""
        found = {blob.digest: blob for stored in self.manifests for blob in _blobs(stored.manifest)}
        return tuple(found.values())

    @property
    def size(self) -> int | None:
        """Bytes of all manifests and blobs, as the manifests say; None where one does not say."""
        sizes = [blob.size for blob in self.blobs if blob.size is not None]
        if len(sizes) < len(self.blobs):
            return None
        return sum(len(stored.raw) for stored in self.manifests) + sum(sizes)


def _blobs(manifest: Manifest) -> Iterator[Descriptor]:
    if manifest.config:
        yield manifest.config
    yield from manifest.layers


def read_content(client: RegistryClient, repository: str, reference: str, *, most: int) -> ImageContent:
    """The content at a tag or digest, a request for each manifest, in parallel level by level.

    Raises ServiceError: TooManyManifests for more than `most`, MANIFEST_UNKNOWN where the tag, the digest or a child of
    the index is gone, DigestMismatch, NotAManifest.
    """

    def read(at: str) -> StoredManifest:
        return read_stored(client, repository, at)

    top = read(reference)
    found = {top.manifest.digest: top}
    level = _new_below([top], found)
    while level:
        if len(found) + len(level) > most:
            raise _too_many(repository, reference, most)
        below = parallel_map(read, level, server=client.login_server)
        if below.refused:
            raise below.refused[0].error
        found |= {stored.manifest.digest: stored for stored in below.values}
        level = _new_below(below.values, found)
    return ImageContent(tuple(found.values()))


def _new_below(level: Iterable[StoredManifest], known: dict[str, StoredManifest]) -> list[str]:
    children = (child.digest for stored in level for child in stored.manifest.children)
    return [digest for digest in dict.fromkeys(children) if digest not in known]


def _too_many(repository: str, reference: str, most: int) -> ServiceError:
    return ServiceError(
        f"{image_name(repository, reference)} is too large an image",
        f"With what its index lists it has more than {most} manifests.",
        "Choose one platform of it: each is an image of its own, with its own digest.",
        "TooManyManifests",
    )
