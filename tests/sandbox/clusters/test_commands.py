"""Run command, and what a pod that pulls an image would tell from each kind of cluster."""

import json
from dataclasses import replace

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.containerservice.models import RunCommandRequest

from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.clusters.commands import ENTRA_SERVER
from sandbox.clusters.pods import Node
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import READER
from sandbox.seeds.resources import assignment, custom_role, denial
from sandbox.server import Sandbox
from tests.support.azure_clients import SUBSCRIPTION, Arm, client, token

MARKER = "# acr-console: pull "


@pytest.fixture
def world(running, arm):
    return World(running, arm)


class World:
    """The estate: its clusters told to pull, and documents changed for one test."""

    def __init__(self, sandbox, arm):
        self.sandbox, self.arm = sandbox, arm

    def cluster(self, name):
        (found,) = [doc for doc in self.sandbox.store.list_resources(CLUSTER_TYPE) if doc["name"] == name]
        return found

    def registry(self, name):
        return self.sandbox.store.find_resource(REGISTRY_TYPE, name)

    def image(self, registry, name):
        return f"{self.registry(registry)['properties']['loginServer']}/{name}"

    def tag(self, registry, repository):
        return self.sandbox.store.list_tags(registry, repository)[0]

    def run(self, cluster, command, **more):
        """The answer to the POST."""
        return self.arm("POST", self.cluster(cluster)["id"] + "/runCommand", {"command": command, **more})

    def ended(self, started):
        """The properties of a command's result, after one look that finds it running."""
        assert started.status_code == 202, started.text
        (first, last) = (self.arm("GET", started.headers["Location"]) for _ in range(2))
        assert (first.status_code, first.json()["properties"]) == (202, {"provisioningState": "Running"})
        assert last.status_code == 200
        return last.json()["properties"]

    def pods(self, cluster, *lines):
        result = self.ended(self.run(cluster, "\n".join(["set -eu", *lines])))
        assert (result["provisioningState"], result["exitCode"]) == ("Succeeded", 0)
        return [json.loads(line) for line in result["logs"].splitlines()]

    def pull(self, cluster, registry, name, selector=""):
        """The state of the one container of the one pod, and the id of its image."""
        (pod,) = self.pods(cluster, MARKER + self.image(registry, name), selector)
        assert (pod["kind"], pod["spec"]["containers"][0]["image"]) == ("Pod", self.image(registry, name))
        (container,) = pod["status"]["containerStatuses"]
        return container["state"], container["imageID"]

    def refusal(self, *given):
        """Why a pull failed."""
        state, image_id = self.pull(*given)
        assert (state["waiting"]["reason"], image_id) == ("ErrImagePull", "")
        return state["waiting"]["message"]


@pytest.fixture
def changed(running):
    """Puts a document in place of another until the test is over; new ones go."""
    before = {}

    def put(document):
        before.setdefault(document["id"], running.store.get_resource(document["id"]))
        running.store.put_resource(document)

    yield put
    for resource_id, document in before.items():
        if document is None:
            running.store.delete_resource(resource_id)
        else:
            running.store.put_resource(document)


COMPLETED = {"terminated": {"exitCode": 0, "reason": "Completed"}}


def test_a_kubelet_identity_without_a_role_gets_the_401_that_containerd_tells_and_with_one_the_image(world, changed):
    server = world.registry("casaacr01")["properties"]["loginServer"]
    image = f"{server}/nodejstemplate:v1.0.0"
    assert world.refusal("aks1", "casaacr01", "nodejstemplate:v1.0.0") == (
        f'rpc error: code = Unknown desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": failed to authorize: failed to fetch anonymous token: '
        f"unexpected status from GET request to https://{server}/oauth2/token"
        f"?scope=repository%3Anodejstemplate%3Apull&service={server}: 401 Unauthorized"
    )
    kubelet = world.cluster("aks1")["properties"]["identityProfile"]["kubeletidentity"]["objectId"]
    scope = world.registry("casaacr01")["id"]
    changed(assignment(scope, "AcrPull", kubelet, "ServicePrincipal", world.sandbox.state.stamp()))
    digest = world.tag("casaacr01", "nodejstemplate").digest
    expected = (COMPLETED, f"{server}/nodejstemplate@{digest}")
    assert world.pull("aks1", "casaacr01", "nodejstemplate:v1.0.0") == expected
    assert world.pull("aks1", "casaacr01", f"nodejstemplate@{digest}") == expected
    assert world.pull("aks1", "casaacr01", f"nodejstemplate:gone@{digest}") == expected
    block = {"actions": ["Microsoft.ContainerRegistry/registries/pull/read"]}
    changed(denial(scope, "frozen", block))
    assert "401 Unauthorized" in world.refusal("aks1", "casaacr01", "nodejstemplate:v1.0.0")


