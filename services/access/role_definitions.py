"""Roles: what each allows, and the built-in ones that matter to registries.

Rules: https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
ACR_DELETE = "c2f4ef07-c644-48eb-af81-4b1b4947fb11"
REPOSITORY_READER = "b93aa761-3e63-49ed-ac28-beffa264f7ac"
REPOSITORY_WRITER = "2a1e307c-b015-4ebd-883e-5b7698a07328"
REPOSITORY_CONTRIBUTOR = "2efddaa5-3f1f-4df3-97df-af3f13818f4c"
CATALOG_LISTER = "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7"

REGISTRY = "Microsoft.ContainerRegistry/registries/"
CONTENT = REGISTRY + "repositories/content/"
METADATA = REGISTRY + "repositories/metadata/"


@dataclass(frozen=True)
class PermissionBlock:
    """One entry of a role's `permissions`: what it grants less its exceptions, for control plane and data."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def covers(self, action: str, *, data: bool) -> bool:
        """Whether it grants `action`. notActions take back from their own block only: they deny nothing elsewhere."""
        granted = self.data_actions if data else self.actions
        withheld = self.not_data_actions if data else self.not_actions
        return any(action_matches(pattern, action) for pattern in granted) and not any(
            action_matches(pattern, action) for pattern in withheld
        )


@dataclass(frozen=True)
class RoleDefinition:
    """A role. `id` is its GUID in lower case; `kind` is BuiltInRole or CustomRole."""

    id: str
    name: str
    kind: str
    blocks: tuple[PermissionBlock, ...]

    def grants(self, action: str, *, data: bool) -> bool:
        return any(block.covers(action, data=data) for block in self.blocks)


def role_id(role_definition_id: str) -> str:
    """The GUID at the end of a role definition's resource id, in lower case."""
    return role_definition_id.rstrip("/").rpartition("/")[2].lower()


def action_matches(pattern: str, action: str) -> bool:
    """Whether `pattern`, in which each * stands for any text, slashes too, names `action`; case counts for nothing."""
    return _compiled(pattern).fullmatch(action) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE | re.DOTALL)


def _built_in(
    guid: str, name: str, *actions: str, without: tuple[str, ...] = (), data: tuple[str, ...] = ()
) -> RoleDefinition:
    return RoleDefinition(guid, name, "BuiltInRole", (PermissionBlock(actions, without, data),))


_CONTROL = (
    "read",
    "write",
    "delete",
    "listCredentials/action",
    "regenerateCredential/action",
    "generateCredentials/action",
)
# Both configuration roles have these: the reader writes them too.
_MONITORING = (
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Insights/diagnosticSettings/read",
    "Microsoft.Insights/diagnosticSettings/write",
)
_KINDS = ("replications", "webhooks", "tokens", "scopeMaps", "privateEndpointConnections", "connectedRegistries")
_TASKS = ("tasks/*", "runs/*", "taskRuns/*", "agentPools/*", "scheduleRun/action", "listBuildSourceUploadUrl/action")

