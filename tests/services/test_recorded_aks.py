"""Recorded answers of Microsoft.ContainerService: clusters, and commands run in one."""

import json
from typing import Any

import pytest

from services.aks.clusters import Cluster, IdentityModel, ManagedIdentity, NodeSize, get_cluster, list_clusters
from services.aks.pull_proof import plan_proof, run_proof
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from tests.support.canned import ARM, Answer
from tests.support.pull_samples import a_cluster
from tests.support.recordings import Area, Recording, arm
from tests.support.shell_lines import registry as a_registry


def check_cluster(found: Cluster, document: dict[str, Any]) -> None:
    properties, identity = document["properties"], document.get("identity")
    assert (found.id, found.name, found.location) == (document["id"], document["name"], document["location"])
    assert found.resource_group == document["id"].split("/")[4]
    assert found.provisioning_state == properties["provisioningState"]
    assert found.power == properties.get("powerState", {}).get("code", "")
    assert [(pool.name, pool.sizes) for pool in found.pools] == [
        (pool["name"], (NodeSize(pool["vmSize"], pool["count"]),)) for pool in properties["agentPoolProfiles"]
    ]
    assert all(pool.os == "Linux" and pool.sizes[0].architecture == "amd64" for pool in found.pools)
    balancer = properties["networkProfile"].get("loadBalancerProfile", {})
    assert list(found.network.outbound_ip_ids) == [one["id"] for one in balancer.get("effectiveOutboundIPs", [])]
    assert found.network.fqdn == properties.get("fqdn", "")
    kubelet = properties.get("identityProfile", {}).get("kubeletidentity")
    if kubelet:
        assert found.kubelet == ManagedIdentity(kubelet["objectId"], kubelet["clientId"], kubelet["resourceId"])
        assert (found.puller.kind, found.puller.object_id) == ("kubelet identity", kubelet["objectId"])
    if not identity:
        assert found.identity_model is IdentityModel.SERVICE_PRINCIPAL
        assert found.puller.client_id == properties["servicePrincipalProfile"]["clientId"]
        assert (found.kubelet, found.control_plane) == (None, None)
    elif identity["type"] == "SystemAssigned":
        assert found.identity_model is IdentityModel.SYSTEM
        assert found.control_plane == ManagedIdentity(identity["principalId"])
        assert found.tenant_id == identity["tenantId"]
    else:
        ((resource_id, user),) = identity["userAssignedIdentities"].items()
        assert found.identity_model is IdentityModel.USER
        assert found.control_plane == ManagedIdentity(user["principalId"], user["clientId"], resource_id)


def replay_cluster(recording: Recording) -> None:
    wire, session = arm()
    resource_id = recording.body["id"]
    wire.on(
        "GET", f"{ARM}{resource_id.replace('/resourcegroups/', '/resourceGroups/')}", Answer(200, recording.sent_body)
    )
    check_cluster(get_cluster(session, resource_id), recording.body)


def replay_clusters(recording: Recording) -> None:
    wire, session = arm()
    subscription = "s" if recording.body["value"] == [] else recording.body["value"][0]["id"].split("/")[2]
    listed = {"value": [{"subscriptionId": subscription, "displayName": "contoso"}]}
    wire.on("GET", f"{ARM}/subscriptions", Answer(200, listed))
    url = f"{ARM}/subscriptions/{subscription}/providers/Microsoft.ContainerService/managedClusters"
    wire.on("GET", url, recording.answer)
    found = list_clusters(session, list_subscriptions(session).values)
    assert found.complete
    for cluster, document in zip(found.values, recording.body["value"], strict=True):
        check_cluster(cluster, document)


def replay_command(recording: Recording) -> None:
    """A whole command, whichever of its answers `recording` is: none prints a pod, so that none proves a pull."""
    begun = Recording("documented/aks/run_command_202.json")
    waits = Recording("documented/aks/command_result_202.json")
    wire, session = arm()
    done = recording if recording.status == 200 else Recording("documented/aks/command_result_200_succeeded.json")
    at_once = done.file.startswith("documented/aks/run_command")
    wire.on("POST", f"{ARM}{begun.path}", done.answer if at_once else begun.answer)
    wire.on("GET", begun.headers["Location"].partition("?")[0], waits.answer, done.answer)
    _, _, subscription, _, group, *_, name, _ = begun.path.split("/")
    cluster = a_cluster(subscription_id=subscription, resource_group=group, name=name)
    plan = plan_proof(cluster, a_registry(), "team/app", "v1")
    with pytest.raises(ServiceError, match="CommandFailed") as raised:
        run_proof(session, plan)
    properties = done.body["properties"]
    assert raised.value.cause == (properties.get("logs") or properties["reason"])
    assert len(wire.sent) == (1 if at_once else 3)
    assert set(json.loads(wire.sent[0].body)) == set(begun.request)


AREA = Area(
    "aks",
    read={
        "real/aks/cluster_get_*.json": replay_cluster,
        "real/aks/cluster_create_201_*.json": replay_cluster,
        "real/aks/cluster_patch_tags_*.json": replay_cluster,
        "real/aks/cluster_list_*.json": replay_clusters,
        "documented/aks/run_command_20?.json": replay_command,
        "documented/aks/command_result_20*.json": replay_command,
    },
    not_read={
        "real/aks/cluster_delete_202.json": "the console deletes no cluster",
        "real/aks/operation_*.json": "the console changes no cluster, so that no operation of one is followed",
        "real/aks/cluster_upgrade_profile_*.json": "upgrades of clusters are in no view",
        "real/aks/cluster_user_credential_*.json": "the console takes no kubeconfig",
    },
)


@pytest.mark.parametrize("file", AREA.read_files)
def test_an_answer_is_read(file: str) -> None:
    AREA.replay(file)


def test_every_answer_is_read_or_has_a_reason_why_not() -> None:
    AREA.check_complete()
