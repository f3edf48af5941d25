"""Microsoft.Authorization: role definitions, role and deny assignments, the caller's own permissions."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, public
from sandbox.documents.errors import ArmError, Document
from sandbox.identity.conditions import ConditionError, parse
from sandbox.identity.principals import TENANT_ID, by_object_id
from sandbox.identity.rbac import (
    ASSIGNMENTS,
    DEFINITIONS,
    DENIALS,
    principal_and_groups,
    role_definitions,
    role_guid,
    scope_covers,
)
from sandbox.identity.roles import RoleDefinition

_BASE = "{scope}/providers/Microsoft.Authorization"
_EQUALS = re.compile(r"\s*(\w+)\s+eq\s+'([^']*)'\s*")
_ASSIGNED_TO = re.compile(r"\s*assignedTo\(\s*'([^']*)'\s*\)\s*", re.IGNORECASE)
_CREATED = "2018-05-29T17:38:02.8806423Z"

Wanted = Callable[[Document], bool]


def routes() -> list[Route]:
    assignment, definition = _BASE + "/roleAssignments/{name}", _BASE + "/roleDefinitions/{name}"
    return [
        Route("GET", _BASE + "/permissions", list_permissions, "Microsoft.Authorization/permissions/read", "{scope}"),
        Route("GET", _BASE + "/roleDefinitions", list_definitions, DEFINITIONS + "/read", "{scope}"),
        Route("GET", definition, get_definition, DEFINITIONS + "/read", "{scope}"),
        Route("GET", _BASE + "/roleAssignments", list_assignments, ASSIGNMENTS + "/read", "{scope}"),
        Route("GET", assignment, get_assignment, ASSIGNMENTS + "/read", "{scope}"),
        Route("PUT", assignment, put_assignment, ASSIGNMENTS + "/write", "{scope}"),
        Route("DELETE", assignment, delete_assignment, ASSIGNMENTS + "/delete", "{scope}"),
        Route("GET", _BASE + "/denyAssignments", list_denials, DENIALS + "/read", "{scope}"),
    ]


def list_permissions(call: Call) -> Response:
    """What the caller's roles give at this scope, one entry a role."""
    scope = call.params["scope"]
    roles = [
        call.access.definitions[mine.role]
        for mine in call.access.assignments
        if scope_covers(mine.scope, scope) and mine.role in call.access.definitions
    ]
    return answer({"value": [role.permission for role in roles]})


def list_definitions(call: Call) -> Response:
    """Built-in and custom roles; a role's name is compared without case."""
    scope, filter_text = call.params["scope"], call.query.get("$filter", "")
    roles = [
        role
        for role in role_definitions(call.store).values()
        if any(scope_covers(assignable, scope) for assignable in role.assignable_scopes)
    ]
    for term in _terms(filter_text):
        equals = _EQUALS.fullmatch(term)
        if term.strip().lower() == "atscope()":
            continue
        if equals is None or equals[1].lower() not in ("rolename", "type"):
            raise _bad_filter(filter_text)
        field, value = equals[1].lower(), equals[2].lower()
        roles = [role for role in roles if (role.name if field == "rolename" else role.kind).lower() == value]
    return answer({"value": [_definition(role, scope) for role in roles]})


def get_definition(call: Call) -> Response:
    role = role_definitions(call.store).get(call.params["name"].lower())
    if role is None:
        raise _no_such_role(call.params["name"])
    return answer(_definition(role, call.params["scope"]))


def _definition_id(role: str, scope: str) -> str:
    """Roles belong to the directory, but ARM writes their ids as of the subscription that was asked."""
    subscription = re.match(r"/subscriptions/[^/]+", scope, re.IGNORECASE)
    return f"{subscription[0] if subscription else ''}/providers/{DEFINITIONS}/{role}"


def _definition(role: RoleDefinition, scope: str) -> Document:
    return {
        "properties": {
            "roleName": role.name,
            "type": role.kind,
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [role.permission],
            "createdOn": _CREATED,
            "updatedOn": _CREATED,
            "createdBy": None,
            "updatedBy": None,
        },
        "id": _definition_id(role.guid, scope),
        "type": DEFINITIONS,
        "name": role.guid,
    }


