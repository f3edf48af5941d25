"""What one may want to do with a registry, and which actions that takes in each of its two modes."""

from dataclasses import dataclass
from enum import StrEnum

from services.access.role_definitions import CONTENT, METADATA, REGISTRY
from services.registries.registry import Mode


class Permission(StrEnum):
    """Things to do with a registry: first on its data, then on the registry as a resource."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    LIST_CATALOG = "list repositories"
    READ_METADATA = "read tags and attributes"
    CHANGE_LOCKS = "change locks"
    READ_REGISTRY = "see the registry"
    WRITE_REGISTRY = "change the registry"
    IMPORT_IMAGES = "import images"
    LIST_CREDENTIALS = "read the admin password"
    ASSIGN_ROLES = "assign roles"
    REMOVE_ROLES = "remove role assignments"


@dataclass(frozen=True)
class Need:
    """The actions that something takes, all of them; data actions where `data`."""

    actions: tuple[str, ...]
    data: bool = False


_P = Permission
# https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview
_LEGACY = {
    _P.PULL: "pull/read",
    _P.LIST_CATALOG: "pull/read",
    _P.READ_METADATA: "pull/read",
    _P.PUSH: "push/write",
    _P.CHANGE_LOCKS: "metadata/write",
    _P.DELETE: "artifacts/delete",
}
# https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions: a pull
# also reads the repository's metadata.
_ABAC = {
    _P.PULL: (CONTENT + "read", METADATA + "read"),
    _P.LIST_CATALOG: (REGISTRY + "catalog/read",),
    _P.READ_METADATA: (METADATA + "read",),
    _P.PUSH: (CONTENT + "write",),
    _P.CHANGE_LOCKS: (METADATA + "write",),
    _P.DELETE: (CONTENT + "delete",),
}
_CONTROL_PLANE = {
    _P.READ_REGISTRY: REGISTRY + "read",
    _P.WRITE_REGISTRY: REGISTRY + "write",
    _P.IMPORT_IMAGES: REGISTRY + "importImage/action",
    _P.LIST_CREDENTIALS: REGISTRY + "listCredentials/action",
    _P.ASSIGN_ROLES: "Microsoft.Authorization/roleAssignments/write",
    _P.REMOVE_ROLES: "Microsoft.Authorization/roleAssignments/delete",
}


def need_of(wanted: Permission, mode: Mode) -> Need:
    """What `wanted` takes on a registry in `mode`. The two modes differ in what is about data only."""
    if wanted in _CONTROL_PLANE:
        return Need((_CONTROL_PLANE[wanted],))
    if mode is Mode.ABAC:
        return Need(_ABAC[wanted], data=True)
    return Need((REGISTRY + _LEGACY[wanted],))


def by_repository(action: str) -> bool:
    """Whether a request for `action` names a repository, so that a condition can ask for its name."""
    return action.startswith((CONTENT, METADATA))
