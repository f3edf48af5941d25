"""POST …/importImage: images copied between this sandbox's own registries, as Azure copies them.

Copied are the manifest, an index with all its children, and their blobs. Referrers are not, as in Azure
(https://github.com/dotnet/docker-tools/issues/1999). Registries outside the sandbox can't be reached.
https://learn.microsoft.com/azure/container-registry/container-registry-import-images
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, not_found
from sandbox.arm.operations import Operations, location_header
from sandbox.arm.registry_path import REGISTRY, existing_registry
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.rbac import registry_permissions
from sandbox.registry.auth import UNAUTHORIZED, may_pull
from sandbox.registry.call import REPOSITORY, TAG
from sandbox.storage.blobs import DIGEST
from sandbox.storage.manifest import Parsed, parse
from sandbox.storage.store import Manifest

MOST_MANIFESTS = 50
_IMAGE = re.compile(r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?")
_RESOURCE = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/registries/[^/]+", re.IGNORECASE)
_REQUESTED = REGISTRY_TYPE + "/importImage/action"


def routes(operations: Operations) -> list[Route]:
    return [Route("POST", REGISTRY + "/importImage", lambda call: import_image(call, operations), _REQUESTED, REGISTRY)]


@dataclass(frozen=True)
class Image:
    """An image by name: `reference` is a tag or a digest."""

    repository: str
    reference: str


@dataclass(frozen=True)
class Copied:
    """One manifest to copy: its row, its bytes, and what was parsed of them."""

    manifest: Manifest
    body: bytes
    parsed: Parsed


@dataclass(frozen=True)
class Content:
    """An image, the top manifest first; the sizes of its blobs by digest, without those that are descriptors only."""

    manifests: tuple[Copied, ...]
    blobs: Mapping[str, int]


class ImportFailed(Exception):
    """Why an import that was accepted failed: the message of what refused it."""


def import_image(call: Call, operations: Operations) -> Response:
    """202 and Location. What is wrong with the request shows at once; what is wrong with the source, in the end.

    The copy is made before the answer is sent: a client that stops polling does not stop it.
    """
    target = existing_registry(call)
    source, image = _source(call)
    tags, untagged, force = _targets(call, image)
    if not force:
        for name, tag in tags:
            if call.store.get_tag(target["name"], name, tag) is not None:
                raise ArmError(409, "Conflict", f"Tag {name}:{tag} already exists in target registry.")
    operation_target = f"{target['id']}/importImage/{uuid.uuid4()}"
    failure = None
    try:
        _check_reachable(target)
        _write(call, target, _read(call, source, image), tags, untagged)
    except ImportFailed as error:
        failure = ArmError(
            400,
            "InvalidParameters",
            f"Operation {operation_target.rpartition('/')[2]} failed. Resource {target['id']} {error}",
        )
    operation = operations.start(operation_target, "Accepted", failure=failure, result={"status": "Succeeded"})
    return answer(None, 202, location_header(call, operation, target["location"]))


def _source(call: Call) -> tuple[Document | None, Image]:
    """The registry to copy from, None where its address leads nowhere, and the image there."""
    body = call.body if isinstance(call.body, dict) else {}
    given = body.get("source")
    if not isinstance(given, dict) or not isinstance(given.get("sourceImage"), str):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid: source is missing.")
    found = _IMAGE.fullmatch(given["sourceImage"])
    if not found or not REPOSITORY.fullmatch(found["repository"]):
        raise ArmError(400, "InvalidParameters", f"The source image '{given['sourceImage']}' is invalid.")
    image = Image(found["repository"], found["digest"] or found["tag"] or "latest")
    if resource_id := given.get("resourceId"):
        return _by_resource_id(call, str(resource_id), image), image
    address = str(given.get("registryUri") or "").lower()
    registries = call.store.list_resources(REGISTRY_TYPE)
    return next((doc for doc in registries if doc["properties"]["loginServer"].lower() == address), None), image


def _by_resource_id(call: Call, resource_id: str, image: Image) -> Document:
    document = call.store.get_resource(resource_id) if _RESOURCE.fullmatch(resource_id) else None
    if document is None:
        raise not_found(REGISTRY_TYPE, resource_id.rpartition("/")[2], _group(resource_id))
    held = registry_permissions(call.store, document, call.caller.object_id, image.repository)
    if "pull" not in held:
        raise ArmError(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{call.caller.name}' with object id '{call.caller.object_id}' has permission to perform "
            f"action '{_REQUESTED}' on scope '{call.path.rpartition('/')[0]}'; however, it does not have permission "
            f"to perform action(s) '{REGISTRY_TYPE}/pull/read' on the linked scope(s) '{document['id']}'.",
        )
    return document


def _group(resource_id: str) -> str:
    segments = [*resource_id.split("/"), "", "", "", "", ""]
    return segments[4]


def _targets(call: Call, image: Image) -> tuple[list[tuple[str, str]], list[str], bool]:
    """Tags to set, as repository and tag; repositories that get the manifest alone; and whether tags may move."""
    tags = []
    for name in _names(call.body, "targetTags"):
        repository, _, tag = name.partition(":")
        tag = tag or ("latest" if DIGEST.fullmatch(image.reference) else image.reference)
        if not REPOSITORY.fullmatch(repository) or not TAG.fullmatch(tag):
            raise ArmError(400, "InvalidParameters", f"The target tag '{name}' is invalid.")
        tags.append((repository, tag))
    untagged = _names(call.body, "untaggedTargetRepositories")
    if bad := [name for name in untagged if not REPOSITORY.fullmatch(name)]:
        raise ArmError(400, "InvalidParameters", f"The target repository '{bad[0]}' is invalid.")
    if not tags and not untagged:
        raise ArmError(400, "InvalidParameters", "No target tag or repository was given.")
    return tags, untagged, str(call.body.get("mode") or "NoForce").lower() == "force"


def _names(body: Mapping[str, Any], member: str) -> list[str]:
    names = body.get(member) or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ArmError(400, "InvalidRequestContent", f"The request content was invalid: {member} is no list of names.")
    return names


def _check_reachable(document: Document) -> None:
    """Imports pass a registry's network rules as a trusted service, where the registry allows those."""
    properties = document["properties"]
    rules = properties.get("networkRuleSet") or {}
    closed = properties.get("publicNetworkAccess") == "Disabled" or rules.get("defaultAction") == "Deny"
    if closed and properties.get("networkRuleBypassOptions") == "None":
        raise _said("Forbidden", "DENIED", f"client is not allowed access to {document['name']}")


