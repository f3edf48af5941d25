"""An image out of a registry as an OCI archive: a tar of an OCI layout, streamed, its length known beforehand.

Formats: https://github.com/opencontainers/image-spec/blob/main/image-layout.md. The same image gives the same bytes:
times are zero, members come in the order of the manifests.
"""

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from azure.core.exceptions import AzureError, HttpResponseError

from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import LimitExceeded, ServiceError, as_service_error, from_azure
from services.connection.names import require_digest
from services.connection.parallel import parallel_map
from services.images.image_graph import ImageContent, read_content
from services.images.manifest_reading import read_manifest
from services.images.manifests import OCI_INDEX, Descriptor
from services.images.platforms import read_platforms

# The largest index that is put into one archive: its manifests are kept in memory.
MOST_MANIFESTS = 1000
# So often is a blob whose connection breaks without a byte more asked for again.
TRIES = 4

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Member:
    """A file of the archive: `content` is at hand, or None for a blob that is fetched as it is due. `size` in bytes.

    `digest` is '' for the two files that tell what the archive is.
    """

    path: str
    size: int
    digest: str
    content: bytes | None


@dataclass(frozen=True)
class Archive:
    """What is streamed. `left_out` are the digests of layers that clients load from elsewhere and are not there."""

    repository: str
    digest: str
    file_name: str
    members: tuple[Member, ...]
    left_out: tuple[str, ...]

    @property
    def manifests(self) -> int:
        return sum(bool(member.digest) for member in self.members if member.content is not None)

    @property
    def blobs(self) -> int:
        return sum(member.content is None for member in self.members)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return sum(tarfile.BLOCKSIZE + member.size + _padding(member.size) for member in self.members) + len(_END)


_END = bytes(2 * tarfile.BLOCKSIZE)


def plan_archive(client: RegistryClient, repository: str, digest: str, *, tag: str = "", platform: str = "") -> Archive:
    """The archive of the manifest at `digest`: all platforms and attestations of an index, or one `platform` of it.

    `tag` is the name that it has in the archive. Every blob is asked for by HEAD, in parallel: what is missing shows
    here, before the first byte. `platform` is one of `read_platforms`. Raises ServiceError: InvalidDigest,
    NoSuchPlatform, BLOB_UNKNOWN, SizeMismatch, SizeUnknown, Schema1, TooManyManifests, UnsupportedDigest, and what
    reading manifests raises.
    """
    title = f"Could not put {repository}@{digest} into an archive"
    require_digest(title, digest)
    if platform:
        digest = _child_for(
            read_platforms(client, repository, read_manifest(client, repository, digest)), platform, title
        )
    content = read_content(client, repository, digest, most=MOST_MANIFESTS)
    blobs = content.blobs
    _check_content(content, title)
    missing = set(_missing(client, repository, blobs, title))
    there = [blob for blob in blobs if blob.digest not in missing]
    name = "-".join(part for part in (repository, tag or digest[7:19], platform) if part)
    return Archive(
        repository,
        content.top.digest,
        f"{_UNSAFE.sub('-', name).strip('-.')}.tar",
        tuple(_members(content, there, _docker_name(client, repository, tag), tag)),
        tuple(sorted(missing)),
    )


def stream(client: RegistryClient, archive: Archive) -> Iterator[bytes]:
    """The archive's bytes, `archive.size` of them, in pieces of up to a megabyte.

    A connection that breaks within a blob is resumed there. Raises ServiceError in the middle
    (DigestMismatch, SizeMismatch, ConnectionLost, BLOB_UNKNOWN): what was sent so far is then shorter than the
    announced size.
    """
    for member in archive.members:
        yield _header(member)
        if member.content is None:
            yield from _blob(client, archive.repository, member)
        else:
            yield member.content
        if padding := _padding(member.size):
            yield bytes(padding)
    yield _END


def _child_for(platforms: Mapping[str, Descriptor], platform: str, title: str) -> str:
    if platform not in platforms:
        raise ServiceError(
            title,
            f"The index has no platform {platform}. It has: {', '.join(platforms) or 'none'}.",
            "Choose one of those.",
            "NoSuchPlatform",
        )
    return platforms[platform].digest


def _check_content(content: ImageContent, title: str) -> None:
    if any(stored.manifest.is_schema_1 for stored in content.manifests):
        raise ServiceError(
            title,
            "It is an image of schema 1, Docker's old format, which an OCI archive can't hold.",
            "Copy it with skopeo, which converts it: `skopeo copy docker://… oci-archive:…`.",
            "Schema1",
        )
    children = (child for stored in content.manifests for child in stored.manifest.children)
    for found in (*content.blobs, *children):
        if not _SHA256.fullmatch(found.digest):
            raise ServiceError(
                title,
                f"It has content with the digest {found.digest}, and this console checks SHA-256 alone.",
                "Copy it with skopeo.",
                "UnsupportedDigest",
            )
    for blob in content.blobs:
        if blob.size is None:
            raise ServiceError(
                title,
                f"Its manifest does not say how large {blob.digest} is.",
                "It was pushed broken: push it again.",
                "SizeUnknown",
            )


