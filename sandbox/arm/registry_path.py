"""The registry that a path names, for the handlers of registries and of what is nested in them."""

from __future__ import annotations

from sandbox.arm.call import Call, not_found
from sandbox.arm.groups import existing_group
from sandbox.documents.errors import Document
from sandbox.documents.registry_rules import REGISTRY_TYPE

REGISTRIES = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries"
REGISTRY = REGISTRIES + "/{registry}"


def registry_id(call: Call) -> str:
    subscription, group, name = (call.params[part] for part in ("subscription", "group", "registry"))
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{REGISTRY_TYPE}/{name}"


def existing_registry(call: Call) -> Document:
    document = call.store.get_resource(registry_id(call))
    if document is None:
        existing_group(call)
        raise not_found(REGISTRY_TYPE, call.params["registry"], call.params["group"])
    return document
