"""Azure's built-in roles that matter to registries, as data.

Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_R = "Microsoft.ContainerRegistry/registries/"
_CONTENT = _R + "repositories/content/"
_METADATA = _R + "repositories/metadata/"
_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments/"
# Both configuration roles may write these, the one that is called a reader too.
_MONITORING = (
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Insights/diagnosticSettings/read",
    "Microsoft.Insights/diagnosticSettings/write",
)


@dataclass(frozen=True)
class RoleDefinition:
    """A role: what it lets its holders do, on the control plane (actions) and on data (data actions)."""

    guid: str
    name: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    kind: str = "BuiltInRole"
    assignable_scopes: tuple[str, ...] = ("/",)

    @classmethod
    def from_arm(cls, doc: Mapping[str, Any]) -> RoleDefinition:
        properties = doc["properties"]
        permission = properties["permissions"][0]
        return cls(
            guid=doc["name"].lower(),
            name=properties["roleName"],
            description=properties.get("description") or "",
            actions=tuple(permission.get("actions", ())),
            not_actions=tuple(permission.get("notActions", ())),
            data_actions=tuple(permission.get("dataActions", ())),
            not_data_actions=tuple(permission.get("notDataActions", ())),
            kind=properties.get("type", "CustomRole"),
            assignable_scopes=tuple(properties["assignableScopes"]),
        )

    @property
    def permission(self) -> dict[str, list[str]]:
        return {
            "actions": list(self.actions),
            "notActions": list(self.not_actions),
            "dataActions": list(self.data_actions),
            "notDataActions": list(self.not_data_actions),
        }


_ROLES = (
    RoleDefinition(
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "Owner",
        "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        ("*",),
    ),
    RoleDefinition(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    RoleDefinition(
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        "View all resources, but does not allow you to make any changes.",
        ("*/read",),
    ),
    RoleDefinition(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    RoleDefinition(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        "Manage access to Azure resources by assigning roles using Azure RBAC.",
        (_ASSIGNMENTS + "write", _ASSIGNMENTS + "delete", "*/read", "Microsoft.Support/*"),
    ),
    RoleDefinition(
        "72fafb9e-0641-4937-9268-a91bfd8191a3",
        "Cost Management Reader",
        "Can view cost data and configuration (e.g. budgets, exports).",
        (
            "Microsoft.Consumption/*/read",
            "Microsoft.CostManagement/*/read",
            "Microsoft.Resources/subscriptions/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
    ),
    RoleDefinition(
        "434105ed-43f6-45c7-a02f-909b2ba83430",
        "Cost Management Contributor",
        "Can view costs and manage cost configuration (e.g. budgets, exports).",
        (
            "Microsoft.Consumption/*",
            "Microsoft.CostManagement/*",
            "Microsoft.Resources/subscriptions/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
    ),
    RoleDefinition("7f951dda-4ed3-4680-a7ca-43fe172d538d", "AcrPull", "acr pull", (_R + "pull/read",)),
    RoleDefinition(
        "8311e382-0749-4cb8-b61a-304f252e45ec",
        "AcrPush",
        "acr push",
        (_R + "pull/read", _R + "push/write"),
    ),
    RoleDefinition("c2f4ef07-c644-48eb-af81-4b1b4947fb11", "AcrDelete", "acr delete", (_R + "artifacts/delete",)),
    RoleDefinition(
        "6cef56e8-d556-48e5-a04f-b8e64114680f",
        "AcrImageSigner",
        "acr image signer",
        (_R + "sign/write",),
        data_actions=(_R + "trustedCollections/write",),
    ),
    RoleDefinition(
        "cdda3590-29a3-44f6-95f2-9f980659eb04",
        "AcrQuarantineReader",
        "acr quarantine data reader",
        (_R + "quarantine/read",),
        data_actions=(_R + "quarantinedArtifacts/read",),
    ),
    RoleDefinition(
        "c8d4ff99-41c3-41a8-9f60-21dfdad59608",
        "AcrQuarantineWriter",
        "acr quarantine data writer",
        (_R + "quarantine/read", _R + "quarantine/write"),
        data_actions=(_R + "quarantinedArtifacts/read", _R + "quarantinedArtifacts/write"),
    ),
    RoleDefinition(
        "b93aa761-3e63-49ed-ac28-beffa264f7ac",
        "Container Registry Repository Reader",
        "Read access to repositories, with the option to scope it to some of them by an ABAC condition.",
        data_actions=(_METADATA + "read", _CONTENT + "read"),
    ),
    RoleDefinition(
        "2a1e307c-b015-4ebd-883e-5b7698a07328",
        "Container Registry Repository Writer",
        "Read and write access to repositories, optionally scoped by an ABAC condition.",
        data_actions=(_METADATA + "read", _CONTENT + "read", _METADATA + "write", _CONTENT + "write"),
    ),
    RoleDefinition(
        "2efddaa5-3f1f-4df3-97df-af3f13818f4c",
        "Container Registry Repository Contributor",
        "Read, write and delete access to repositories, optionally scoped by an ABAC condition.",
        data_actions=tuple(base + verb for base in (_METADATA, _CONTENT) for verb in ("read", "write", "delete")),
    ),
    RoleDefinition(
        "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
        "Container Registry Repository Catalog Lister",
        "Lists all repositories of a registry.",
        data_actions=(_R + "catalog/read",),
    ),
    RoleDefinition(
        "3bc748fc-213d-45c1-8d91-9da5725539b9",
        "Container Registry Contributor and Data Access Configuration Administrator",
        "Creates, lists and updates registries and their access to data; no access to the data itself.",
        (
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.ContainerRegistry/registries/read",
            "Microsoft.ContainerRegistry/registries/write",
            "Microsoft.ContainerRegistry/registries/delete",
            "Microsoft.ContainerRegistry/checkNameAvailability/read",
            "Microsoft.ContainerRegistry/registries/listCredentials/action",
            "Microsoft.ContainerRegistry/registries/regenerateCredential/action",
            "Microsoft.ContainerRegistry/registries/generateCredentials/action",
            "Microsoft.ContainerRegistry/registries/replications/*",
            "Microsoft.ContainerRegistry/registries/webhooks/*",
            "Microsoft.ContainerRegistry/registries/tokens/*",
            "Microsoft.ContainerRegistry/registries/scopeMaps/*",
            "Microsoft.Authorization/*/read",
            *_MONITORING,
        ),
    ),
    RoleDefinition(
        "69b07be0-09bf-439a-b9a6-e73de851bd59",
        "Container Registry Configuration Reader and Data Access Configuration Reader",
        "Lists registries and their configuration, credentials included; no access to the data itself.",
        (
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.ContainerRegistry/registries/read",
            "Microsoft.ContainerRegistry/checkNameAvailability/read",
            "Microsoft.ContainerRegistry/registries/listCredentials/action",
            "Microsoft.ContainerRegistry/registries/replications/read",
            "Microsoft.ContainerRegistry/registries/webhooks/read",
            "Microsoft.ContainerRegistry/registries/tokens/read",
            "Microsoft.ContainerRegistry/registries/scopeMaps/read",
            *_MONITORING,
        ),
    ),
    RoleDefinition(
        "fb382eab-e894-4461-af04-94435c366c3f",
        "Container Registry Tasks Contributor",
        "Configures, runs and cancels tasks; no access to the data of a registry by itself.",
        (
            _R + "read",
            *(f"{_R}{kind}/*" for kind in ("tasks", "runs", "taskRuns", "agentPools")),
            _R + "scheduleRun/action",
            _R + "listBuildSourceUploadUrl/action",
        ),
    ),
    RoleDefinition(
        "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
        "Container Registry Data Importer and Data Reader",
        "Imports images into a registry and reads all of its data.",
        (_R + "importImage/action", _R + "read", _R + "pull/read"),
        data_actions=(_CONTENT + "read", _METADATA + "read", _R + "catalog/read"),
    ),
    RoleDefinition(
        "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
        "Azure Kubernetes Service Contributor Role",
        "Grants access to read and write Azure Kubernetes Service clusters.",
        (
            "Microsoft.ContainerService/managedClusters/read",
            "Microsoft.ContainerService/managedClusters/write",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
    ),
)

BUILT_IN_ROLES: Mapping[str, RoleDefinition] = {role.guid: role for role in _ROLES}
