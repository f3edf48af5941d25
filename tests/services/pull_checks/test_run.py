"""The checks run: what they read, against the sandbox and recorded shapes of Azure's networking answers."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from sandbox.seeds.resources import assignment
from services.aks.attach import apply_attach, read_attach_plan
from services.aks.clusters import Cluster, ClusterNetwork, list_clusters
from services.arm.resources import get_resource, list_resources
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.pull_checks.checks import Answer, Check, CheckState, in_order, verdict
from services.pull_checks.private_link import private_path
from services.pull_checks.public_addresses import addresses_of_cluster
from services.pull_checks.reading import (
    look_up,
    read_endpoints,
    read_identity,
    read_image,
    read_name,
    read_networks,
)
from services.pull_checks.run import PullQuestion, PullReport, run_checks
from services.registries.registry import PrivateEndpoint
from tests.support.canned import ARM, Canned
from tests.support.canned import Answer as Reply
from tests.support.documents import digest_of
from tests.support.own_sandbox import APP, OwnSandbox
from tests.support.pull_samples import IDENTITY, KUBELET_ID, SUBNET, a_cluster
from tests.support.shell_lines import registry

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def cluster(own: OwnSandbox) -> Cluster:
    return list_clusters(own.session(), list_subscriptions(own.session()).values).values[0]


def told(path: str, body: Any, status: int = 200) -> dict[str, Any]:
    """What some resource is answered, whatever the sandbox has of it."""
    return {"method": "GET", "path": path, "status": status, "body": json.dumps(body)}


def nothing_denied_and_the_identity_there(cluster: Cluster) -> tuple[dict[str, Any], ...]:
    assert cluster.kubelet
    properties = {"principalId": cluster.kubelet.object_id, "clientId": cluster.kubelet.client_id}
    return told("denyAssignments", {"value": []}), told("userAssignedIdentities", {"properties": properties})


def asked(
    own: OwnSandbox, cluster: Cluster, repository: str = "", reference: str = "", **more: Any
) -> tuple[Check, ...]:
    question = PullQuestion(cluster, own.registry(), datetime.now(UTC), repository, reference, **more)
    return run_checks(own.session(), question).checks


def one(checks: tuple[Check, ...], id_: str, title: str = "") -> Check:
    return next(check for check in checks if check.id == id_ and title in check.title)


def test_the_check_fails_and_attaching_makes_it_pass(own: OwnSandbox, cluster: Cluster) -> None:
    own.break_(*nothing_denied_and_the_identity_there(cluster))
    before = asked(own, cluster)
    assert one(before, "C6").state is CheckState.FAILED
    assert verdict(before).answer is Answer.CANNOT
    apply_attach(own.session(), read_attach_plan(own.session(), cluster, own.registry()))
    after = asked(own, cluster)
    assert one(after, "C6").state is CheckState.PASSED
    assert one(after, "C8").state is CheckState.WARNING
    assert verdict(after).answer is Answer.CAN, verdict(after).sentence


def test_a_grant_to_the_control_plane_is_recognised(own: OwnSandbox, cluster: Cluster) -> None:
    assert cluster.control_plane
    mine = cluster.control_plane.object_id
    created = "2026-01-01T00:00:00Z"
    own.sandbox.store.put_resource(assignment(own.registry().id, "AcrPull", mine, "ServicePrincipal", created))
    check = one(asked(own, cluster), "C6")
    assert check.state is CheckState.FAILED
    assert "common mistake" in check.evidence


@pytest.mark.parametrize(("address", "outcome"), [("20.1.2.3", CheckState.PASSED), ("20.9.9.9", CheckState.FAILED)])
def test_the_outbound_address_is_read_where_there_are_rules(
    own: OwnSandbox, cluster: Cluster, address: str, outcome: CheckState
) -> None:
    rules = {"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": "20.1.0.0/16"}]}
    home = own.make_registry("contosorules", networkRuleSet=rules)
    own.break_(told("publicIPAddresses", {"properties": {"ipAddress": address}}))
    checks = run_checks(own.session(), PullQuestion(cluster, home, NOW)).checks
    assert one(checks, "C10").state is outcome
    assert address in one(checks, "C10").evidence


def test_checks_are_told_as_they_finish_and_none_twice(own: OwnSandbox, cluster: Cluster) -> None:
    heard: list[PullReport] = []
    question = PullQuestion(cluster, own.registry(), NOW, "nodejstemplate", "v1.0.0")
    report = run_checks(own.session(), question, heard.append)
    checks = report.checks
    assert len(heard) == 7
    assert heard[-1] == report
    for before, after in pairwise(heard):
        assert set(before.checks) < set(after.checks)
    assert report.puller and report.puller.principal_id == cluster.puller.object_id
    assert report.resolved and report.resolved.addresses
    assert checks == in_order(checks)
    assert len({(check.id, check.title) for check in checks}) == len(checks)


def test_where_nothing_can_be_read_nothing_is_green_that_did_not_run(own: OwnSandbox, cluster: Cluster) -> None:
    question = PullQuestion(cluster, own.registry(), NOW, APP, "v1")
    own.break_({"status": 403})
    report = run_checks(own.session(), question)
    checks = report.checks
    assert report.puller is None
    outcomes = {check.id: check for check in checks}
    for id_ in ("C4", "C6", "C15", "C16"):
        assert outcomes[id_].state is CheckState.UNKNOWN, id_
    assert one(checks, "C3", "exists").state is CheckState.UNKNOWN
    assert verdict(checks, image=True).answer is Answer.UNDECIDED


def test_a_name_that_does_not_resolve_is_told(own: OwnSandbox, cluster: Cluster) -> None:
    def lost(host: str) -> Any:
        raise ServiceError(f"Could not look up {host}", "no such name", "Check DNS.", "Unresolved")

    report = run_checks(own.session(), PullQuestion(cluster, own.registry(), NOW), lookup=lost)
    checks = report.checks
    assert report.resolved is None
    assert one(checks, "C2").state is CheckState.WARNING
    with pytest.raises(ServiceError, match="Could not look up"):
        look_up("no such name.invalid")
    assert read_name(own.registry()).addresses


def test_of_a_service_principal_the_object_id_has_to_be_given(own: OwnSandbox, cluster: Cluster) -> None:
    own.break_(*nothing_denied_and_the_identity_there(cluster))
    application = a_cluster(kubelet=None, service_principal_id="the-app", control_plane=None)
    check = one(asked(own, application), "C6")
    assert check.state is CheckState.UNKNOWN
    assert "az ad sp show" in check.fix
    assert one(asked(own, application, principal_id=KUBELET_ID), "C6").state is CheckState.FAILED


def test_an_image_is_read_with_its_platforms(own: OwnSandbox) -> None:
    session, home = own.session(), own.registry()
    index = own.push_index("v1")
    found = read_image(session, home, APP, "v1")
    assert (found.digest, found.platforms, found.missing) == (index, ("linux/a1", "linux/a2"), ())
    assert read_image(session, home, APP, index).digest == index
    assert read_image(session, home, APP, "v9").digest == ""
    assert read_image(session, home, "nobody", "v1").digest == ""
    assert read_image(session, home, APP, digest_of(77)).digest == ""
    seeded = read_image(session, home, "nodejstemplate", "v1.0.0")
    assert seeded.platforms == ("linux/amd64",)
    assert seeded.layers > 10


def test_an_image_that_lacks_a_platform_or_is_locked_is_seen(own: OwnSandbox) -> None:
    session, home = own.session(), own.registry()
    own.push_index("v1")
    child, _ = own.push(number=1)
    own.sandbox.store.delete_manifest(home.name, APP, child, own.sandbox.state.stamp())
    assert read_image(session, home, APP, "v1").missing == (child,)
    own.lock_tag("v1", read=False)
    assert read_image(session, home, APP, "v1").unreadable == ("the tag",)


NETWORK = "/subscriptions/s1/resourceGroups/contoso-rg/providers/Microsoft.Network"
ENDPOINT, ZONE = f"{NETWORK}/privateEndpoints/contoso-pe", f"{NETWORK}/privateDnsZones/privatelink.azurecr.io"
VNET, OTHER = SUBNET.partition("/subnets/")[0], f"{NETWORK}/virtualNetworks/other"
ADDRESS = f"{NETWORK}/publicIPAddresses/egress"


def networking(wire: Canned, *, peering: str = "Connected", dns: tuple[str, ...] = ()) -> None:
    """An endpoint in a network that the nodes' network is peered with, and a zone linked to both."""
    addresses = [{"fqdn": "contosoacr.azurecr.io", "ipAddresses": ["10.0.0.5"]}]
    endpoint = {"subnet": {"id": f"{OTHER}/subnets/endpoints"}, "customDnsConfigs": addresses}
    zones = {"privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": ZONE}}]}
    peers = [{"properties": {"remoteVirtualNetwork": {"id": OTHER}, "peeringState": peering}}]
    network = {"virtualNetworkPeerings": peers, "dhcpOptions": {"dnsServers": list(dns)}}
    links = [{"properties": {"virtualNetwork": {"id": linked}}} for linked in (VNET, OTHER)]
    records = [{"name": "contosoacr", "properties": {"aRecords": [{"ipv4Address": "10.0.0.5"}]}}]
    answers = {
        ENDPOINT: {"properties": endpoint},
        f"{ENDPOINT}/privateDnsZoneGroups": {"value": [{"properties": zones}]},
        f"{ZONE}/virtualNetworkLinks": {"value": links},
        f"{ZONE}/A": {"value": records},
        VNET.lower(): {"properties": network},
        ADDRESS: {"properties": {"ipAddress": "20.1.2.3"}},
        IDENTITY: {"properties": {"principalId": KUBELET_ID, "clientId": "c"}},
    }
    for path, body in answers.items():
        wire.on("GET", f"{ARM}{path}", Reply(200, body))