# For when definitions can't be read: Azure's own definition of a role takes precedence over this table.
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles and
# https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-directory-reference
BUILT_IN: Mapping[str, RoleDefinition] = {
    role.id: role
    for role in (
        _built_in("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", "*"),
        _built_in(
            "b24988ac-6180-42a0-ab88-20f7382dd24c",
            "Contributor",
            "*",
            without=(
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/elevateAccess/Action",
            ),
        ),
        _built_in("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", "*/read"),
        _built_in(
            "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", "*/read", "Microsoft.Authorization/*"
        ),
        _built_in(
            "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
            "Role Based Access Control Administrator",
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
        ),
        _built_in(ACR_PULL, "AcrPull", REGISTRY + "pull/read"),
        _built_in(ACR_PUSH, "AcrPush", REGISTRY + "pull/read", REGISTRY + "push/write"),
        _built_in(ACR_DELETE, "AcrDelete", REGISTRY + "artifacts/delete"),
        _built_in(
            "6cef56e8-d556-48e5-a04f-b8e64114680f",
            "AcrImageSigner",
            REGISTRY + "sign/write",
            data=(REGISTRY + "trustedCollections/write",),
        ),
        _built_in(
            "cdda3590-29a3-44f6-95f2-9f980659eb04",
            "AcrQuarantineReader",
            REGISTRY + "quarantine/read",
            data=(REGISTRY + "quarantinedArtifacts/read",),
        ),
        _built_in(
            "c8d4ff99-41c3-41a8-9f60-21dfdad59608",
            "AcrQuarantineWriter",
            REGISTRY + "quarantine/read",
            REGISTRY + "quarantine/write",
            data=(REGISTRY + "quarantinedArtifacts/read", REGISTRY + "quarantinedArtifacts/write"),
        ),
        _built_in(
            REPOSITORY_READER,
            "Container Registry Repository Reader",
            data=(CONTENT + "read", METADATA + "read"),
        ),
        _built_in(
            REPOSITORY_WRITER,
            "Container Registry Repository Writer",
            data=tuple(kind + verb for kind in (CONTENT, METADATA) for verb in ("read", "write")),
        ),
        _built_in(
            REPOSITORY_CONTRIBUTOR,
            "Container Registry Repository Contributor",
            data=tuple(kind + verb for kind in (CONTENT, METADATA) for verb in ("read", "write", "delete")),
        ),
        _built_in(CATALOG_LISTER, "Container Registry Repository Catalog Lister", data=(REGISTRY + "catalog/read",)),
        _built_in(
            "3bc748fc-213d-45c1-8d91-9da5725539b9",
            "Container Registry Contributor and Data Access Configuration Administrator",
            *(REGISTRY + action for action in _CONTROL),
            *(f"{REGISTRY}{kind}/*" for kind in _KINDS),
            "Microsoft.Authorization/*/read",
            *_MONITORING,
        ),
        _built_in(
            "69b07be0-09bf-439a-b9a6-e73de851bd59",
            "Container Registry Configuration Reader and Data Access Configuration Reader",
            *(REGISTRY + action for action in ("read", "listCredentials/action")),
            *(f"{REGISTRY}{kind}/read" for kind in _KINDS),
            *_MONITORING,
        ),
        _built_in(
            "fb382eab-e894-4461-af04-94435c366c3f",
            "Container Registry Tasks Contributor",
            *(REGISTRY + action for action in ("read", *_TASKS)),
        ),
        _built_in(
            "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
            "Container Registry Data Importer and Data Reader",
            *(REGISTRY + action for action in ("importImage/action", "read", "pull/read")),
            data=(CONTENT + "read", METADATA + "read", REGISTRY + "catalog/read"),
        ),
        _built_in(
            "bf94e731-3a51-4a7c-8c54-a1ab9971dfc1",
            "Container Registry Transfer Pipeline Contributor",
            *(f"{REGISTRY}{kind}/*" for kind in ("exportPipelines", "importPipelines", "pipelineRuns")),
        ),
        _built_in(
            "df87f177-bb12-4db1-9793-a413691eff94",
            "Container Registry Cache Rule Administrator",
            REGISTRY + "cacheRules/*",
        ),
        _built_in(
            "c357b964-0002-4b64-a50d-7a28f02edc52",
            "Container Registry Cache Rule Reader",
            REGISTRY + "cacheRules/read",
        ),
        _built_in(
            "f094fb07-0703-4400-ad6a-e16dd8000e14",
            "Container Registry Credential Set Administrator",
            REGISTRY + "credentialSets/*",
        ),
        _built_in(
            "29093635-9924-4f2c-913b-650a12949526",
            "Container Registry Credential Set Reader",
            REGISTRY + "credentialSets/read",
        ),
    )
}