def list_assignments(call: Call) -> Response:
    """At, above and below a scope; `atScope()` leaves out what is below, `assignedTo()` follows groups."""
    scope = call.params["scope"].rstrip("/")
    wanted = _assignment_filter(call, scope)
    return listing(call, [_seen_from(scope, doc) for doc in call.store.list_resources(ASSIGNMENTS) if wanted(doc)])


def _seen_from(scope: str, document: Document) -> Document:
    properties = document["properties"]
    role_id = _definition_id(role_guid(properties["roleDefinitionId"]), scope)
    return {**document, "properties": {**properties, "roleDefinitionId": role_id}}


def _assignment_filter(call: Call, scope: str) -> Wanted:
    text = call.query.get("$filter", "")
    tests: list[Wanted] = [lambda doc: _related(scope, doc)]
    for term in _terms(text):
        equals, assigned = _EQUALS.fullmatch(term), _ASSIGNED_TO.fullmatch(term)
        if term.strip().lower() == "atscope()":
            tests.append(lambda doc: scope_covers(doc["properties"]["scope"], scope))
        elif equals is not None and equals[1].lower() == "principalid":
            tests.append(_held_by(frozenset({equals[2].lower()})))
        elif assigned is not None:
            tests.append(_held_by(principal_and_groups(call.store, assigned[1])))
        else:
            raise _bad_filter(text)
    return lambda doc: all(test(doc) for test in tests)


def _held_by(principals: frozenset[str]) -> Wanted:
    return lambda doc: doc["properties"]["principalId"].lower() in principals


def get_assignment(call: Call) -> Response:
    document = call.store.get_resource(_assignment_id(call))
    if document is None:
        message = f"The role assignment '{call.params['name']}' is not found."
        raise ArmError(404, "RoleAssignmentNotFound", message)
    return answer(public(document))


def put_assignment(call: Call) -> Response:
    """201 with the assignment; one principal can hold a role at a scope only once."""
    given, scope = call.properties(), call.params["scope"].rstrip("/") or "/"
    role_id, principal_id = given.get("roleDefinitionId"), given.get("principalId")
    _check_scope(call, scope)
    name = _guid(call.params["name"], "role assignment ID")
    if not isinstance(role_id, str) or not isinstance(principal_id, str):
        raise ArmError(400, "InvalidCreateRoleAssignmentRequest", "roleDefinitionId and principalId are required.")
    role = role_definitions(call.store).get(role_guid(role_id))
    if role is None or not any(scope_covers(assignable, scope) for assignable in role.assignable_scopes):
        raise _no_such_role(role_guid(role_id))
    _guid(principal_id, "principal ID")
    kind = _principal_type(call, principal_id, given.get("principalType"))
    _check_condition(given.get("condition"))
    before = _same_name(call, name, scope, role.guid, principal_id)
    document: Document = {
        "properties": {
            "roleDefinitionId": role_id,
            "principalId": principal_id,
            "principalType": kind,
            "scope": scope,
            "condition": given.get("condition"),
            "conditionVersion": given.get("conditionVersion"),
            "createdOn": before["properties"]["createdOn"] if before else call.now(),
            "updatedOn": call.now(),
            "createdBy": before["properties"]["createdBy"] if before else call.caller.object_id,
            "updatedBy": call.caller.object_id,
            "delegatedManagedIdentityResourceId": None,
            "description": given.get("description"),
        },
        "id": _assignment_id(call),
        "type": ASSIGNMENTS,
        "name": name,
    }
    call.store.put_resource(document)
    # The create answer, unlike a later read, doesn't say who created it.
    return answer({**document, "properties": {**document["properties"], "createdBy": None}}, 200 if before else 201)


def _check_scope(call: Call, scope: str) -> None:
    """What is above subscriptions isn't kept as documents; all else has to exist."""
    if scope.lower().startswith("/subscriptions/") and call.store.get_resource(scope) is None:
        raise ArmError(404, "ResourceNotFound", f"The scope '{scope}' was not found.")


