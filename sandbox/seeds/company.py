"""The estate's people, clusters, and who holds which role where, as tables."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clusters.network import REGISTRY_ZONE
from sandbox.identity.principals import CONSOLE, principal
from sandbox.identity.rbac import REPOSITORY_NAME
from sandbox.seeds.networks import network, outbound_addresses, private_endpoint, zone
from sandbox.seeds.places import (
    ABAC,
    APPS,
    CLUSTERS,
    DATA,
    DEV,
    HUB,
    NETWORK,
    PAYMENTS,
    PLATFORM,
    PRIVATE,
    RESTRICTED,
    SECURE,
)
from sandbox.seeds.resources import Document, Kubelet, Pool, cluster, custom_role, guid
from sandbox.seeds.walkthrough import SUBSCRIPTION as CASACLOUD
from sandbox.seeds.walkthrough import system_identity

_REGISTRY = "Microsoft.ContainerRegistry/registries"

ADMIN, LEAD, DEVELOPER, AUDITOR = (
    guid("user", name) for name in ("platform-admin", "payments-lead", "payments-developer", "registry-auditor")
)
ENGINEERS, DEVELOPERS, NODES = (guid("group", name) for name in ("engineers", "developers", "nodes"))
PUSHER, SCANNER, BATCH = (guid("application", name) for name in ("pusher", "scanner", "batch"))
BATCH_APP = guid("appId", "batch")
# Its role assignment outlived it, as happens when a principal is deleted first.
GONE = guid("application", "gone")


def _kubelet(name: str, group_id: str) -> Kubelet:
    identity = f"{group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    return Kubelet(guid("kubelet", name), guid("kubelet client", name), identity)


_PLATFORM_NODES = _kubelet("aks-platform-agentpool", CLUSTERS.id)
_PAYMENTS_NODES = _kubelet("payments-kubelet", PAYMENTS.id)
_SECURE_NODES = _kubelet("aks-secure-agentpool", SECURE.id)
_DEV_NODES = _kubelet("aks-dev-agentpool", DEV.id)
_KUBELETS = {
    "aks-platform-agentpool": _PLATFORM_NODES,
    "payments-kubelet": _PAYMENTS_NODES,
    "aks-secure-agentpool": _SECURE_NODES,
    "aks-dev-agentpool": _DEV_NODES,
}
# Public addresses by which nodes reach out; aks-secure goes through a firewall that is not in Azure.
_OUTBOUND = {
    "aks-platform": "203.0.113.20",
    "aks-payments": "203.0.113.30",
    "aks-batch": "203.0.113.40",
    "aks-dev": "203.0.113.50",
}
_CONTROL_PLANES = ("aks-platform", "aks-secure", "aks-dev")


def principals() -> list[Document]:
    """Users, groups, applications and managed identities."""
    return [
        principal(
            ADMIN,
            "Platform administrator",
            "user",
            upn="platform-admin@contoso.example",
            app_roles=["Console.Operator"],
        ),
        principal(LEAD, "Payments lead", "user", upn="payments-lead@contoso.example"),
        principal(
            DEVELOPER,
            "Payments developer",
            "user",
            upn="payments-developer@contoso.example",
            app_roles=["Console.Viewer"],
        ),
        principal(
            AUDITOR,
            "Registry auditor",
            "user",
            upn="registry-auditor@contoso.example",
            app_roles=["Console.Auditor"],
        ),
        principal(ENGINEERS, "platform-engineers", "group", members=[ADMIN, LEAD]),
        principal(DEVELOPERS, "payments-developers", "group", members=[LEAD, DEVELOPER]),
        principal(NODES, "dev-cluster-nodes", "group", members=[_DEV_NODES.object_id]),
        *(
            principal(
                object_id, f"contoso-{name}", "servicePrincipal", app_id=guid("appId", name), secret=f"sandbox-{name}"
            )
            for name, object_id in (("pusher", PUSHER), ("scanner", SCANNER), ("batch", BATCH))
        ),
        *(
            principal(kubelet.object_id, name, "managedIdentity", app_id=kubelet.client_id)
            for name, kubelet in _KUBELETS.items()
        ),
        *(
            principal(_control_plane(name), name, "managedIdentity", app_id=guid("control plane client", name))
            for name in (*_CONTROL_PLANES, "aks-payments")
        ),
    ]


def _control_plane(name: str) -> str:
    return guid("control plane", name)


def clusters() -> list[Document]:
    """Five more clusters: each gets its images in another way, or doesn't."""
    payments_identity = f"{PAYMENTS.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/aks-payments"
    return [
        cluster(
            PLATFORM,
            CLUSTERS.name,
            "aks-platform",
            "westeurope",
            identity=system_identity(_control_plane("aks-platform")),
            kubelet=_PLATFORM_NODES,
            pools=(Pool("nodepool1"), Pool("arm", 2, "Standard_D4ps_v5"), Pool("win", 2, os_type="Windows")),
        ),
        cluster(
            APPS,
            PAYMENTS.name,
            "aks-payments",
            "westeurope",
            identity={
                "type": "UserAssigned",
                "userAssignedIdentities": {
                    payments_identity: {
                        "clientId": guid("control plane client", "aks-payments"),
                        "principalId": _control_plane("aks-payments"),
                    }
                },
            },
            kubelet=_PAYMENTS_NODES,
        ),
        cluster(
            APPS,
            DATA.name,
            "aks-batch",
            "eastus",
            identity=None,
            kubelet=None,
            service_principal=BATCH_APP,
            pools=(Pool("nodepool1", 1), Pool("batch", 12, "Standard_F16s_v2")),
        ),
        cluster(
            APPS,
            SECURE.name,
            "aks-secure",
            "swedencentral",
            identity=system_identity(_control_plane("aks-secure")),
            kubelet=_SECURE_NODES,
            pools=(Pool("nodepool1", subnet=f"{_SECURE_NETWORK}/subnets/nodes"),),
            properties={
                "fqdn": None,
                "privateFQDN": "aks-secure-dns.privatelink.swedencentral.azmk8s.io",
                "apiServerAccessProfile": {"enablePrivateCluster": True, "privateDNSZone": "system"},
                "networkProfile": {"networkPlugin": "azure", "outboundType": "userDefinedRouting"},
                "addonProfiles": {"omsagent": {"enabled": True, "config": _LOGGED}},
            },
        ),
        cluster(
            APPS,
            DEV.name,
            "aks-dev",
            "eastus",
            identity=system_identity(_control_plane("aks-dev")),
            kubelet=_DEV_NODES,
            pools=(Pool("nodepool1", 1, "Standard_B4ms"),),
            power="Stopped",
        ),
    ]