def test_the_control_plane_s_role_and_one_that_an_abac_registry_ignores_pull_nothing(world):
    assert "401 Unauthorized" in world.refusal("aks-payments", "contosohub", "web/storefront:latest")
    api, rules = (world.tag("contosopayments", f"team/{name}").name for name in ("payments/api", "risk/rules"))
    assert world.pull("aks-payments", "contosopayments", f"team/payments/api:{api}")[0] == COMPLETED
    message = world.refusal("aks-payments", "contosopayments", f"team/risk/rules:{rules}")
    assert "failed to fetch oauth token: " in message
    assert "failed to fetch anonymous token: " in message


def test_a_service_principal_a_group_and_nobody_pull_where_they_may(world, changed):
    orders = world.tag("contosohub", "api/orders").name
    assert world.pull("aks-batch", "contosohub", f"api/orders:{orders}")[0] == COMPLETED
    hello = world.tag("contosodev", "hello").name
    assert "401 Unauthorized" in world.refusal("aks-batch", "contosodev", f"hello:{hello}")
    dev = world.cluster("aks-dev")
    dev["properties"]["powerState"]["code"] = "Running"
    changed(dev)
    (pod,) = world.pods("aks-dev", MARKER + world.image("contosodev", f"hello:{hello}"))
    assert pod["status"]["phase"] == "Pending"
    dev["properties"]["agentPoolProfiles"][0]["powerState"]["code"] = "Running"
    changed(dev)
    assert world.pull("aks-dev", "contosodev", f"hello:{hello}")[0] == COMPLETED
    node = world.tag("contosobase", "node").name
    assert world.pull("aks1", "contosobase", f"node:{node}")[0] == COMPLETED


def test_what_is_not_in_the_registry_is_not_found(world):
    hub = world.image("contosohub", "")
    expected = f'failed to resolve reference "{hub}web/admin:none": {hub}web/admin:none: not found'
    assert world.refusal("aks-platform", "contosohub", "web/admin:none").endswith(expected)
    assert world.refusal("aks-platform", "contosohub", "web/none:1").endswith("web/none:1: not found")
    (pod,) = world.pods("aks-platform", f"{MARKER}{hub}web/none")
    assert f"{hub}web/none:latest: not found" in json.dumps(pod)
    (pod,) = world.pods("aks-platform", f"{MARKER}elsewhere.example/app:1")
    assert "lookup elsewhere.example on" in json.dumps(pod)


def test_an_image_that_may_not_be_read_is_refused(world):
    store, tag = world.sandbox.store, world.tag("contosohub", "web/admin")
    store.set_tag_locks("contosohub", "web/admin", tag.name, replace(tag.locks, read=False), tag.updated)
    try:
        message = world.refusal("aks-platform", "contosohub", f"web/admin:{tag.name}")
    finally:
        store.set_tag_locks("contosohub", "web/admin", tag.name, tag.locks, tag.updated)
    assert message.endswith(f"/v2/web/admin/manifests/{tag.name}: 405 Method Not Allowed")


def test_a_node_takes_from_an_index_what_is_made_for_its_platform(world):
    both, amd64 = (f"{name}:{world.tag('contosohub', name).name}" for name in ("web/storefront", "web/admin"))
    for selector in ("kubernetes.io/arch: arm64", '\\"kubernetes.io/arch\\": \\"amd64\\"', "agentpool=arm"):
        assert world.pull("aks-platform", "contosohub", both, selector)[0] == COMPLETED
    missing = "no match for platform in manifest: not found"
    assert world.refusal("aks-platform", "contosohub", amd64, '"kubernetes.io/arch": "arm64"').endswith(missing)
    assert world.refusal("aks-platform", "contosohub", both, "kubernetes.io/os: windows").endswith(missing)