def _said(status: str, code: str, message: str) -> ImportFailed:
    """A registry's refusal, wrapped as it is in github.com/Azure/acr/issues/181."""
    return ImportFailed(f'Invalid message {status} {status} {{"errors":[{{"code":"{code}","message":"{message}"}}]}}')


def _read(call: Call, source: Document | None, image: Image) -> Content:
    """The image and all that an index lists."""
    if source is None:
        raise ImportFailed(f"Error copying blobs: the registry {call.body['source'].get('registryUri')} is unreachable")
    given = call.body["source"]
    if not given.get("resourceId"):
        login = given.get("credentials") or {}
        user, password = str(login.get("username") or ""), str(login.get("password") or "")
        if not may_pull(call.state, source, user, password, image.repository):
            raise _said("Unauthorized", "UNAUTHORIZED", UNAUTHORIZED)
    _check_reachable(source)
    registry, digest = source["name"], image.reference
    readable = call.store.repository_locks(registry, image.repository).read
    if not DIGEST.fullmatch(digest):
        tag = call.store.get_tag(registry, image.repository, digest)
        if tag is None:
            raise _said("NotFound", "MANIFEST_UNKNOWN", f"manifest tagged by {digest} is not found")
        digest, readable = tag.digest, readable and tag.locks.read
    found: dict[str, Copied] = {}
    waiting = [digest]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        manifest = call.store.get_manifest(registry, image.repository, current)
        if manifest is None:
            raise _said("NotFound", "MANIFEST_UNKNOWN", f"manifest {current} is not found")
        if not (readable and manifest.locks.read):
            raise _said("MethodNotAllowed", "REGISTRY_DISALLOWED_OPERATION", "The operation is disallowed")
        body = call.store.get_manifest_body(registry, image.repository, current) or b""
        found[current] = Copied(manifest, body, parse(body, manifest.media_type))
        if len(found) > MOST_MANIFESTS:
            raise ImportFailed(f"The image has more than {MOST_MANIFESTS} manifests")
        waiting += found[current].parsed.children
    sizes = {
        blob.digest: call.store.blobs.size(registry, image.repository, blob.digest)
        for copied in found.values()
        for blob in copied.parsed.blobs
    }
    return Content(tuple(found.values()), {digest: size for digest, size in sizes.items() if size is not None})


def _write(call: Call, target: Document, content: Content, tags: list[tuple[str, str]], untagged: list[str]) -> None:
    """All of it or nothing: a lock on any of the targets refuses the whole."""
    registry = target["name"]
    repositories = list(dict.fromkeys([*(name for name, _ in tags), *untagged]))
    held = [call.store.get_tag(registry, name, tag) for name, tag in tags]
    if not all(call.store.repository_locks(registry, name).write for name in repositories) or not all(
        tag.locks.write for tag in held if tag
    ):
        raise _said("MethodNotAllowed", "REGISTRY_DISALLOWED_OPERATION", "The operation is disallowed")
    deleted = {one.digest for name in repositories for one in call.store.deleted.manifests(registry, name)}
    if deleted & {copied.manifest.digest for copied in content.manifests}:
        raise _said("Conflict", "CONFLICT", "The image is soft deleted in the target: restore it instead")
    now = call.state.stamp()
    with call.store.transaction():
        for name in repositories:
            for digest, size in content.blobs.items():
                call.store.blobs.link(registry, name, digest, size)
            for copied in reversed(content.manifests):
                call.store.add_manifest(
                    registry,
                    name,
                    copied.body,
                    copied.manifest.media_type,
                    now,
                    architecture=copied.manifest.architecture,
                    os=copied.manifest.os,
                    parsed=copied.parsed,
                )
        for name, tag in tags:
            call.store.add_tag(registry, name, tag, content.manifests[0].manifest.digest, now)