_LOGS = f"{CLUSTERS.id}/providers/Microsoft.OperationalInsights/workspaces/contoso-logs"
_LOGGED = {"logAnalyticsWorkspaceResourceID": _LOGS, "useAADAuth": "true"}
_SECURE_NETWORK = f"{NETWORK}/virtualNetworks/secure-vnet"


def networks() -> list[Document]:
    """The clusters' outbound addresses, and the private way from aks-secure to contososecure."""
    zone_id = f"{NETWORK}/privateDnsZones/{REGISTRY_ZONE}"
    addresses = {"contososecure.swedencentral.data": "10.60.1.4", "contososecure": "10.60.1.5"}
    return [
        *(
            address
            for document in clusters()
            if document["name"] in _OUTBOUND
            for address in outbound_addresses(document, _OUTBOUND[document["name"]])
        ),
        *network(
            _SECURE_NETWORK, "swedencentral", "10.60.0.0/16", {"nodes": "10.60.0.0/24", "endpoints": "10.60.1.0/24"}
        ),
        *private_endpoint(
            f"{NETWORK}/privateEndpoints/contososecure-pe",
            "swedencentral",
            f"{_SECURE_NETWORK}/subnets/endpoints",
            PRIVATE.id,
            {f"{name}.azurecr.io": address for name, address in addresses.items()},
            zone_id,
        ),
        *zone(zone_id, [_SECURE_NETWORK], addresses),
    ]