def _principal_type(call: Call, principal_id: str, given: object) -> str:
    """With a type in the request the directory needn't know it: so a fresh identity gets a role at once."""
    principal = by_object_id(call.store, principal_id)
    known = {"user": "User", "group": "Group"}.get(principal["kind"], "ServicePrincipal") if principal else ""
    if isinstance(given, str) and given:
        if known and known.lower() != given.lower():
            message = (
                f"The PrincipalId '{principal_id.replace('-', '')}' has type '{known}', which is different from "
                f"the specified principal type '{given}'."
            )
            raise ArmError(400, "UnmatchedPrincipalType", message)
        return given
    if principal is None:
        message = (
            f"Principal {principal_id.replace('-', '')} does not exist in the directory {TENANT_ID}. Check that "
            "you have the correct principal ID. If you are creating this principal and then immediately assigning "
            "a role, this error might be related to a replication delay. In this case, set the role assignment "
            "principalType property to a value, such as ServicePrincipal, User, or Group. "
            "See https://aka.ms/docs-principaltype"
        )
        raise ArmError(400, "PrincipalNotFound", message)
    return known


def _check_condition(condition: object) -> None:
    if condition is None or condition == "":
        return
    try:
        parse(str(condition))
    except ConditionError as error:
        raise ArmError(400, "InvalidCondition", f"The condition is not valid: {error}.") from error


def _same_name(call: Call, name: str, scope: str, role: str, principal_id: str) -> Document | None:
    """The assignment that a PUT updates: same name and grant. The same grant by another name is refused."""
    for other in call.store.list_resources(ASSIGNMENTS):
        properties = other["properties"]
        same_name = other["name"].lower() == name.lower()
        same_grant = (
            properties["scope"].lower() == scope.lower()
            and role_guid(properties["roleDefinitionId"]) == role
            and properties["principalId"].lower() == principal_id.lower()
        )
        if same_name and same_grant:
            return other
        if same_grant:
            existing = other["name"].replace("-", "")
            message = f"The role assignment already exists. The ID of the existing role assignment is {existing}."
            raise ArmError(409, "RoleAssignmentExists", message)
        if same_name:
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise ArmError(400, "RoleAssignmentUpdateNotPermitted", message)
    return None


def delete_assignment(call: Call) -> Response:
    """200 with what was deleted; 204 when there was nothing."""
    document = call.store.get_resource(_assignment_id(call))
    if document is None:
        return Response(status_code=204)
    call.store.delete_resource(document["id"])
    return answer(public(document))


def _assignment_id(call: Call) -> str:
    return f"{call.params['scope'].rstrip('/')}/providers/{ASSIGNMENTS}/{call.params['name']}"


def list_denials(call: Call) -> Response:
    """At, above and below a scope. Azure alone creates them: here they are read only."""
    scope, text = call.params["scope"].rstrip("/"), call.query.get("$filter", "")
    found = [doc for doc in call.store.list_resources(DENIALS) if _related(scope, doc)]
    for term in _terms(text):
        equals = _EQUALS.fullmatch(term)
        field = equals[1].lower() if equals else term.strip().lower()
        if field == "atscope()":
            found = [doc for doc in found if scope_covers(doc["properties"]["scope"], scope)]
        elif equals is not None and field == "denyassignmentname":
            found = [doc for doc in found if doc["properties"]["denyAssignmentName"].lower() == equals[2].lower()]
        elif equals is not None and field == "principalid":
            found = [doc for doc in found if equals[2].lower() in _named(doc)]
        else:
            raise _bad_filter(text)
    return listing(call, found)


def _named(document: Document) -> set[str]:
    return {principal["id"].lower() for principal in document["properties"]["principals"]}


def _related(scope: str, document: Document) -> bool:
    """Whether it is at the scope, above or below: all that a list without a filter shows."""
    other = document["properties"]["scope"]
    return scope_covers(other, scope) or scope_covers(scope, other)


def _terms(text: str) -> list[str]:
    return re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text.strip() else []


def _guid(text: str, what: str) -> str:
    try:
        uuid.UUID(text)
    except ValueError as error:
        raise ArmError(400, "InvalidGuid", f"The {what} '{text}' is not valid. It must be a GUID.") from error
    return text


def _bad_filter(text: str) -> ArmError:
    return ArmError(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")


def _no_such_role(name: str) -> ArmError:
    message = f"The specified role definition with ID '{name.replace('-', '')}' does not exist."
    return ArmError(404, "RoleDefinitionDoesNotExist", message)
