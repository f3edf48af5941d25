"""/acr/v1: repositories, tags and manifests as ACR describes them, their locks, and deleting.

Shapes: the swagger of azure-containerregistry, api-version 2021-07-01.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sandbox.registry import webhook_events
from sandbox.registry.call import (
    Call,
    RegistryError,
    disallowed,
    manifest_unknown,
    name_unknown,
    next_link,
    tag_unknown,
)
from sandbox.registry.repository_events import log_event
from sandbox.registry.soft_delete import keep_manifests, keep_tag
from sandbox.storage import manifest
from sandbox.storage.store import Locks, Manifest, Repository, Tag

Json = dict[str, Any]


async def catalog(call: Call) -> Response:
    size, last, order = call.page()
    names = call.store.list_repositories(call.registry, last, size + 1)
    headers = next_link("/acr/v1/_catalog", names[size - 1], size, order) if len(names) > size else {}
    return JSONResponse({"repositories": names[:size]}, headers=headers)


async def get_repository(call: Call) -> Response:
    return JSONResponse(_repository(call, call.repository()))


async def patch_repository(call: Call) -> Response:
    locks = await _patched(call, call.repository().locks)
    call.store.set_repository_locks(call.registry, call.name, locks, call.state.stamp())
    return await get_repository(call)


async def delete_repository(call: Call) -> Response:
    call.repository()
    if call.store.repository_is_locked(call.registry, call.name):
        raise disallowed()
    with call.store.transaction():
        keep_manifests(call, None)
        digests, tags = call.store.delete_repository(call.registry, call.name)
    webhook_events.deleted(call)
    log_event(call, "Delete")
    return JSONResponse({"manifestsDeleted": digests or None, "tagsDeleted": tags or None}, 202)


async def list_tags(call: Call) -> Response:
    call.repository()
    size, last, order = call.page()
    digest = call.request.query_params.get("digest")
    tags = call.store.list_tags(call.registry, call.name, last, size + 1, order, digest)
    headers = {}
    if len(tags) > size:
        headers = next_link(_path(call, "_tags"), tags[size - 1].name, size, order, digest=digest)
    body = [_tag(tag) for tag in tags[:size]]
    return JSONResponse(_named(call, "tags", body or None), headers=headers)


async def get_tag(call: Call) -> Response:
    return JSONResponse(_named(call, "tag", _tag(_existing_tag(call))))


async def patch_tag(call: Call) -> Response:
    tag = _existing_tag(call)
    locks = await _patched(call, tag.locks)
    call.store.set_tag_locks(call.registry, call.name, tag.name, locks, call.state.stamp())
    return await get_tag(call)


async def delete_tag(call: Call) -> Response:
    tag = _existing_tag(call)
    if not (tag.locks.deletable and call.locks().deletable):
        raise disallowed()
    with call.store.transaction():
        keep_tag(call, tag.name)
        call.store.delete_tag(call.registry, call.name, tag.name, call.state.stamp())
    log_event(call, "Untag", tag.name, tag.digest)
    return Response(status_code=202, headers={"x-ms-int-docker-content-digest": tag.digest})


async def list_manifests(call: Call) -> Response:
    call.repository()
    size, last, order = call.page()
    found = call.store.list_manifests(call.registry, call.name, last, size + 1, order)
    headers = {}
    if len(found) > size:
        headers = next_link(_path(call, "_manifests"), found[size - 1].digest, size, order)
    return JSONResponse(_named(call, "manifests", [_manifest(item) for item in found[:size]]), headers=headers)


async def get_manifest(call: Call) -> Response:
    found = _existing_manifest(call)
    body = _manifest(found)
    if found.media_type in manifest.INDEXES:
        body["references"] = _references(call, found.digest)
    return JSONResponse(_named(call, "manifest", body))


async def patch_manifest(call: Call) -> Response:
    found = _existing_manifest(call)
    locks = await _patched(call, found.locks)
    call.store.set_manifest_locks(call.registry, call.name, found.digest, locks, call.state.stamp())
    return await get_manifest(call)


def _existing_tag(call: Call) -> Tag:
    found = call.store.get_tag(call.registry, call.name, call.params["tag"])
    if found is None:
        raise tag_unknown()
    return found


def _existing_manifest(call: Call) -> Manifest:
    found = call.store.get_manifest(call.registry, call.name, call.params["digest"])
    if found is None:
        raise manifest_unknown()
    return found


async def _patched(call: Call, locks: Locks) -> Locks:
    """The locks with what the body changes; quarantine and teleport members are accepted and not kept."""
    try:
        body = json.loads(await call.request.body())
    except ValueError as error:
        raise RegistryError(400, "UNSUPPORTED", "the body is not JSON") from error
    if call.store.get_repository(call.registry, call.name) is None:  # deleted while the body was read
        raise name_unknown(call.name)
    if not isinstance(body, dict):
        raise RegistryError(400, "UNSUPPORTED", "the body is not an object")
    names = {"deleteEnabled": "delete", "writeEnabled": "write", "readEnabled": "read", "listEnabled": "list"}
    given = {names[key]: value for key, value in body.items() if key in names and value is not None}
    if not all(isinstance(value, bool) for value in given.values()):
        raise RegistryError(400, "UNSUPPORTED", "changeable attributes are true or false")
    return replace(locks, **given)


def _named(call: Call, key: str, value: object) -> Json:
    return {"registry": call.login_server, "imageName": call.name, key: value}


def _repository(call: Call, repository: Repository) -> Json:
    return {
        "registry": call.login_server,
        "imageName": repository.name,
        "createdTime": repository.created,
        "lastUpdateTime": repository.updated,
        "manifestCount": repository.manifests,
        "tagCount": repository.tags,
        "changeableAttributes": {**_attributes(repository.locks), "teleportEnabled": False},
    }


def _tag(tag: Tag) -> Json:
    return {
        "name": tag.name,
        "digest": tag.digest,
        "createdTime": tag.created,
        "lastUpdateTime": tag.updated,
        "signed": False,
        "changeableAttributes": _attributes(tag.locks),
    }


def _manifest(item: Manifest) -> Json:
    """A manifest without what ACR leaves out: an index has no platform, and what has no tags has no `tags` key."""
    optional = {
        "architecture": item.architecture,
        "os": item.os,
        "mediaType": item.media_type,
        "configMediaType": item.config_media_type,
        "artifactType": item.artifact_type,
        "tags": list(item.tags) or None,
    }
    return {
        "digest": item.digest,
        "imageSize": item.size,
        "createdTime": item.created,
        "lastUpdateTime": item.updated,
        **{key: value for key, value in optional.items() if value is not None},
        "changeableAttributes": _attributes(item.locks),
    }


def _attributes(locks: Locks) -> Json:
    return {
        "deleteEnabled": locks.delete,
        "writeEnabled": locks.write,
        "readEnabled": locks.read,
        "listEnabled": locks.list,
    }


def _references(call: Call, digest: str) -> list[Json]:
    body = json.loads(call.store.get_manifest_body(call.registry, call.name, digest) or b"{}")
    children = [(child, child.get("platform") or {}) for child in body.get("manifests", [])]
    return [
        {
            "digest": child["digest"],
            **{key: platform[key] for key in ("architecture", "os") if key in platform},
        }
        for child, platform in children
    ]


def _path(call: Call, last: str) -> str:
    return f"/acr/v1/{quote(call.name, safe='')}/{last}"
