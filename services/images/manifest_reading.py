"""Manifests, image configs and referrers read from a registry."""

import hashlib

from azure.core.exceptions import ResourceNotFoundError

from services.connection.answers import parse_json
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, as_service_error
from services.connection.names import image_name
from services.images.manifests import (
    _MALFORMED,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    ImageConfig,
    Manifest,
    _descriptor,
    _not_a_manifest,
    parse_config,
    parse_manifest,
)

ACCEPT = ", ".join((OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST, "*/*"))
# A config is a few kilobytes; one of megabytes is no config.
LARGEST_CONFIG = 4 * 1024 * 1024


def read_manifest(client: RegistryClient, repository: str, reference: str) -> Manifest:
    """The manifest at a tag or digest. Raises ServiceError: gone, no JSON, or bytes that do not match the digest."""
    raw, media_type = read_raw(client, repository, reference)
    return parse_manifest(raw, media_type, _reading(repository, reference))


def read_raw(client: RegistryClient, repository: str, reference: str) -> tuple[bytes, str]:
    """The bytes of the manifest at a tag or digest, and their Content-Type. Raises ServiceError as `read_manifest`."""
    title = _reading(repository, reference)
    path = path_of("/v2/{repository}/manifests/{reference}", repository=repository, reference=reference)
    with as_service_error(title):
        response = client.raw(path, accept=ACCEPT)
    raw = response.content
    digest = "sha256:" + hashlib.sha256(raw).hexdigest()
    if reference.startswith("sha256:") and reference != digest:
        raise ServiceError(
            title,
            f"The registry sent other bytes than asked for: their digest is {digest}.",
            "Do not use this image. Something between here and the registry changes content.",
            "DigestMismatch",
        )
    return raw, str(response.headers.get("Content-Type", ""))


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
            tag = digest.replace(":", "-")
            path = path_of("/v2/{repository}/manifests/{tag}", repository=repository, tag=tag)
            try:
                raw = client.raw(path, accept=ACCEPT).content
            except ResourceNotFoundError:
                return ()
            return parse_manifest(raw, OCI_INDEX, title).children
    try:
        return tuple(_descriptor(entry) for body in bodies for entry in body.get("manifests") or ())
    except _MALFORMED as exc:
        raise _not_a_manifest(title, "The list is not the JSON that it should be.") from exc


def read_config(client: RegistryClient, repository: str, manifest: Manifest) -> ImageConfig:
    """An image's config. Raises ServiceError where the manifest has none or the registry lacks the blob."""
    title = f"Could not read the config of {repository}@{manifest.digest}"
    config = manifest.config
    if config is None or config.size > LARGEST_CONFIG:
        raise ServiceError(title, "It has no config that could be read.", "Look at its layers instead.", "NoConfig")
    raw = b""
    with as_service_error(title):
        try:
            for chunk in client.sdk.download_blob(repository, config.digest):
                raw += chunk
                if len(raw) > LARGEST_CONFIG:  # The manifest said less.
                    raise _not_a_manifest(title, "Its config is too large to be one.")
        except ValueError as exc:  # The SDK's DigestValidationError, or an answer without Content-Range.
            raise _not_a_manifest(title, f"The registry sent something else: {exc}") from exc
    try:
        return parse_config(parse_json(raw))
    except (*_MALFORMED, RecursionError) as exc:
        raise _not_a_manifest(title, "Its config is not the JSON that it should be.") from exc
