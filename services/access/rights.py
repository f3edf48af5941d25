"""All that a role may give at a registry: what one asks of a registry, what only some roles add, and what signing in
takes. Worked out from role definitions; no second table of what a role may.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from services.access.permissions import Need, Permission, by_repository, need_of
from services.access.role_definitions import REGISTRY, RoleDefinition
from services.registries.registry import Mode


class OtherRight(StrEnum):
    """What roles give beside the permissions: they distinguish roles that are alike in those."""

    READ_SETTINGS = "read webhooks and replicas"
    READ_USAGE = "read the storage used"
    READ_ROLES = "read role assignments"
    CHANGE_SETTINGS = "change webhooks and replicas"
    CHANGE_MONITORING = "change diagnostic settings and alerts"
    DELETE_REGISTRY = "delete the registry"
    MAKE_TOKENS = "create tokens and scope maps"
    RENEW_PASSWORD = "renew the admin password"
    RUN_TASKS = "build and run tasks"
    READ_CACHE_RULES = "read cache rules"
    CHANGE_CACHE_RULES = "change cache rules"
    READ_CREDENTIAL_SETS = "read credential sets"
    CHANGE_CREDENTIAL_SETS = "change credential sets"
    TRANSFER = "run transfer pipelines"
    READ_QUARANTINE = "read quarantined images"
    CHANGE_QUARANTINE = "release quarantined images"
    SIGN = "sign for content trust"
    MAKE_ROLES = "create custom roles and locks"


Right = Permission | OtherRight
ALL_RIGHTS: tuple[Right, ...] = (*Permission, *OtherRight)

_E = OtherRight
_CONTROL_PLANE = {
    _E.READ_SETTINGS: ("webhooks/read", "replications/read"),
    _E.READ_USAGE: ("listUsages/read",),
    _E.CHANGE_SETTINGS: ("webhooks/write", "replications/write"),
    _E.DELETE_REGISTRY: ("delete",),
    _E.MAKE_TOKENS: ("tokens/write", "scopeMaps/write"),
    _E.RENEW_PASSWORD: ("regenerateCredential/action",),
    _E.RUN_TASKS: ("tasks/write", "scheduleRun/action", "listBuildSourceUploadUrl/action"),
    _E.READ_CACHE_RULES: ("cacheRules/read",),
    _E.CHANGE_CACHE_RULES: ("cacheRules/write",),
    _E.READ_CREDENTIAL_SETS: ("credentialSets/read",),
    _E.CHANGE_CREDENTIAL_SETS: ("credentialSets/write",),
    _E.TRANSFER: ("exportPipelines/write", "importPipelines/write", "pipelineRuns/write"),
}
_OTHER_PROVIDERS = {
    _E.CHANGE_MONITORING: ("Microsoft.Insights/diagnosticSettings/write", "Microsoft.Insights/alertRules/write"),
    _E.READ_ROLES: ("Microsoft.Authorization/roleAssignments/read",),
    _E.MAKE_ROLES: ("Microsoft.Authorization/roleDefinitions/write", "Microsoft.Authorization/locks/write"),
}
# In Legacy mode an action, in ABAC mode a data action: as all that is about images.
_QUARANTINE = {_E.READ_QUARANTINE: "read", _E.CHANGE_QUARANTINE: "write"}

# Rights that lead to more than their name says: not to be granted unintentionally.
DANGERS: Mapping[Right, str] = {
    Permission.WRITE_REGISTRY: "It can turn on the admin user and anonymous pull, and open the network.",
    Permission.IMPORT_IMAGES: "An import can move a tag that is in use to any image.",
    Permission.LIST_CREDENTIALS: "Where the admin user is on, its password pulls, pushes and deletes everything.",
    Permission.ASSIGN_ROLES: "Whoever assigns roles can assign any role to themselves.",
    Permission.REMOVE_ROLES: "It can remove everyone's access.",
    OtherRight.DELETE_REGISTRY: "Azure deletes all images with the registry.",
    OtherRight.MAKE_TOKENS: "A token is a password to repositories that no role assignment shows.",
    OtherRight.RENEW_PASSWORD: "It can lock out whoever uses the admin password.",
    OtherRight.RUN_TASKS: "A task runs its own code, with its own permissions on the registry.",
    OtherRight.TRANSFER: "A pipeline exports images from the registry, or imports some.",
    OtherRight.MAKE_ROLES: "A custom role can grant anything.",
}
_READS = frozenset(
    {
        Permission.PULL,
        Permission.LIST_CATALOG,
        Permission.READ_METADATA,
        Permission.READ_REGISTRY,
        *(other for other in OtherRight if other.name.startswith("READ_")),
    }
)
# What is about one repository at a time: in ABAC mode a condition can ask for its name.
BY_REPOSITORY = frozenset(
    wanted for wanted in Permission if all(by_repository(action) for action in need_of(wanted, Mode.ABAC).actions)
)
ABOUT_DATA = BY_REPOSITORY | {Permission.LIST_CATALOG}


class SignIn(StrEnum):
    """What a role is good for when one signs in (`az acr login`, `docker login`)."""

    YES = "yes"
    IDENTITY = "identity only"
    NO = "no"


SIGN_IN_RULES: Mapping[Mode, str] = {
    Mode.LEGACY: "In Legacy mode the registry exchanges a token for its own only for who may do something with its "
    "data: pull, push or delete. Without such a right signing in is refused.",
    Mode.ABAC: "In ABAC mode the exchange proves who one is, and nothing more: what one may do is asked for each "
    "repository afterwards. A sign-in that succeeds says nothing about pulling.",
}
# https://github.com/Azure/azure-cli, acr/_docker_utils.py: without registries/read it takes name.azurecr.io.
AZ_LOGIN_RULE = (
    "az acr login looks the registry up first. Without the right to see it az takes the name with .azurecr.io, which "
    "is wrong where the login server has a domain name label: give az the login server then."
)


def right_need(right: Right, mode: Mode) -> Need | None:
    """What `right` takes on a registry in `mode`; None where no role gives it there."""
    if isinstance(right, Permission):
        return need_of(right, mode)
    if right in _OTHER_PROVIDERS:
        return Need(_OTHER_PROVIDERS[right])
    if right in _CONTROL_PLANE:
        return Need(tuple(REGISTRY + action for action in _CONTROL_PLANE[right]))
    if right is OtherRight.SIGN:
        # https://learn.microsoft.com/azure/container-registry/container-registry-content-trust: not in ABAC mode.
        return Need((REGISTRY + "sign/write",)) if mode is Mode.LEGACY else None
    if mode is Mode.ABAC:
        return Need((f"{REGISTRY}quarantinedArtifacts/{_QUARANTINE[right]}",), data=True)
    return Need((f"{REGISTRY}quarantine/{_QUARANTINE[right]}",))


@lru_cache(maxsize=1024)
def rights_of(role: RoleDefinition, mode: Mode) -> frozenset[Right]:
    """All that the role gives by itself at a registry in `mode`."""
    return frozenset(
        right
        for right in ALL_RIGHTS
        if (need := right_need(right, mode)) and all(role.grants(action, data=need.data) for action in need.actions)
    )


def in_order(rights: frozenset[Right]) -> tuple[Right, ...]:
    """As POWERS has them."""
    return tuple(right for right in ALL_RIGHTS if right in rights)


def weight(right: Right) -> int:
    """How undesirable it is as an unneeded right: reading 1, changing 100, what DANGERS names 10,000."""
    return 10_000 if right in DANGERS else 1 if right in _READS else 100


def sign_in_of(rights: frozenset[Right], mode: Mode) -> SignIn:
    """Whether holding these is enough to sign in; see SIGN_IN_RULES."""
    if rights & ABOUT_DATA:
        return SignIn.YES
    return SignIn.IDENTITY if mode is Mode.ABAC else SignIn.NO


def takes_condition(role: RoleDefinition) -> bool:
    """Whether a condition on repositories' names holds for all that the role gives: Catalog Lister's list, actions of
    the control plane and wildcards name no repository."""
    actions = data_actions(role)
    return bool(actions) and all(map(by_repository, actions)) and not any(block.actions for block in role.blocks)


def data_actions(role: RoleDefinition) -> tuple[str, ...]:
    """Those of all its blocks, as they are written."""
    return tuple(dict.fromkeys(action for block in role.blocks for action in block.data_actions))