def _condition(prefix: str) -> str:
    """Only repositories below a prefix, in the form that the portal writes."""
    base = f"{_REGISTRY}/repositories/"
    actions = " AND ".join(
        f"!(ActionMatches{{'{base}{part}'}})"
        for part in (
            "content/read",
            "metadata/read",
            "content/write",
            "metadata/write",
            "content/delete",
            "metadata/delete",
        )
    )
    return f"(({actions}) OR (@Request[{REPOSITORY_NAME}] StringStartsWithIgnoreCase '{prefix}'))"


@dataclass(frozen=True)
class Grant:
    """Who holds what where; `age` is in days."""

    scope: str
    role: str
    principal_id: str
    principal_type: str = "ServicePrincipal"
    age: float = 300
    condition: str | None = None


_IN_PLATFORM, _IN_APPS = f"/subscriptions/{PLATFORM}", f"/subscriptions/{APPS}"
_UNTAGGER, _LOOKER = guid("role", "Contoso Image Cleaner"), guid("role", "Contoso Subscription Viewer")

_SECURE_CLUSTER = f"{SECURE.id}/providers/Microsoft.ContainerService/managedClusters/aks-secure"

GRANTS = (
    Grant("/", "User Access Administrator", ADMIN, "User", 1200),
    Grant("/providers/Microsoft.Management/managementGroups/contoso", "Reader", SCANNER, age=700),
    Grant("/providers/Microsoft.Management/managementGroups/contoso", "Reader", AUDITOR, "User", 400),
    Grant(_IN_PLATFORM, "Owner", CONSOLE.object_id),
    Grant(_IN_APPS, "Owner", CONSOLE.object_id),
    Grant(f"/subscriptions/{RESTRICTED}", _LOOKER, CONSOLE.object_id),
    Grant(_IN_PLATFORM, "Contributor", ENGINEERS, "Group"),
    Grant(_IN_APPS, "Role Based Access Control Administrator", LEAD, "User", 120),
    Grant(PAYMENTS.id, "Reader", DEVELOPERS, "Group"),
    # A cluster that cannot pull from their registry yet: attached by a request to whoever may assign roles.
    Grant(_SECURE_CLUSTER, "Reader", DEVELOPERS, "Group", 20),
    Grant(HUB.id, "AcrPush", PUSHER, age=610),
    Grant(HUB.id, _UNTAGGER, SCANNER, age=88),
    Grant(HUB.id, "AcrPull", _PLATFORM_NODES.object_id, age=540),
    Grant(HUB.id, "AcrPull", GONE, age=1010),
    Grant(HUB.group.id, "AcrPull", BATCH, age=430),
    Grant(DEV.id, "AcrPull", NODES, "Group", 200),
    Grant(PRIVATE.id, "AcrPull", _SECURE_NODES.object_id, age=320),
    # What attaching by habit leaves behind: an AcrPull that an ABAC registry ignores …
    Grant(ABAC.id, "AcrPull", _PAYMENTS_NODES.object_id, age=60),
    # … and an AcrPull for the identity that doesn't pull.
    Grant(HUB.id, "AcrPull", _control_plane("aks-payments"), age=59),
    Grant(
        ABAC.id,
        "Container Registry Repository Reader",
        _PAYMENTS_NODES.object_id,
        age=58,
        condition=_condition("team/payments/"),
    ),
    Grant(ABAC.id, "Container Registry Repository Catalog Lister", CONSOLE.object_id, age=58),
    Grant(
        ABAC.id,
        "Container Registry Repository Contributor",
        CONSOLE.object_id,
        age=58,
        condition=_condition("team/payments/"),
    ),
)


def custom_roles(created: str) -> list[Document]:
    everywhere = [f"/subscriptions/{name}" for name in (CASACLOUD, PLATFORM, APPS, RESTRICTED)]
    return [
        custom_role(
            "Contoso Image Cleaner",
            "Reads and deletes images, and can't push them.",
            everywhere,
            [f"{_REGISTRY}/read", f"{_REGISTRY}/pull/read", f"{_REGISTRY}/artifacts/delete"],
            created,
        ),
        custom_role(
            "Contoso Subscription Viewer",
            "Sees that a subscription exists, and nothing in it.",
            everywhere,
            ["Microsoft.Resources/subscriptions/read"],
            created,
        ),
    ]