def test_the_private_way_is_read_by_id(azure: AzureSession, wire: Canned) -> None:
    networking(wire)
    home, cluster = registry(private_endpoints=(PrivateEndpoint(ENDPOINT, "Approved"),)), a_cluster()
    way = private_path(cluster, home, read_endpoints(azure, home), read_networks(azure, cluster))
    assert way.open, way.why
    assert all(sent.query["api-version"] for sent in wire.sent)
    assert all(sent.headers["Authorization"].startswith("Bearer ") for sent in wire.sent)


@pytest.mark.parametrize(("changes", "open_"), [({"peering": "Disconnected"}, False), ({"dns": ("10.0.0.53",)}, None)])
def test_a_peering_that_is_cut_and_other_dns_servers_are_seen(
    azure: AzureSession, wire: Canned, changes: dict[str, Any], open_: bool | None
) -> None:
    networking(wire, **changes)
    home, cluster = registry(private_endpoints=(PrivateEndpoint(ENDPOINT, "Approved"),)), a_cluster()
    way = private_path(cluster, home, read_endpoints(azure, home), read_networks(azure, cluster))
    assert way.open is open_


def test_an_endpoint_that_is_not_approved_is_not_read(azure: AzureSession, wire: Canned) -> None:
    assert read_endpoints(azure, registry(private_endpoints=(PrivateEndpoint(ENDPOINT, "Pending"),))) == ()
    assert not wire.sent


