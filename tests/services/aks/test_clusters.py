"""AKS clusters: what each API answers, and which of a cluster's identities pulls."""

from typing import Any

import pytest

from services.aks.clusters import (
    Cluster,
    ClusterNetwork,
    IdentityModel,
    ManagedIdentity,
    NodePool,
    NodeSize,
    architecture_of,
    get_cluster,
    list_clusters,
)
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from tests.support.canned import ARM, Answer, Canned
from tests.support.cases import case

ID = "/subscriptions/s1/resourcegroups/contoso-rg/providers/Microsoft.ContainerService/managedClusters/aks1"
KUBELET = {"resourceId": "/identities/aks1-agentpool", "clientId": "client", "objectId": "object"}
CONTROL_PLANE = {"type": "SystemAssigned", "principalId": "control", "tenantId": "tenant"}


def document(identity: Any = CONTROL_PLANE, **properties: Any) -> dict[str, Any]:
    found = {"id": ID, "name": "aks1", "location": "eastus", "properties": properties}
    return {**found, "identity": identity} if identity else found


def read(wire: Canned, azure: AzureSession, identity: Any = CONTROL_PLANE, **properties: Any) -> Cluster:
    url = f"{ARM}/subscriptions/s1/resourceGroups/contoso-rg/providers/Microsoft.ContainerService/managedClusters/aks1"
    wire.on("GET", url, Answer(200, document(identity, **properties)))
    return get_cluster(azure, ID)


def test_a_system_assigned_cluster_pulls_as_its_kubelet_identity(wire: Canned, azure: AzureSession) -> None:
    found = read(
        wire,
        azure,
        servicePrincipalProfile={"clientId": "msi"},
        identityProfile={"kubeletidentity": KUBELET},
        powerState={"code": "Running"},
        provisioningState="Succeeded",
    )
    assert found.identity_model is IdentityModel.SYSTEM
    assert found.control_plane == ManagedIdentity("control")
    assert found.kubelet == ManagedIdentity("object", "client", "/identities/aks1-agentpool")
    assert found.service_principal_id == ""
    assert (found.puller.kind, found.puller.object_id, found.puller.client_id) == (
        "kubelet identity",
        "object",
        "client",
    )
    assert "never pulls" in found.puller.why
    assert (found.power, found.provisioning_state, found.tenant_id) == ("Running", "Succeeded", "tenant")


def test_a_user_assigned_cluster_has_both_identities_with_their_ids(wire: Canned, azure: AzureSession) -> None:
    users = {"/identities/control": {"clientId": "control client", "principalId": "control"}}
    found = read(
        wire,
        azure,
        {"type": "UserAssigned", "userAssignedIdentities": users},
        identityProfile={"kubeletidentity": KUBELET},
    )
    assert found.identity_model is IdentityModel.USER
    assert found.control_plane == ManagedIdentity("control", "control client", "/identities/control")
    assert found.puller.object_id == "object"


def test_a_service_principal_pulls_for_a_cluster_without_identity(wire: Canned, azure: AzureSession) -> None:
    found = read(wire, azure, None, servicePrincipalProfile={"clientId": "app"})
    assert found.identity_model is IdentityModel.SERVICE_PRINCIPAL
    assert (found.control_plane, found.kubelet) == (None, None)
    assert (found.puller.kind, found.puller.object_id, found.puller.client_id) == ("service principal", "", "app")


@pytest.mark.parametrize("identity", [None, {"type": "None"}])
def test_a_cluster_that_tells_no_identity_has_no_known_puller(wire: Canned, azure: AzureSession, identity: Any) -> None:
    found = read(wire, azure, identity, servicePrincipalProfile={"clientId": "msi"})
    assert found.identity_model is IdentityModel.UNKNOWN
    assert not found.puller.known
    assert "creation" in found.puller.why


