"""/v2: the OCI distribution API as far as pull, push, list and delete go; uploads are in uploads.py.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import FileResponse, JSONResponse, Response

from sandbox.registry import webhook_events
from sandbox.registry.call import (
    TAG,
    Call,
    RegistryError,
    blob_unknown,
    disallowed,
    layers_not_kept,
    manifest_unknown,
    next_link,
)
from sandbox.registry.repository_events import log_event
from sandbox.registry.soft_delete import keep_manifests, refuse_deleted
from sandbox.storage import manifest
from sandbox.storage.blobs import DIGEST
from sandbox.storage.store import Manifest

IMAGE_CONFIGS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)


# What a reader must name in Accept to be given it; `*/*` names nothing. Docker's own types are given to everyone.
# https://github.com/Azure/acr/pull/764 and https://github.com/Azure/azure-cli/issues/24976
_TO_BE_NAMED = {
    manifest.OCI_MANIFEST: ("manifest", "manifests"),
    manifest.OCI_INDEX: ("index", "indexes"),
    **dict.fromkeys(manifest.ARTIFACTS, ("artifact", "artifacts")),
}


async def base(_call: Call) -> Response:
    return JSONResponse({})


async def catalog(call: Call) -> Response:
    size, last, order = call.page()
    names = call.store.list_repositories(call.registry, last, size + 1)
    headers = next_link("/v2/_catalog", names[size - 1], size, order) if len(names) > size else {}
    return JSONResponse({"repositories": names[:size]}, headers=headers)


async def list_tags(call: Call) -> Response:
    call.repository()
    size, last, _ = call.page()
    names = [tag.name for tag in call.store.list_tags(call.registry, call.name, last, size + 1)]
    headers = next_link(f"/v2/{call.name}/tags/list", names[size - 1], size, "") if len(names) > size else {}
    return JSONResponse({"name": call.name, "tags": names[:size] or None}, headers=headers)


async def get_manifest(call: Call) -> Response:
    found = _resolve(call, call.params["reference"])
    _check_accepted(call, found.media_type)
    body = call.store.get_manifest_body(call.registry, call.name, found.digest) or b""
    headers = {
        "Docker-Content-Digest": found.digest,
        "ETag": f'"{found.digest}"',
        "Content-Length": str(len(body)),
    }
    if call.request.method == "HEAD":
        return Response(headers=headers, media_type=found.media_type)
    by_digest = call.params["reference"] == found.digest
    log_event(call, "Pull", "" if by_digest else call.params["reference"], found.digest)
    return Response(body, headers=headers, media_type=found.media_type)


async def put_manifest(call: Call) -> Response:
    media_type = call.request.headers.get("content-type", "").split(";")[0].strip()
    if media_type not in manifest.MEDIA_TYPES:
        raise RegistryError(400, "MANIFEST_INVALID", f"unsupported media type {media_type!r}")
    body = await call.request.body()
    reference, digest = call.params["reference"], manifest.digest_of(body)
    try:
        parsed = manifest.parse(body, media_type)
    except manifest.InvalidManifest as error:
        raise RegistryError(400, "MANIFEST_INVALID", "manifest invalid", {"message": str(error)}) from error
    by_digest = DIGEST.fullmatch(reference) is not None
    if by_digest and reference != digest:
        raise RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    if not by_digest and not TAG.fullmatch(reference):
        raise RegistryError(400, "TAG_INVALID", "manifest tag did not match URI")
    _check_writable(call, None if by_digest else reference)
    refuse_deleted(call, digest)
    _check_complete(call, parsed)
    architecture, os = _platform(call, parsed)
    now = call.state.stamp()
    with call.store.transaction():
        call.store.add_manifest(
            call.registry, call.name, body, media_type, now, architecture=architecture, os=os, parsed=parsed
        )
        if not by_digest:
            call.store.add_tag(call.registry, call.name, reference, digest, now)
    webhook_events.pushed(call, media_type, len(body), digest, None if by_digest else reference)
    log_event(call, "Push", "" if by_digest else reference, digest)
    headers = {"Docker-Content-Digest": digest, "Location": f"/v2/{call.name}/manifests/{digest}"}
    if parsed.subject:
        headers["OCI-Subject"] = parsed.subject
    return Response(status_code=201, headers=headers)


async def delete_manifest(call: Call) -> Response:
    digest = call.params["reference"]
    if not DIGEST.fullmatch(digest):
        raise RegistryError(405, "UNSUPPORTED", "The operation is unsupported.")
    found = call.store.get_manifest(call.registry, call.name, digest)
    if found is None:
        raise manifest_unknown()
    # A tag's lock protects the tag from untagging and moving only (container-registry-image-lock.md).
    if not (found.locks.deletable and call.locks().deletable):
        raise disallowed()
    with call.store.transaction():
        keep_manifests(call, call.store.with_referrers(call.registry, call.name, digest))
        call.store.delete_manifest(call.registry, call.name, digest, call.state.stamp())
    webhook_events.deleted(call, digest)
    log_event(call, "Delete", digest=digest)
    return Response(status_code=202)


async def list_referrers(call: Call) -> Response:
    wanted = call.request.query_params.get("artifactType")
    found = call.store.list_referrers(call.registry, call.name, call.params["digest"])
    descriptors = [_referrer(call, item) for item in found]
    kept = [item for item in descriptors if wanted is None or item.get("artifactType") == wanted]
    body = {"schemaVersion": 2, "mediaType": manifest.OCI_INDEX, "manifests": kept}
    headers = {"OCI-Filters-Applied": "artifactType"} if wanted is not None else {}
    return Response(json.dumps(body), media_type=manifest.OCI_INDEX, headers=headers)


async def get_blob(call: Call) -> Response:
    digest, size = _stored_blob(call)
    if not call.locks().read:
        raise disallowed()
    headers = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
    if call.request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(size)}, media_type="application/octet-stream")
    return FileResponse(call.store.blobs.files.path(digest), headers=headers, media_type="application/octet-stream")


async def delete_blob(call: Call) -> Response:
    digest, _ = _stored_blob(call)
    call.store.blobs.delete(call.registry, digest)
    return Response(status_code=202)


def _stored_blob(call: Call) -> tuple[str, int]:
    digest = call.params["digest"]
    size = call.store.blobs.size(call.registry, call.name, digest)
    if size is None:
        seeded = call.store.blobs.size(call.registry, call.name, digest, stored=False) is not None
        raise layers_not_kept() if seeded else blob_unknown()
    return digest, size


def _resolve(call: Call, reference: str) -> Manifest:
    """The manifest of a tag or digest that may be read."""
    readable, digest = call.locks().read, reference
    if not DIGEST.fullmatch(reference):
        tag = call.store.get_tag(call.registry, call.name, reference)
        if tag is None:
            raise manifest_unknown()
        digest, readable = tag.digest, readable and tag.locks.read
    found = call.store.get_manifest(call.registry, call.name, digest)
    if found is None:
        raise manifest_unknown()
    if not (readable and found.locks.read):
        raise disallowed()
    return found


def _check_accepted(call: Call, media_type: str) -> None:
    accepted = {part.partition(";")[0].strip() for part in ",".join(call.request.headers.getlist("accept")).split(",")}
    if media_type in _TO_BE_NAMED and media_type not in accepted:
        one, many = _TO_BE_NAMED[media_type]
        message = f"OCI {one} found, but accept header does not support OCI {many}"
        raise RegistryError(404, "MANIFEST_UNKNOWN", message)


def _check_writable(call: Call, tag_name: str | None) -> None:
    tag = call.store.get_tag(call.registry, call.name, tag_name) if tag_name else None
    if not call.locks().write or (tag is not None and not tag.locks.write):
        raise disallowed()


def _check_complete(call: Call, parsed: manifest.Parsed) -> None:
    """All blobs and children of a manifest must be there; a seeded descriptor counts."""
    missing = [
        blob.digest
        for blob in parsed.blobs
        if call.store.blobs.size(call.registry, call.name, blob.digest, stored=False) is None
    ] + [child for child in parsed.children if call.store.get_manifest_body(call.registry, call.name, child) is None]
    if missing:
        raise RegistryError(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"Digest": missing[0]})


def _platform(call: Call, parsed: manifest.Parsed) -> tuple[str | None, str | None]:
    """Architecture and system of an image, as its config says."""
    if parsed.config is None or parsed.config_media_type not in IMAGE_CONFIGS:
        return None, None
    if call.store.blobs.size(call.registry, call.name, parsed.config) is None:
        return None, None
    try:
        config = json.loads(call.store.blobs.files.path(parsed.config).read_bytes())
    except ValueError:
        return None, None
    if not isinstance(config, dict):
        return None, None
    return config.get("architecture"), config.get("os")


def _referrer(call: Call, item: Manifest) -> dict[str, Any]:
    body = call.store.get_manifest_body(call.registry, call.name, item.digest) or b"{}"
    annotations = json.loads(body).get("annotations")
    return {
        "mediaType": item.media_type,
        "digest": item.digest,
        "size": len(body),
        "artifactType": item.artifact_type or item.config_media_type,
        **({"annotations": annotations} if annotations else {}),
    }
