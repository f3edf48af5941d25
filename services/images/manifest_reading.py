"""Manifests, image configs and referrers read from a registry."""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event

from azure.core.exceptions import ResourceNotFoundError

from services.connection.answers import parse_json
from services.connection.data_plane import RegistryClient, path_of
from services.connection.data_plane_tokens import Need
from services.connection.errors import ServiceError, as_service_error, says_gone
from services.connection.names import image_name
from services.connection.parallel import Partial, parallel_map
from services.database.contents import ContentStore
from services.images.manifests import (
    _MALFORMED,
    ARTIFACTS,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    ImageConfig,
    Manifest,
    _descriptor,
    _not_a_manifest,
    manifest_digest,
    parse_config,
    parse_manifest,
)
from services.images.repositories import ManifestRow
from services.images.schema_1 import SCHEMA_1
from services.redaction.texts import hide_in_command, hide_in_json

# A registry answers 404 to who does not name the type of a manifest; `*/*` names none:
# https://github.com/Azure/azure-cli/issues/24976
ACCEPT = ", ".join((OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST, *ARTIFACTS, *SCHEMA_1, "*/*"))
# A config is a few kilobytes; one of megabytes is no config.
LARGEST_CONFIG = 4 * 1024 * 1024
# Manifests in one write to the database.
_SHARED_AT_ONCE = 200


@dataclass(frozen=True)
class StoredManifest:
    """A manifest and the registry's own bytes of it."""

    manifest: Manifest
    raw: bytes


def read_manifest(client: RegistryClient, repository: str, reference: str) -> Manifest:
    """The manifest at a tag or digest. Raises ServiceError: gone, no JSON, or bytes that do not match the digest."""
    return read_stored(client, repository, reference).manifest


def read_stored(client: RegistryClient, repository: str, reference: str) -> StoredManifest:
    """The manifest at a tag or digest, with its bytes. Raises ServiceError as `read_manifest`."""
    raw, media_type = read_raw(client, repository, reference)
    manifest = parse_manifest(raw, media_type, _reading(repository, reference))
    # Of schema 1, a registry may go by the digest of the bytes or of their payload.
    return StoredManifest(replace(manifest, digest=reference) if _is_digest(reference) else manifest, raw)


def read_raw(client: RegistryClient, repository: str, reference: str, title: str = "") -> tuple[bytes, str]:
    """The bytes of the manifest at a tag or digest, and their Content-Type. Raises ServiceError as `read_manifest`."""
    title = title or _reading(repository, reference)
    path = path_of("/v2/{repository}/manifests/{reference}", repository=repository, reference=reference)
    with as_service_error(title):
        response = client.raw(path, accept=ACCEPT)
    raw, media_type = response.content, str(response.headers.get("Content-Type", ""))
    digest = "sha256:" + hashlib.sha256(raw).hexdigest()
    if _is_digest(reference) and reference not in (digest, manifest_digest(raw, media_type)):
        raise ServiceError(
            title,
            f"The registry sent other bytes than asked for: their digest is {digest}.",
            "Do not use this image. Something between here and the registry changes content.",
            "DigestMismatch",
        )
    return raw, media_type


def shared_manifests(
    client: RegistryClient, store: ContentStore | None, listed: Mapping[str, Iterable[ManifestRow]]
) -> dict[str, Manifest]:
    """Those of `listed` that any process has read before, by digest, as the registry itself would send them.

    `listed`: by repository, what the registry has listed for this client. A manifest that it would refuse is not among
    the result: it is locked against reading, or the client may list the repository and not pull from it.
    """
    if store is None:
        return {}
    # The digest vouches for the bytes alone: their type is what the registry has listed.
    types = {
        row.digest: row.media_type
        for repository, rows in listed.items()
        if client.tokens.holds(Need(repository, frozenset({"pull"})))
        for row in rows
        if row.media_type and row.locks.read
    }
    found = {}
    for digest, raw in store.find(types).items():
        with suppress(ServiceError):  # Of what is no manifest, the registry's own answer says so.
            found[digest] = replace(parse_manifest(raw, types[digest]), digest=digest)
    return found


def read_manifests(
    client: RegistryClient,
    store: ContentStore | None,
    wanted: Mapping[str, str],
    *,
    done: Callable[[int, Manifest | ServiceError], None] | None = None,
    stop: Event | None = None,
) -> Partial[Manifest]:
    """The manifests at `wanted` (digest → repository), a request each, in parallel; then `store` has them too.

    `done` and `stop` are those of `parallel_map`.
    """
    fresh: deque[tuple[str, bytes]] = deque()

    def read(digest: str) -> Manifest:
        stored = read_stored(client, wanted[digest], digest)
        if store:
            fresh.append((digest, stored.raw))
        return stored.manifest

    def end(index: int, what: Manifest | ServiceError) -> None:
        if store and len(fresh) >= _SHARED_AT_ONCE:
            store.add(dict(fresh.popleft() for _ in range(_SHARED_AT_ONCE)))
        if done:
            done(index, what)

    try:
        return parallel_map(read, wanted, server=client.login_server, done=end, stop=stop)
    finally:
        if store:
            store.add(dict(fresh))