def test_node_pools(wire: Canned, azure: AzureSession) -> None:
    pools = [
        {"name": "system", "count": 3, "vmSize": "Standard_D4s_v5", "osType": "Linux", "mode": "System"},
        {
            "name": "arm",
            "count": 2,
            "vmSize": "Standard_D4ps_v5",
            "powerState": {"code": "Stopped"},
            "vnetSubnetID": "/subnets/nodes",
            "enableNodePublicIP": True,
        },
        {"name": "win", "vmSize": "Custom", "osType": "Windows"},
    ]
    found = read(wire, azure, agentPoolProfiles=pools)
    assert found.pools == (
        NodePool("system", "Linux", (NodeSize("Standard_D4s_v5", 3),), "System", "", "", False),
        NodePool("arm", "Linux", (NodeSize("Standard_D4ps_v5", 2),), "", "Stopped", "/subnets/nodes", True),
        NodePool("win", "Windows", (NodeSize("Custom", None),), "", "", "", False),
    )
    assert [size.architecture for pool in found.pools for size in pool.sizes] == ["amd64", "arm64", ""]
    assert (found.pools[0].count, found.pools[2].count, found.nodes) == (3, None, None)


def test_a_pool_of_virtual_machines_has_the_nodes_and_sizes_of_its_status(wire: Canned, azure: AzureSession) -> None:
    pool = case("answers/cluster_virtual_machines_pool")["body"]["value"][0]["properties"]["agentPoolProfiles"][0]

    def sizes(**changes: Any) -> tuple[NodeSize, ...]:
        (found,) = read(wire, azure, agentPoolProfiles=[pool | changes]).pools
        return found.sizes

    arm, amd = NodeSize("Standard_D2pds_v5", 3), NodeSize("Standard_D4s_v5", 1)
    assert sizes() == (arm, amd)
    assert [one.architecture for one in (arm, amd)] == ["arm64", "amd64"]
    assert read(wire, azure, agentPoolProfiles=[pool]).nodes == 4
    assert sizes(virtualMachineNodesStatus=None) == (arm, amd)
    assert sizes(virtualMachinesProfile=None) == (arm, amd)
    scaled = {"scale": {"autoscale": [{"size": "Standard_D4s_v5", "minCount": 0, "maxCount": 9}]}}
    assert sizes(virtualMachineNodesStatus=None, virtualMachinesProfile=scaled) == (NodeSize("Standard_D4s_v5", None),)
    assert sizes(virtualMachineNodesStatus=None, virtualMachinesProfile=None) == (NodeSize("", None),)


@pytest.mark.parametrize(
    ("size", "architecture"),
    [
        ("Standard_D4s_v5", "amd64"),
        ("standard_a2_v2", "amd64"),
        ("Standard_DS2_v2", "amd64"),
        ("Standard_NP10s", "amd64"),
        ("Standard_NC24ads_A100_v4", "amd64"),
        ("Standard_E64-16s_v3", "amd64"),
        ("Standard_HB120-64rs_v3", "amd64"),
        ("Standard_D4ps_v5", "arm64"),
        ("Standard_D2plds_v6", "arm64"),
        ("Standard_E32-16pds_v6", "arm64"),
        ("Standard_B2pts_v2", "arm64"),
        ("Standard_ND128isr_NDR_GB200_v6", ""),
        ("", ""),
        ("Custom", ""),
    ],
)
def test_the_name_of_a_size_tells_its_architecture(size: str, architecture: str) -> None:
    assert architecture_of(size) == architecture


def test_network_with_addresses_of_load_balancer_and_nat_gateway(wire: Canned, azure: AzureSession) -> None:
    profile = {
        "outboundType": "managedNATGateway",
        "loadBalancerProfile": {"effectiveOutboundIPs": [{"id": "/ip/1"}, {}]},
        "natGatewayProfile": {"effectiveOutboundIPs": [{"id": "/ip/2"}]},
    }
    found = read(wire, azure, networkProfile=profile, fqdn="aks1.hcp.eastus.azmk8s.io")
    assert found.network == ClusterNetwork("managedNATGateway", ("/ip/1", "/ip/2"), False, "aks1.hcp.eastus.azmk8s.io")