@pytest.mark.parametrize(
    ("size", "architecture"),
    [
        ("Standard_D4s_v5", "amd64"),
        ("Standard_D4ps_v5", "arm64"),
        ("Standard_B2pts_v2", "arm64"),
        ("Standard_B4ms", "amd64"),
        ("Standard_NP10s", "amd64"),
        ("Standard_E8-4pds_v6", "arm64"),
        ("Standard_NC24ads_A100_v4", "amd64"),
    ],
)
def test_a_size_s_name_tells_the_processor(size, architecture):
    assert Node({"vmSize": size}).architecture == architecture


def test_a_single_image_for_another_processor_comes_and_does_not_start(world):
    image = f"jobs/mailer:{world.tag('contosohub', 'jobs/mailer').name}"
    state, image_id = world.pull("aks-platform", "contosohub", image, "kubernetes.io/arch: arm64")
    assert state == {"terminated": {"exitCode": 255, "reason": "Error"}}
    assert image_id


def test_one_command_asks_for_several_pods_each_with_a_selector_of_its_own(world):
    image = world.image("contosohub", f"web/storefront:{world.tag('contosohub', 'web/storefront').name}")
    first, second, third = world.pods(
        "aks-platform",
        MARKER + image,
        "kubernetes.io/arch: amd64",
        MARKER + image,
        "kubernetes.io/arch: arm64",
        MARKER + image,
        "kubernetes.io/arch: s390x",
    )
    assert first["spec"]["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert first["spec"]["nodeName"].startswith("aks-nodepool1-")
    assert second["spec"]["nodeName"].startswith("aks-arm-")
    assert third["status"]["phase"] == "Pending"
    (condition,) = third["status"]["conditions"]
    assert (condition["reason"], condition["message"].partition(" nodes")[0]) == ("Unschedulable", "0/7")


def test_a_closed_registry_is_reached_by_its_private_endpoint_alone(world):
    image = f"vault/keys:{world.tag('contososecure', 'vault/keys').name}"
    assert world.pull("aks-secure", "contososecure", image)[0] == COMPLETED
    assert world.refusal("aks-platform", "contososecure", image).endswith(": 403 Forbidden")


@pytest.mark.parametrize("missing", ["link", "record", "approval", "peer"])
def test_a_private_endpoint_without_its_dns_its_approval_or_its_network_leads_nowhere(world, changed, missing):
    store, registry = world.sandbox.store, world.registry("contososecure")
    connection = registry["properties"]["privateEndpointConnections"][0]["properties"]
    if missing == "approval":
        connection["privateLinkServiceConnectionState"]["status"] = "Pending"
        changed(registry)
    elif missing == "peer":
        endpoint = store.get_resource(connection["privateEndpoint"]["id"])
        endpoint["properties"]["subnet"]["id"] = "/x/virtualNetworks/other-vnet/subnets/endpoints"
        changed(endpoint)
    else:
        kind = {"link": "virtualNetworkLinks", "record": "A"}[missing]
        (document, *_) = store.list_resources(f"Microsoft.Network/privateDnsZones/{kind}")
        changed(document)
        store.delete_resource(document["id"])
    image = f"vault/keys:{world.tag('contososecure', 'vault/keys').name}"
    assert world.refusal("aks-secure", "contososecure", image).endswith(": 403 Forbidden")


def test_a_firewall_knows_a_cluster_by_its_outbound_address(world, changed):
    registry = world.registry("contosobase")
    image = f"node:{world.tag('contosobase', 'node').name}"
    rules = registry["properties"]["networkRuleSet"] = {"defaultAction": "Deny", "ipRules": []}
    changed(registry)
    assert world.refusal("aks1", "contosobase", image).endswith(": 403 Forbidden")
    rules["ipRules"] = [{"action": "Allow", "value": "203.0.113.8/29"}]
    changed(registry)
    assert world.pull("aks1", "contosobase", image)[0] == COMPLETED
    assert world.refusal("aks-platform", "contosobase", image).endswith(": 403 Forbidden")
    assert world.refusal("aks-secure", "contosobase", image).endswith(": 403 Forbidden")


def test_a_role_that_has_not_reached_the_registry_yet_does_not_pull(tmp_path):
    with Sandbox.start(tmp_path, seed="walkthrough", propagation_s=3600) as sandbox, Arm(sandbox.ready) as arm:
        world = World(sandbox, arm)
        kubelet = world.cluster("aks1")["properties"]["identityProfile"]["kubeletidentity"]["objectId"]
        scope = world.registry("casaacr01")["id"]
        sandbox.store.put_resource(assignment(scope, "AcrPull", kubelet, "ServicePrincipal", sandbox.state.stamp()))
        assert "401 Unauthorized" in world.refusal("aks1", "casaacr01", "nodejstemplate:v1.0.0")


def test_the_sdk_waits_for_the_result_and_finds_it_again(running):
    with client(ContainerServiceClient, running.ready, SUBSCRIPTION) as containers:
        clusters = containers.managed_clusters
        request = RunCommandRequest(command="kubectl get pods", context="")
        result = clusters.begin_run_command("resource-group-4", "aks1", request, polling_interval=0).result()
        assert (result.provisioning_state, result.exit_code) == ("Succeeded", 1)
        assert "The sandbox runs no commands" in result.logs
        assert result.started_at <= result.finished_at
        again = clusters.get_command_result("resource-group-4", "aks1", result.id)
        assert again.logs == result.logs
        with pytest.raises(HttpResponseError) as gone:
            clusters.get_command_result("resource-group-4", "aks1", "0" * 32)
        assert gone.value.status_code == 404


def test_a_stopped_cluster_and_one_that_is_closed_to_commands_refuse(world, changed):
    stopped = world.run("aks-dev", "true")
    assert (stopped.status_code, stopped.json()["error"]["code"]) == (409, "OperationNotAllowed")
    assert "Power State(Stopped)" in stopped.json()["error"]["message"]
    cluster = world.cluster("aks1")
    cluster["properties"]["apiServerAccessProfile"] = {"disableRunCommand": True}
    changed(cluster)
    disabled = world.run("aks1", "true")
    assert (disabled.status_code, disabled.json()["error"]["code"]) == (400, "OperationNotAllowed")
    assert world.run("aks-platform", " ").json()["error"]["code"] == "InvalidParameter"


def test_a_cluster_with_entra_id_wants_the_caller_s_own_token_for_it(world, changed):
    cluster = world.cluster("aks1")
    cluster["properties"]["aadProfile"] = {"managed": True}
    changed(cluster)
    ready = world.sandbox.ready
    command = MARKER + world.image("casaacr01", "nodejstemplate:v1.0.0")
    assert world.run("aks1", command).json()["error"]["code"] == "MissingAADClusterToken"
    mine = token(ready, scope=f"{ENTRA_SERVER}/.default")
    assert world.ended(world.run("aks1", command, clusterToken=mine))["exitCode"] == 0
    another = token(ready, "reader_client", f"{ENTRA_SERVER}/.default")
    for wrong in ("x.y.z", token(ready), another):
        result = world.ended(world.run("aks1", command, clusterToken=wrong))
        assert (result["exitCode"], result["logs"].strip()) == (
            1,
            "error: You must be logged in to the server (Unauthorized)",
        )


def test_running_and_reading_take_an_action_each(world, changed):
    path = world.cluster("aks1")["id"]
    started = world.run("aks1", "true")
    with Arm(world.sandbox.ready, "reader_client") as reader:
        refused = reader("POST", path + "/runCommand", {"command": "true"})
        assert reader("GET", started.headers["Location"]).status_code == 202
        assert "managedClusters/runcommand/action' over scope" in refused.json()["error"]["message"]
        role = custom_role(
            "Contoso Command Runner",
            "",
            ["/"],
            ["Microsoft.ContainerService/managedClusters/runcommand/action"],
            "2026-01-01T00:00:00.0000000Z",
        )
        changed(role)
        changed(assignment(path, role["name"], READER.object_id, "ServicePrincipal", world.sandbox.state.stamp()))
        assert reader("POST", path + "/runCommand", {"command": "true"}).status_code == 202
