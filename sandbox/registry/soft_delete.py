"""Soft delete (a preview): what is deleted while the policy is on can be listed and restored, and stays billed, until
it expires.

https://learn.microsoft.com/azure/container-registry/container-registry-soft-delete-policy; the wire format is that of
az 2.91 and its tests (azure-cli, acr/manifest.py and acr/repository.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sandbox.documents.errors import Document
from sandbox.registry.call import TAG, Call, RegistryError, disallowed, manifest_unknown, next_link
from sandbox.storage.blobs import DIGEST
from sandbox.storage.deleted import Deleted
from sandbox.storage.store import Store, timestamp


def keeps_deleted(call: Call) -> bool:
    """Whether the registry's policy is on now."""
    registry = call.store.get_resource(call.document["id"]) or call.document
    return bool(registry["properties"]["policies"]["softDeletePolicy"]["status"] == "enabled")


def keep_manifests(call: Call, digests: Sequence[str] | None) -> None:
    """Keeps manifests of the repository of the path that are about to be deleted, all where None, with their tags."""
    if keeps_deleted(call):
        call.store.deleted.keep_manifests(call.registry, call.name, digests, call.state.stamp())


def keep_tag(call: Call, name: str) -> None:
    """Keeps a tag that is about to be removed or moved."""
    if keeps_deleted(call):
        call.store.deleted.keep_tag(call.registry, call.name, name, call.state.stamp())


def refuse_deleted(call: Call, digest: str) -> None:
    """A push of a manifest that is deleted and can be restored is not allowed."""
    purge_expired(call.store, call.document, call.state.clock())
    if digest in {one.digest for one in call.store.deleted.manifests(call.registry, call.name)}:
        message = f"The manifest {digest} is soft deleted: restore it instead."
        raise RegistryError(409, "CONFLICT", message)


def purge_expired(store: Store, registry: Document, now: datetime) -> None:
    """Drops what has expired: by the number of days that the policy has now, also while it is off."""
    registry = store.get_resource(registry["id"]) or registry
    days = int(registry["properties"]["policies"]["softDeletePolicy"]["retentionDays"])
    store.deleted.purge(str(registry["name"]).lower(), timestamp(now - timedelta(days=days)))


async def list_repositories(call: Call) -> Response:
    _purge(call)
    found = call.store.deleted.repositories(call.registry)
    return _page(call, "/acr/v1/_deleted/_catalog", "repositories", found, lambda one: {"repository": one.name})


async def list_manifests(call: Call) -> Response:
    _purge(call)
    found = call.store.deleted.manifests(call.registry, call.name)
    return _page(call, _path(call, "_manifests"), "manifests", found, lambda one: {"digest": one.digest})


async def list_tags(call: Call) -> Response:
    _purge(call)
    found = call.store.deleted.tags(call.registry, call.name)
    return _page(call, _path(call, "_tags"), "tags", found, lambda one: {"digest": one.digest, "tag": one.name})


async def restore(call: Call) -> Response:
    """A manifest without what it refers to, and one tag, or none: `force` moves a tag that is there."""
    digest, force = call.params["digest"], call.request.query_params.get("force", "").lower() == "true"
    tag = await _wanted_tag(call)
    _purge(call)
    store, where = call.store, (call.registry, call.name)
    deleted = {one.digest for one in store.deleted.manifests(*where)}
    if digest not in deleted and store.get_manifest(*where, digest) is None:
        raise manifest_unknown()
    subject = store.deleted.subject(*where, digest)
    if subject in deleted:
        message = f"The subject {subject} has to be restored before what refers to it."
        raise RegistryError(409, "CONFLICT", message)
    there = store.get_tag(*where, tag) if tag else None
    if there and there.digest != digest:
        if not force:
            message = f"The tag {tag} exists and points to {there.digest}: it is moved with force only."
            raise RegistryError(409, "CONFLICT", message)
        if not (there.locks.write and call.locks().write):
            raise disallowed()
        keep_tag(call, there.name)
    with store.transaction():
        store.restore_manifest(*where, digest, call.state.stamp())
        if tag:
            store.add_tag(*where, tag, digest, call.state.stamp())
            store.deleted.forget_tag(*where, tag, digest)
    return JSONResponse({"digest": digest, "tag": tag})


async def _wanted_tag(call: Call) -> str | None:
    try:
        body = json.loads(await call.request.body() or b"{}")
        tag = body.get("tag")
    except (ValueError, AttributeError) as error:
        raise RegistryError(400, "UNSUPPORTED", "the body is no JSON object") from error
    if not DIGEST.fullmatch(call.params["digest"]):
        raise RegistryError(400, "DIGEST_INVALID", "provided digest is no digest")
    if tag is not None and not (isinstance(tag, str) and TAG.fullmatch(tag)):
        raise RegistryError(400, "TAG_INVALID", "the tag is no name of a tag")
    return tag or None


def _purge(call: Call) -> None:
    purge_expired(call.store, call.document, call.state.clock())


def _page(
    call: Call, path: str, member: str, found: Sequence[Deleted], names: Callable[[Deleted], dict[str, str]]
) -> Response:
    """One page: `last` is the number of the entry before it."""
    size, last, order = call.page()
    first = int(last) if last.isdigit() else 0
    entries = [
        {**names(one), "createdAt": one.created, "deletedAt": one.deleted} for one in found[first : first + size]
    ]
    more = next_link(path, str(first + size), size, order) if len(found) > first + size else {}
    return JSONResponse({member: entries}, headers=more)


def _path(call: Call, last: str) -> str:
    return f"/acr/v1/_deleted/{quote(call.name, safe='')}/{last}"
