"""/v2/…/blobs/uploads: chunked and monolithic uploads, and mounts from another repository."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from sandbox.registry.call import Call, RegistryError, disallowed


async def start(call: Call) -> Response:
    if not call.locks().write:
        raise disallowed()
    query = call.request.query_params
    mounted = _mount(call, query.get("mount", ""), query.get("from", ""))
    if mounted is not None:
        return mounted
    upload = call.store.blobs.files.start_upload()
    call.uploads[upload] = call.name
    if "digest" in query:
        await _receive(call, upload)
        return await _finish(call, upload, query["digest"])
    return _accepted(call, upload, 202)


async def status(call: Call) -> Response:
    return _accepted(call, _known(call), 204)


async def append(call: Call) -> Response:
    upload = _known(call)
    have = call.store.blobs.files.upload_size(upload) or 0
    first = re.match(r"(?:bytes[ =])?(\d+)-", call.request.headers.get("content-range", ""))
    if first and int(first[1]) != have:
        headers = {"Location": _location(call, upload), "Range": _range(have)}
        raise RegistryError(416, "RANGE_INVALID", "invalid content range", headers=headers)
    await _receive(call, upload)
    return _accepted(call, upload, 202)


async def finish(call: Call) -> Response:
    upload = _known(call)
    await _receive(call, upload)
    return await _finish(call, upload, call.request.query_params.get("digest", ""))


async def cancel(call: Call) -> Response:
    upload = _known(call)
    del call.uploads[upload]
    call.store.blobs.files.cancel_upload(upload)
    return Response(status_code=204)


def _known(call: Call) -> str:
    upload = call.params["upload"]
    if call.uploads.get(upload) != call.name:
        raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    return upload


async def _receive(call: Call, upload: str) -> None:
    async for chunk in call.request.stream():
        if chunk:
            call.store.blobs.files.append(upload, chunk)


async def _finish(call: Call, upload: str, digest: str) -> Response:
    del call.uploads[upload]
    if not await run_in_threadpool(call.store.blobs.keep_upload, call.registry, call.name, upload, digest):
        raise RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    return _created(call, digest)


def _mount(call: Call, digest: str, source: str) -> Response | None:
    """The blob taken over from a repository that the caller may pull; else the upload takes its normal course."""
    if not digest or (source, "pull") not in call.grants:
        return None
    size = call.store.blobs.size(call.registry, source, digest)
    if size is None:
        return None
    call.store.blobs.link(call.registry, call.name, digest, size)
    return _created(call, digest)


def _created(call: Call, digest: str) -> Response:
    headers = {"Docker-Content-Digest": digest, "Location": f"/v2/{call.name}/blobs/{digest}"}
    return Response(status_code=201, headers=headers)


def _accepted(call: Call, upload: str, status_code: int) -> Response:
    have = call.store.blobs.files.upload_size(upload) or 0
    headers = {"Location": _location(call, upload), "Range": _range(have), "Docker-Upload-Uuid": upload}
    return Response(status_code=status_code, headers=headers)


def _location(call: Call, upload: str) -> str:
    """Relative: azure-containerregistry puts the host before whatever it gets."""
    return f"/v2/{call.name}/blobs/uploads/{upload}"


def _range(have: int) -> str:
    return f"0-{max(have - 1, 0)}"