def _missing(client: RegistryClient, repository: str, blobs: tuple[Descriptor, ...], title: str) -> list[str]:
    """The layers that may be missing and are. Raises ServiceError where another is, or is of another size."""

    def look(blob: Descriptor) -> bool:
        path = path_of("/v2/{repository}/blobs/{digest}", repository=repository, digest=blob.digest)
        try:
            with as_service_error(title):
                response = client.send("HEAD", path)
        except ServiceError as error:
            if error.status == 404:
                return False
            raise
        # A redirect to where the blob is stored says that it is there, and not how large it is.
        found = response.headers.get("Content-Length") if response.status_code == 200 else None
        if found is not None and found != str(blob.size):
            raise _other_size_error(title, blob.digest, blob.size or 0, found)
        return True

    looked = parallel_map(look, blobs, server=client.login_server)
    if looked.refused:
        raise looked.refused[0].error
    absent = [blob for blob, there in zip(blobs, looked.values, strict=True) if not there]
    needed = [blob.digest for blob in absent if not blob.is_foreign]
    if needed:
        raise ServiceError(
            title,
            f"The registry does not have {len(needed)} of its {len(blobs)} blobs, {needed[0]} first."
            f"{_reason(client, repository, needed[0], title)}",
            "A pull of it from this registry fails the same way. Push the image again to complete it.",
            "BLOB_UNKNOWN",
            404,
        )
    return [blob.digest for blob in absent]


def _reason(client: RegistryClient, repository: str, digest: str, title: str) -> str:
    """Why the registry does not have the blob, in its own words: a HEAD has none."""
    path = path_of("/v2/{repository}/blobs/{digest}", repository=repository, digest=digest)
    try:
        with as_service_error(title):
            client.blob(path).close()
    except ServiceError as error:
        return f" It says: {error.cause}"
    return ""


def _docker_name(client: RegistryClient, repository: str, tag: str) -> str:
    return f"{client.login_server}/{repository}:{tag}" if tag else ""


def _members(content: ImageContent, blobs: list[Descriptor], full_name: str, tag: str) -> Iterator[Member]:
    top = content.manifests[0]
    # The tag by which skopeo finds it, and the full name that `docker load` sets.
    names = {"io.containerd.image.name": full_name, "org.opencontainers.image.ref.name": tag} if tag else {}
    entry = {
        "mediaType": top.manifest.media_type,
        "digest": top.manifest.digest,
        "size": len(top.raw),
        **({"annotations": names} if names else {}),
    }
    yield _json_member("oci-layout", {"imageLayoutVersion": "1.0.0"})
    yield _json_member("index.json", {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]})
    for stored in content.manifests:
        digest = stored.manifest.digest
        yield Member(_path(digest), len(stored.raw), digest, stored.raw)
    manifests = {stored.manifest.digest for stored in content.manifests}
    for blob in blobs:
        if blob.digest not in manifests:
            yield Member(_path(blob.digest), blob.size or 0, blob.digest, None)


def _json_member(path: str, document: object) -> Member:
    content = json.dumps(document, separators=(",", ":")).encode()
    return Member(path, len(content), "", content)


def _path(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _header(member: Member) -> bytes:
    info = tarfile.TarInfo(member.path)
    info.size = member.size
    # GNU's form keeps one block also for what ustar can't count: files from 8 GiB.
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> int:
    return -size % tarfile.BLOCKSIZE


def _blob(client: RegistryClient, repository: str, member: Member) -> Iterator[bytes]:
    """The blob's bytes, checked as they pass."""
    title = f"Could not read the blob {member.digest}"
    path = path_of("/v2/{repository}/blobs/{digest}", repository=repository, digest=member.digest)
    hashed = hashlib.sha256()
    at = 0
    idle = 0
    while at < member.size:
        before = at
        lost: AzureError | None = None
        try:
            for piece in _read_from(client, path, at, title):
                at += len(piece)
                if at > member.size:
                    raise _other_size_error(title, member.digest, member.size, "more")
                hashed.update(piece)
                yield piece
        except HttpResponseError as exc:
            if exc.response is not None:
                raise _refused_error(title, exc) from exc
            lost = exc
        except LimitExceeded as exc:
            raise from_azure(title, exc) from exc
        except AzureError as exc:
            lost = exc
        idle = 0 if at > before else idle + 1
        if idle == TRIES:
            raise ServiceError(
                title,
                f"The connection was lost {TRIES} times at byte {at:,} of {member.size:,}.",
                "Check the network or the proxy, then download it again.",
                "ConnectionLost",
            ) from lost
    found = f"sha256:{hashed.hexdigest()}"
    if found != member.digest:
        raise ServiceError(
            title,
            f"The registry sent other bytes than asked for: their digest is {found}.",
            "Do not use what was downloaded. Something between here and the registry changes content.",
            "DigestMismatch",
        )


def _read_from(client: RegistryClient, path: str, start: int, title: str) -> Iterator[bytes]:
    """The blob from byte `start` on; of a registry that knows no ranges, what comes before is read and dropped."""
    response = client.blob(path, start=start)
    try:
        drop = start if response.status_code == 200 else 0
        if response.status_code == 206 and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _no_answer_error(title, "The registry sent another range than asked for.")
        for piece in response.iter_raw():
            kept = piece[drop:] if drop else piece
            drop -= min(drop, len(piece))
            if kept:
                yield kept
    finally:
        response.close()


def _refused_error(title: str, exc: HttpResponseError) -> ServiceError:
    if (exc.status_code or 0) >= 400:
        return from_azure(title, exc)
    return _no_answer_error(title, f"The registry answered {exc.status_code}, without content.")


def _no_answer_error(title: str, cause: str) -> ServiceError:
    return ServiceError(title, cause, "A proxy may be answering instead: check the network.", "BadAnswer")


def _other_size_error(title: str, digest: str, expected: int, found: str) -> ServiceError:
    return ServiceError(
        title,
        f"The blob {digest} has {expected:,} bytes by its manifest, and the registry has {found}.",
        "It was pushed broken, or something between here and the registry changes content: push it again.",
        "SizeMismatch",
    )