def test_outbound_addresses_and_the_identity_are_read_by_id(azure: AzureSession, wire: Canned) -> None:
    networking(wire)
    cluster = a_cluster(network=ClusterNetwork("loadBalancer", (ADDRESS,), False, ""))
    assert addresses_of_cluster(azure, cluster) == Partial(((ADDRESS.lower(), "20.1.2.3"),))
    found = read_identity(azure, cluster)
    assert found and found.object_id == KUBELET_ID
    wire.on("GET", f"{ARM}{ADDRESS}", Reply(200, {"properties": {}}))
    (refused,) = addresses_of_cluster(azure, cluster).refused
    assert "could not be understood" in str(refused.error)
    assert read_networks(azure, a_cluster(pools=())) is None
    assert read_identity(azure, a_cluster(kubelet=None)) is None


@pytest.mark.parametrize(
    "resource_id",
    [
        "//evil.example/x",
        "https://evil.example/subscriptions/s1/providers/Microsoft.Network/x",
        f"{NETWORK}/publicIPAddresses/../../x",
        f"{NETWORK}/publicIPAddresses/x?api-version=1",
        f"{NETWORK}/publicIPAddresses/%2e%2e",
        "/subscriptions/s1/providers/Microsoft.Unheard/x/y",
        "",
    ],
)
def test_what_is_no_resource_id_is_not_asked(azure: AzureSession, wire: Canned, resource_id: str) -> None:
    for read in (get_resource, list_resources):
        with pytest.raises(ServiceError) as raised:
            read(azure, resource_id)
        assert raised.value.code == "InvalidResourceId"
    assert not wire.sent


def test_the_token_goes_to_no_other_host(azure: AzureSession, wire: Canned) -> None:
    elsewhere = {"value": [], "nextLink": "https://evil.example/more"}
    wire.on("GET", f"{ARM}{ZONE}/A", Reply(200, elsewhere))
    with pytest.raises(ServiceError, match="another host"):
        list_resources(azure, f"{ZONE}/A")
    assert len(wire.sent) == 1