def test_a_private_isolated_cluster(wire: Canned, azure: AzureSession) -> None:
    found = read(
        wire,
        azure,
        apiServerAccessProfile={"enablePrivateCluster": True, "disableRunCommand": True},
        aadProfile={"managed": True},
        networkProfile={"outboundType": "none"},
        bootstrapProfile={"artifactSource": "Cache", "containerRegistryId": "/registries/own"},
        privateFQDN="aks1.privatelink.eastus.azmk8s.io",
    )
    assert found.network == ClusterNetwork("none", (), True, "aks1.privatelink.eastus.azmk8s.io")
    assert (found.run_command, found.managed_entra) == (False, True)
    assert (found.artifact_source, found.bootstrap_registry_id) == ("Cache", "/registries/own")


def test_nodes_that_may_pull_as_somebody_else(wire: Canned, azure: AzureSession) -> None:
    found = read(
        wire,
        azure,
        nodeProvisioningProfile={"mode": "Auto"},
        addonProfiles={"aciConnectorLinux": {"enabled": True}},
    )
    assert (found.node_provisioning, found.virtual_nodes) == (True, True)


def test_what_an_answer_lacks_is_what_azure_does_without(wire: Canned, azure: AzureSession) -> None:
    found = read(wire, azure)
    assert (found.resource_group, found.subscription_id, found.power) == ("contoso-rg", "s1", "")
    assert (found.run_command, found.managed_entra, found.virtual_nodes, found.node_provisioning) == (
        True,
        False,
        False,
        False,
    )
    assert found.network == ClusterNetwork("loadBalancer", (), False, "")


def serve(wire: Canned, **subscriptions: Answer) -> None:
    listed = [{"subscriptionId": name, "displayName": f"contoso-{name}", "tenantId": "home"} for name in subscriptions]
    wire.on("GET", f"{ARM}/subscriptions", Answer(200, {"value": listed}))
    for name, answer in subscriptions.items():
        wire.on("GET", f"{ARM}/subscriptions/{name}/providers/Microsoft.ContainerService/managedClusters", answer)


def test_clusters_of_all_subscriptions_with_the_one_that_refuses(wire: Canned, azure: AzureSession) -> None:
    refused = Answer(403, {"error": {"code": "AuthorizationFailed", "message": "M"}})
    serve(wire, s1=Answer(200, {"value": [document(None)]}), s2=refused, s3=Answer(200, {"value": []}))
    told: list[tuple[int, int, str]] = []
    found = list_clusters(azure, list_subscriptions(azure).values, progress=lambda *done: told.append(done))
    assert [(cluster.name, cluster.subscription, cluster.tenant_id) for cluster in found.values] == [
        ("aks1", "contoso-s1", "home")
    ]
    assert [(refusal.what, refusal.error.code) for refusal in found.refused] == [("contoso-s2", "AuthorizationFailed")]
    assert told == [(1, 3, "subscriptions"), (2, 3, "subscriptions"), (3, 3, "subscriptions")]
    assert len(wire.sent) == 4


@pytest.mark.parametrize("resource_id", ["", "/", "aks1", ID + "/agentPools/x", ID.replace("managedClusters", "other")])
def test_an_id_that_is_no_clusters_is_said_to_be_none(azure: AzureSession, resource_id: str) -> None:
    with pytest.raises(ServiceError) as raised:
        get_cluster(azure, resource_id)
    assert (raised.value.code, raised.value.status) == ("ResourceNotFound", None)


def test_a_cluster_without_an_id_costs_itself(wire: Canned, azure: AzureSession) -> None:
    serve(wire, s1=Answer(200, {"value": [{"name": "aks1"}]}))
    (refusal,) = list_clusters(azure, list_subscriptions(azure).values).refused
    assert "1 of 1 clusters" in refusal.error.title
    assert "aks1: " in refusal.error.cause


def test_a_user_identity_that_is_null_has_no_known_ids(wire: Canned, azure: AzureSession) -> None:
    serve(wire, s1=Answer(200, case("answers/clusters_one_odd")["body"]))
    found = list_clusters(azure, list_subscriptions(azure).values)
    assert not found.refused
    good, odd = sorted(found.values, key=lambda one: one.id)
    assert good.control_plane is None
    assert odd.control_plane == ManagedIdentity("", "", "/subscriptions/x/i")
    assert odd.kubelet == good.kubelet