def read_listed(
    client: RegistryClient,
    store: ContentStore | None,
    repository: str,
    rows: Sequence[ManifestRow],
    *,
    on_each: Callable[[], None],
    stop: Event | None = None,
) -> Partial[Manifest]:
    """The manifests of `rows`, as the registry has listed them for this client: a request for each not in `store`.

    `on_each` is called for each of them, in the caller's thread.
    """
    found = shared_manifests(client, store, {repository: rows})
    for _ in found:
        on_each()
    left = {row.digest: repository for row in rows if row.digest not in found}
    read = read_manifests(client, store, left, done=lambda _index, _what: on_each(), stop=stop)
    found |= {manifest.digest: manifest for manifest in read.values}
    return replace(read, values=tuple(found[row.digest] for row in rows if row.digest in found))


def indent_json(raw: bytes) -> str:
    """The bytes as text, indented where they are JSON, annotations that look like a secret hidden; what is no UTF-8 is
    replaced."""
    try:
        return json.dumps(hide_in_json(parse_json(raw)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return hide_in_command(raw.decode(errors="replace"))


def _is_digest(reference: str) -> bool:
    return reference.startswith("sha256:")


def _reading(repository: str, reference: str) -> str:
    return f"Could not read the manifest {image_name(repository, reference)}"


def read_referrers(client: RegistryClient, repository: str, digest: str) -> tuple[Descriptor, ...]:
    """What refers to a digest: signatures, SBOMs, attestations. Counts against the referrers' own rate limit.

    A registry without the referrers API answers 404 (those with a customer-managed key): then the tag schema is read.
    """
    title = f"Could not list the referrers of {repository}@{digest}"
    path = path_of("/v2/{repository}/referrers/{digest}", repository=repository, digest=digest)
    with as_service_error(title):
        try:
            bodies = list(client.pages(path))
        except ResourceNotFoundError:
            return _referrers_at_tag(client, repository, digest.replace(":", "-"), title)
    try:
        return tuple(_descriptor(entry) for body in bodies for entry in body.get("manifests") or ())
    except _MALFORMED as exc:
        raise _not_a_manifest(title, "The list is not the JSON that it should be.") from exc


def _referrers_at_tag(client: RegistryClient, repository: str, tag: str, title: str) -> tuple[Descriptor, ...]:
    try:
        raw, _ = read_raw(client, repository, tag, title)
    except ServiceError as error:
        if says_gone(error):
            return ()
        raise
    return parse_manifest(raw, OCI_INDEX, title).children


def read_config(client: RegistryClient, repository: str, manifest: Manifest) -> ImageConfig:
    """An image's config. Raises ServiceError where the manifest has none (NoConfig), the registry lacks the blob or has
    other bytes (BLOB_UNKNOWN, NotTheBlob), or it is no config (NotAManifest)."""
    title = f"Could not read the config of {repository}@{manifest.digest}"
    config = manifest.config
    if config is None or (config.size or 0) > LARGEST_CONFIG:
        raise ServiceError(title, "It has no config that could be read.", "Look at its layers instead.", "NoConfig")
    try:
        raw = read_blob(client, repository, config.digest, LARGEST_CONFIG, title)
    except ServiceError as error:
        if error.code == "TooLarge":  # The manifest said less.
            raise _not_a_manifest(title, error.cause) from error
        raise
    try:
        return parse_config(parse_json(raw))
    except (*_MALFORMED, RecursionError) as exc:
        raise _not_a_manifest(title, "Its config is not the JSON that it should be.") from exc


def read_blob(client: RegistryClient, repository: str, digest: str, largest: int, title: str) -> bytes:
    """A blob of at most `largest` bytes, checked against its digest. Raises ServiceError under `title`: TooLarge,
    NotTheBlob for other content, BLOB_UNKNOWN."""
    chunks: list[bytes] = []
    count = 0
    with as_service_error(title):
        try:
            for chunk in client.sdk.download_blob(repository, digest):
                chunks.append(chunk)
                count += len(chunk)
                if count > largest:
                    raise ServiceError(title, "It is too large to be one.", "Look at it with oras.", "TooLarge")
        except ValueError as exc:  # The SDK's DigestValidationError, or an answer without Content-Range.
            raise ServiceError(
                title, f"The registry sent something else: {exc}", "Do not use it: push it again.", "NotTheBlob"
            ) from exc
    return b"".join(chunks)
