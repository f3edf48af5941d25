"""Azure RBAC, as far as a registry needs it: who may do what at which scope, and under which condition.

Rules: https://learn.microsoft.com/azure/role-based-access-control/overview
Denials: https://learn.microsoft.com/azure/role-based-access-control/deny-assignments
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sandbox.identity.conditions import condition_holds
from sandbox.identity.roles import BUILT_IN_ROLES, RoleDefinition
from sandbox.storage.store import Store

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
DENIALS = "Microsoft.Authorization/denyAssignments"
DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
EVERYONE = "00000000-0000-0000-0000-000000000000"  # "all principals", as deny assignments name them
REPOSITORY_NAME = "Microsoft.ContainerRegistry/registries/repositories:name"

_REGISTRY = "Microsoft.ContainerRegistry/registries/"
# What an operation on the data plane needs: an action in Legacy mode, a data action in ABAC mode.
# https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview
_LEGACY_ACTIONS = {
    "catalog": "pull/read",
    "pull": "pull/read",
    "metadata_read": "pull/read",
    "push": "push/write",
    "metadata_write": "metadata/write",
    "delete": "artifacts/delete",
}
_ABAC_DATA_ACTIONS = {
    "catalog": "catalog/read",
    "pull": "repositories/content/read",
    "metadata_read": "repositories/metadata/read",
    "push": "repositories/content/write",
    "metadata_write": "repositories/metadata/write",
    "delete": "repositories/content/delete",
}
# Of what is soft deleted: an action in both modes (container-registry-soft-delete-policy.md, "at registry level").
_DELETED_ACTIONS = {
    "deleted_catalog": "deleted/read",
    "deleted_read": "deleted/read",
    "deleted_restore": "deleted/restore/action",
}


@dataclass(frozen=True)
class Assignment:
    """One role assignment; `role` is the GUID of its definition."""

    scope: str
    principal_id: str
    role: str
    condition: str | None = None
    created: str = ""


@dataclass(frozen=True)
class Denial:
    """A deny assignment: its permission blocks, each with a condition of its own; principals are in lower case."""

    scope: str
    blocks: tuple[tuple[RoleDefinition, str | None], ...]
    principals: frozenset[str]
    excluded: frozenset[str] = frozenset()
    this_scope_only: bool = False
    condition: str | None = None

    def names(self, principals: Collection[str]) -> bool:
        """Whether it applies to a principal with these ids (its own and its groups'), in lower case."""
        someone = {*principals, EVERYONE}
        return not self.principals.isdisjoint(someone) and self.excluded.isdisjoint(principals)

    def denies(self, scope: str, action: str, *, data: bool, attributes: Mapping[str, str]) -> bool:
        """Whether it denies `action` at a scope to the principals that it names."""
        here = self.scope.lower().rstrip("/") == scope.lower().rstrip("/")
        reaches = here if self.this_scope_only else scope_covers(self.scope, scope)
        return (
            reaches
            and condition_holds(self.condition, action, attributes)
            and any(
                role_grants(block, action, data=data) and condition_holds(condition, action, attributes)
                for block, condition in self.blocks
            )
        )


def registry_permissions(
    store: Store,
    registry_doc: Mapping[str, Any],
    principal_id: str,
    repository: str | None,
    *,
    settled: str | None = None,
) -> frozenset[str]:
    """Which of catalog, pull, push, delete, metadata_read, metadata_write, and of those on what is soft deleted, a
    principal has.

    Without a repository the answer is what holds for the whole registry (conditions on names then fail).
    With `settled`, roles that were assigned later than this time do not count yet.
    """
    abac = registry_doc["properties"].get("roleAssignmentMode") == "AbacRepositoryPermissions"
    access = access_of(store, principal_id)
    if settled is not None:
        access = replace(access, assignments=tuple(mine for mine in access.assignments if mine.created <= settled))
    attributes = {REPOSITORY_NAME: repository} if repository is not None else {}
    needed = _ABAC_DATA_ACTIONS if abac else _LEGACY_ACTIONS
    return frozenset(
        permission
        for actions, data in ((needed, abac), (_DELETED_ACTIONS, False))
        for permission, action in actions.items()
        if access.allows(registry_doc["id"], _REGISTRY + action, data=data, attributes=attributes)
    )


@dataclass(frozen=True)
class Access:
    """What one principal holds, its groups' assignments included, and what is denied to it."""

    assignments: tuple[Assignment, ...]
    definitions: Mapping[str, RoleDefinition]
    principals: frozenset[str]
    denials: tuple[Denial, ...] = ()

    def allows(
        self, scope: str, action: str, *, data: bool = False, attributes: Mapping[str, str] | None = None
    ) -> bool:
        """Whether a role gives the action and nothing denies it: a denial wins over any role."""
        if any(denial.denies(scope, action, data=data, attributes=attributes or {}) for denial in self.denials):
            return False
        return allowed(
            self.assignments,
            self.definitions,
            self.principals,
            scope,
            action,
            data=data,
            request_attributes=attributes,
        )


def access_of(store: Store, principal_id: str) -> Access:
    principals = principal_and_groups(store, principal_id)
    mine = tuple(a for a in stored_assignments(store) if a.principal_id.lower() in principals)
    denials = tuple(denial for denial in stored_denials(store) if denial.names(principals))
    return Access(mine, role_definitions(store), principals, denials)


def principal_and_groups(store: Store, principal_id: str) -> frozenset[str]:
    """A principal's object id and those of its groups, nested ones too, in lower case."""
    found = {principal_id.lower()}
    groups = {
        doc["objectId"].lower(): {member.lower() for member in doc["members"]}
        for doc in store.list_resources("principals")
        if doc.get("members")
    }
    while more := {group for group, members in groups.items() if members & found} - found:
        found |= more
    return frozenset(found)


def stored_assignments(store: Store) -> Iterator[Assignment]:
    for doc in store.list_resources(ASSIGNMENTS):
        properties = doc["properties"]
        yield Assignment(
            properties["scope"],
            properties["principalId"],
            role_guid(properties["roleDefinitionId"]),
            properties.get("condition"),
            properties["createdOn"],
        )


def stored_denials(store: Store) -> Iterator[Denial]:
    for doc in store.list_resources(DENIALS):
        properties = doc["properties"]
        yield Denial(
            properties["scope"],
            tuple((_block(doc["name"], block), block.get("condition")) for block in properties["permissions"]),
            _ids(properties["principals"]),
            _ids(properties.get("excludePrincipals") or ()),
            bool(properties.get("doNotApplyToChildScopes")),
            properties.get("condition"),
        )


def _ids(principals: Iterable[Mapping[str, str]]) -> frozenset[str]:
    return frozenset(principal["id"].lower() for principal in principals)


def _block(name: str, block: Mapping[str, Any]) -> RoleDefinition:
    """A permission block of a denial: it matches actions as a role's does."""
    return RoleDefinition(
        guid=name,
        name=name,
        description="",
        actions=tuple(block.get("actions") or ()),
        not_actions=tuple(block.get("notActions") or ()),
        data_actions=tuple(block.get("dataActions") or ()),
        not_data_actions=tuple(block.get("notDataActions") or ()),
    )


def role_definitions(store: Store) -> dict[str, RoleDefinition]:
    """Every role by GUID: Azure's own and the custom ones of this tenant."""
    custom = (RoleDefinition.from_arm(doc) for doc in store.list_resources(DEFINITIONS))
    return {**BUILT_IN_ROLES, **{role.guid: role for role in custom}}


def role_guid(role_definition_id: str) -> str:
    return role_definition_id.rsplit("/", 1)[-1].lower()


def allowed(
    assignments: Iterable[Assignment],
    definitions: Mapping[str, RoleDefinition],
    principals: Collection[str],
    scope: str,
    action: str,
    *,
    data: bool = False,
    request_attributes: Mapping[str, str] | None = None,
) -> bool:
    """Whether any assignment at or above `scope` gives `action` to one of `principals` (lower case)."""
    return any(
        assignment.principal_id.lower() in principals
        and scope_covers(assignment.scope, scope)
        and assignment.role in definitions
        and role_grants(definitions[assignment.role], action, data=data)
        and condition_holds(assignment.condition, action, request_attributes or {})
        for assignment in assignments
    )


def scope_covers(assigned: str, scope: str) -> bool:
    """An assignment reaches what lies below it; "/" and management groups reach everything."""
    assigned, scope = assigned.lower().rstrip("/"), scope.lower().rstrip("/")
    if assigned.startswith("/providers/microsoft.management/managementgroups/"):
        return True
    return assigned in ("", scope) or scope.startswith(assigned + "/")


def role_grants(role: RoleDefinition, action: str, *, data: bool = False) -> bool:
    granted, withheld = (role.data_actions, role.not_data_actions) if data else (role.actions, role.not_actions)
    return any(action_matches(p, action) for p in granted) and not any(action_matches(p, action) for p in withheld)


def action_matches(pattern: str, action: str) -> bool:
    return _action_pattern(pattern).fullmatch(action) is not None


@lru_cache(maxsize=1024)
def _action_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
