"""Builders of ARM documents: subscriptions, groups, registries, clusters, role assignments."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.arm.groups import GROUP_TYPE
from sandbox.billing.costs import CUSTOMER_AGREEMENT
from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.documents.registry_rules import REGISTRY_TYPE, defaults, merged
from sandbox.identity.principals import TENANT_ID
from sandbox.identity.rbac import ASSIGNMENTS, DEFINITIONS, DENIALS, EVERYONE
from sandbox.identity.roles import BUILT_IN_ROLES

Document = dict[str, Any]
_NAMES = uuid.UUID("6d1f0a4e-2b37-4c58-9a6e-0c5d7e8f9a1b")
ROLE_GUIDS = {role.name: guid for guid, role in BUILT_IN_ROLES.items()}


def guid(*name: str) -> str:
    """A GUID that follows from a name, so that every run has the same ones."""
    return str(uuid.uuid5(_NAMES, "/".join(name)))


def tenant() -> Document:
    return {
        "id": f"/tenants/{TENANT_ID}",
        "type": "tenants",
        "name": TENANT_ID,
        "tenantId": TENANT_ID,
        "tenantCategory": "Home",
        "displayName": "Contoso",
        "defaultDomain": "contoso.example",
        "countryCode": "US",
    }


def subscription(subscription_id: str, name: str, offer: str = CUSTOMER_AGREEMENT) -> Document:
    return {
        "id": f"/subscriptions/{subscription_id}",
        "type": "subscriptions",
        "name": subscription_id,
        "subscriptionId": subscription_id,
        "displayName": name,
        "state": "Enabled",
        "tenantId": TENANT_ID,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
        "_sandbox": {"offer": offer},
    }


def group_id(subscription_id: str, name: str) -> str:
    return f"/subscriptions/{subscription_id}/resourceGroups/{name}"


def group(
    subscription_id: str,
    name: str,
    location: str,
    tags: Mapping[str, str] | None = None,
    *,
    state: str = "Succeeded",
) -> Document:
    return {
        "id": group_id(subscription_id, name),
        "type": GROUP_TYPE,
        "name": name,
        "location": location,
        "tags": dict(tags or {}),
        "properties": {"provisioningState": state},
    }


def registry(
    group: str,
    name: str,
    sku: str,
    location: str,
    created: str,
    properties: Mapping[str, Any] | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    extra_bytes: int = 0,
) -> Document:
    """A registry in the group with this id; the server gives it its port and login server."""
    document: Document = {
        "sku": {"name": sku, "tier": sku},
        "type": REGISTRY_TYPE,
        "id": f"{group}/providers/{REGISTRY_TYPE}/{name}",
        "name": name,
        "location": location,
        "tags": dict(tags or {}),
        "systemData": {
            "createdBy": "platform-admin@contoso.example",
            "createdByType": "User",
            "createdAt": created,
            "lastModifiedBy": "platform-admin@contoso.example",
            "lastModifiedByType": "User",
            "lastModifiedAt": created,
        },
        "properties": {
            "loginServer": f"{name}.azurecr.io",
            **merged(defaults(created), properties or {}),
        },
        "_sandbox": {
            "port": None,
            "adminPasswords": [guid("password", name), guid("password2", name)],
        },
    }
    if extra_bytes:
        document["_sandbox"]["extraBytes"] = extra_bytes
    return document


def assignment(
    scope: str, role: str, principal_id: str, principal_type: str, created: str, *, condition: str | None = None
) -> Document:
    """A role assignment; `role` is a built-in role's name or a role's GUID."""
    role_guid = ROLE_GUIDS.get(role, role)
    name = guid("assignment", scope, role, principal_id)
    prefix = "/".join(scope.split("/")[:3]) if scope.startswith("/subscriptions/") else ""
    base = "" if scope == "/" else scope
    return {
        "id": f"{base}/providers/{ASSIGNMENTS}/{name}",
        "type": ASSIGNMENTS,
        "name": name,
        "properties": {
            "roleDefinitionId": f"{prefix}/providers/{DEFINITIONS}/{role_guid}",
            "principalId": principal_id,
            "principalType": principal_type,
            "scope": scope,
            "condition": condition,
            "conditionVersion": "2.0" if condition else None,
            "createdOn": created,
            "updatedOn": created,
            "createdBy": guid("user", "platform-admin"),
            "updatedBy": guid("user", "platform-admin"),
            "delegatedManagedIdentityResourceId": None,
            "description": None,
        },
    }


def denial(
    scope: str,
    name: str,
    permission: Mapping[str, Any],
    principals: Sequence[str] = (EVERYONE,),
    *,
    excluded: Sequence[str] = (),
    this_scope_only: bool = False,
) -> Document:
    """A deny assignment, as managed applications and deployment stacks leave them; `permission` is one block."""
    guid_ = guid("denial", scope, name)
    return {
        "id": f"{'' if scope == '/' else scope}/providers/{DENIALS}/{guid_}",
        "type": DENIALS,
        "name": guid_,
        "properties": {
            "denyAssignmentName": name,
            "description": "",
            "permissions": [
                {"actions": [], "notActions": [], "dataActions": [], "notDataActions": [], **permission},
            ],
            "scope": scope,
            "doNotApplyToChildScopes": this_scope_only,
            "principals": [_denied(principal) for principal in principals],
            "excludePrincipals": [_denied(principal) for principal in excluded],
            "isSystemProtected": True,
        },
    }


def _denied(principal: str) -> Document:
    if principal == EVERYONE:
        return {"id": principal, "type": "SystemDefined", "displayName": "All Principals"}
    return {"id": principal, "type": "ServicePrincipal"}


def custom_role(name: str, description: str, scopes: Sequence[str], actions: Sequence[str], created: str) -> Document:
    role = guid("role", name)
    return {
        "id": f"/providers/{DEFINITIONS}/{role}",
        "type": DEFINITIONS,
        "name": role,
        "properties": {
            "roleName": name,
            "type": "CustomRole",
            "description": description,
            "assignableScopes": list(scopes),
            "permissions": [{"actions": list(actions), "notActions": [], "dataActions": [], "notDataActions": []}],
            "createdOn": created,
            "updatedOn": created,
            "createdBy": guid("user", "platform-admin"),
            "updatedBy": guid("user", "platform-admin"),
        },
    }


@dataclass(frozen=True)
class Pool:
    """A node pool of a cluster."""

    name: str
    count: int = 3
    vm_size: str = "Standard_D4s_v5"
    os_type: str = "Linux"
    subnet: str | None = None


@dataclass(frozen=True)
class Kubelet:
    """The identity whose credentials pull images."""

    object_id: str
    client_id: str
    resource_id: str


def cluster(
    subscription_id: str,
    group_name: str,
    name: str,
    location: str,
    *,
    identity: Mapping[str, Any] | None,
    kubelet: Kubelet | None,
    service_principal: str = "msi",
    pools: Sequence[Pool] = (Pool("nodepool1"),),
    properties: Mapping[str, Any] | None = None,
    power: str = "Running",
) -> Document:
    """A managed cluster; its id has `resourcegroups`, as AKS's have."""
    node_group = f"MC_{group_name}_{name}_{location}"
    dns = f"{name}-dns-{guid('dns', name)[:8]}"
    address = guid("egress", name)
    document: Document = {
        "id": f"/subscriptions/{subscription_id}/resourcegroups/{group_name}/providers/{CLUSTER_TYPE}/{name}",
        "type": "Microsoft.ContainerService/ManagedClusters",
        "name": name,
        "location": location,
        "tags": {},
        "sku": {"name": "Base", "tier": "Standard"},
        "properties": {
            "provisioningState": "Succeeded",
            "powerState": {"code": power},
            "kubernetesVersion": "1.34",
            "currentKubernetesVersion": "1.34.2",
            "dnsPrefix": f"{name}-dns",
            "fqdn": f"{dns}.hcp.{location}.azmk8s.io",
            "agentPoolProfiles": [_pool(pool, power) for pool in pools],
            "servicePrincipalProfile": {"clientId": service_principal},
            "nodeResourceGroup": node_group,
            "enableRBAC": True,
            "networkProfile": {
                "networkPlugin": "azure",
                "loadBalancerSku": "standard",
                "outboundType": "loadBalancer",
                "loadBalancerProfile": {
                    "managedOutboundIPs": {"count": 1},
                    "effectiveOutboundIPs": [
                        {
                            "id": f"/subscriptions/{subscription_id}/resourceGroups/{node_group}"
                            f"/providers/Microsoft.Network/publicIPAddresses/{address}"
                        }
                    ],
                },
                "serviceCidr": "10.0.0.0/16",
                "dnsServiceIP": "10.0.0.10",
            },
            "disableLocalAccounts": False,
            **(properties or {}),
        },
    }
    if identity is not None:
        document["identity"] = dict(identity)
    if kubelet is not None:
        document["properties"]["identityProfile"] = {
            "kubeletidentity": {
                "resourceId": kubelet.resource_id,
                "clientId": kubelet.client_id,
                "objectId": kubelet.object_id,
            }
        }
    return document


def _pool(pool: Pool, power: str) -> Document:
    shown: Document = {
        "name": pool.name,
        "count": pool.count,
        "vmSize": pool.vm_size,
        "osDiskSizeGB": 128,
        "maxPods": 110,
        "type": "VirtualMachineScaleSets",
        "provisioningState": "Succeeded",
        "powerState": {"code": power},
        "orchestratorVersion": "1.34",
        "currentOrchestratorVersion": "1.34.2",
        "enableNodePublicIP": False,
        "mode": "System" if pool.name.startswith("nodepool") else "User",
        "osType": pool.os_type,
        "osSKU": "Windows2022" if pool.os_type == "Windows" else "Ubuntu",
        "nodeImageVersion": "AKSUbuntu-2204gen2containerd-202511.07.0",
    }
    if pool.subnet is not None:
        shown["vnetSubnetID"] = pool.subnet
    return shown
