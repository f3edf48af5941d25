"""Resource groups, and what is deleted with one."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, public
from sandbox.arm.operations import Operations, group_location_header
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.locations import LOCATIONS, normalize
from sandbox.documents.registry_rules import REGISTRY_TYPE

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
GROUPS = "/subscriptions/{subscription}/resourceGroups"
GROUP = GROUPS + "/{group}"
_NAME = re.compile(r"[\w\-.()]{0,89}[\w\-()]")
_ACTION = "Microsoft.Resources/subscriptions/resourceGroups/"


def routes(operations: Operations) -> list[Route]:
    return [
        Route("GET", GROUPS, list_groups),
        Route("GET", GROUP, get_group, _ACTION + "read"),
        Route("HEAD", GROUP, head_group, _ACTION + "read"),
        Route("PUT", GROUP, put_group, _ACTION + "write"),
        Route("PATCH", GROUP, patch_group, _ACTION + "write"),
        Route("DELETE", GROUP, lambda call: delete_group(call, operations), _ACTION + "delete"),
    ]


def group_id(call: Call) -> str:
    return f"/subscriptions/{call.params['subscription']}/resourceGroups/{call.params['group']}"


def existing_group(call: Call) -> Document:
    document = call.store.get_resource(group_id(call))
    if document is None:
        message = f"Resource group '{call.params['group']}' could not be found."
        raise ArmError(404, "ResourceGroupNotFound", message)
    return document


def refuse_deleting(group: Document) -> None:
    """Refuse a new resource in a group that is being deleted."""
    if group["properties"]["provisioningState"] == "Deleting":
        message = f"The resource group '{group['name']}' is in deprovisioning state and cannot perform this operation."
        raise ArmError(409, "ResourceGroupBeingDeleted", message)


def list_groups(call: Call) -> Response:
    """Only the groups that the caller may read; none is an empty list, never a refusal."""
    documents = call.store.list_resources(GROUP_TYPE, f"/subscriptions/{call.params['subscription']}")
    wanted = _tag_filter(call.query.get("$filter", ""))
    return listing(
        call,
        [doc for doc in documents if wanted(doc) and call.access.allows(doc["id"], _ACTION + "read")],
    )


def _tag_filter(text: str) -> Callable[[Document], bool]:
    match = re.fullmatch(r"tagname eq '([^']*)'(?: and tagvalue eq '([^']*)')?", text.strip(), re.IGNORECASE)
    if not text:
        return lambda _document: True
    if match is None:
        raise ArmError(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query.")
    name, value = match.groups()

    def matches(document: Document) -> bool:
        tags = document.get("tags") or {}
        return name in tags and value in (None, tags[name])

    return matches


def get_group(call: Call) -> Response:
    return answer(public(existing_group(call)))


def head_group(call: Call) -> Response:
    return Response(status_code=204 if call.store.get_resource(group_id(call)) else 404)


def put_group(call: Call) -> Response:
    name, body = call.params["group"], call.body
    if not isinstance(body, dict) or not isinstance(body.get("location"), str):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if not _NAME.fullmatch(name):
        raise ArmError(400, "InvalidResourceGroupName", f"The provided resource group name '{name}' is invalid.")
    location = normalize(body["location"])
    if location not in LOCATIONS:
        raise ArmError(
            400,
            "LocationNotAvailableForResourceGroup",
            f"The provided location '{body['location']}' is not available for resource group.",
        )
    before = call.store.get_resource(group_id(call))
    if before is not None:
        refuse_deleting(before)
    if before is not None and before["location"] != location:
        raise ArmError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{before['location']}'.",
        )
    document: Document = {
        "id": before["id"] if before else group_id(call),
        "name": before["name"] if before else name,
        "type": GROUP_TYPE,
        "location": location,
        "tags": body.get("tags") or {},
        "properties": {"provisioningState": "Succeeded"},
    }
    call.store.put_resource(document)
    return answer(document, 200 if before else 201)


def patch_group(call: Call) -> Response:
    document = existing_group(call)
    if isinstance(call.body, dict) and isinstance(call.body.get("tags"), dict):
        document["tags"] = call.body["tags"]
        call.store.put_resource(document)
    return answer(public(document))


def delete_group(call: Call, operations: Operations) -> Response:
    """The group with all that is in it, and the role assignments below it."""
    group = existing_group(call)
    for registry in call.store.list_resources(REGISTRY_TYPE, group["id"]):
        remove_registry(call, registry)
    for document in call.store.list_resources(under=group["id"]):
        call.store.delete_resource(document["id"])
    operation = operations.start(group["id"], "Deleting")
    return Response(status_code=202, headers=group_location_header(call, operation))


def remove_registry(call: Call, registry: Document) -> None:
    """A registry with everything nested in it: replicas, webhooks, tokens, role assignments, images."""
    call.state.close_registry(registry["name"])
    for document in call.store.list_resources(under=registry["id"]):
        call.store.delete_resource(document["id"])
    call.store.delete_registry_data(registry["name"].lower())
