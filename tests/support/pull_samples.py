"""A cluster that may pull from anywhere its role lets it, for the tests of checks."""

from typing import Any

from services.aks.clusters import Cluster, ClusterNetwork, IdentityModel, ManagedIdentity, NodePool, NodeSize

TENANT = "99999999-0000-0000-0000-000000000000"
KUBELET_ID = "aaaaaaaa-0000-0000-0000-000000000001"
CONTROL_PLANE_ID = "aaaaaaaa-0000-0000-0000-000000000002"
SUBNET = "/subscriptions/s1/resourceGroups/contoso-rg/providers/Microsoft.Network/virtualNetworks/nodes/subnets/default"
GROUP = "/subscriptions/s1/resourcegroups/contoso-rg/providers"
IDENTITY = f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/aks1-agentpool"


def a_pool(**changes: Any) -> NodePool:
    members = {
        "name": "nodepool1",
        "os": "Linux",
        "sizes": (NodeSize("Standard_D4s_v5", 3),),
        "mode": "System",
        "power": "Running",
        "subnet_id": SUBNET,
        "public_ips": False,
    }
    return NodePool(**(members | changes))


def a_cluster(**changes: Any) -> Cluster:
    members = {
        "id": f"{GROUP}/Microsoft.ContainerService/managedClusters/aks1",
        "name": "aks1",
        "resource_group": "contoso-rg",
        "subscription_id": "s1",
        "subscription": "contoso",
        "tenant_id": TENANT,
        "location": "westeurope",
        "provisioning_state": "Succeeded",
        "power": "Running",
        "identity_model": IdentityModel.SYSTEM,
        "control_plane": ManagedIdentity(CONTROL_PLANE_ID),
        "kubelet": ManagedIdentity(KUBELET_ID, "client-of-the-kubelet", IDENTITY),
        "service_principal_id": "",
        "pools": (a_pool(),),
        "network": ClusterNetwork("loadBalancer", (), False, "aks1.hcp.westeurope.azmk8s.io"),
        "run_command": True,
        "managed_entra": False,
        "artifact_source": "Direct",
        "bootstrap_registry_id": "",
        "node_provisioning": False,
        "virtual_nodes": False,
    }
    return Cluster(**(members | changes))
