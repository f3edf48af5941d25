"""Each check where it passes, where it does not, and where it can't be told; and the verdict over them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.mgmt.containerservice import models
from hypothesis import given
from hypothesis import strategies as st

from services.access.decisions import Decision
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignments import AccessRecords, DenyAssignment, PrincipalRef, RoleAssignment
from services.access.role_definitions import ACR_PULL, REPOSITORY_READER, PermissionBlock
from services.aks.clusters import Cluster, ClusterNetwork, IdentityModel, NodeSize, cluster_from
from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.pull_checks import identity, network, state
from services.pull_checks import image as images
from services.pull_checks import permission as permissions
from services.pull_checks.checks import EXISTENCE, ORDER, Answer, Check, CheckState, in_order, unknown, verdict
from services.pull_checks.private_link import Endpoint, NetworkPath, Networks, Zone, private_path
from services.pull_checks.public_addresses import Outbound, outbound_of
from services.pull_checks.text import as_text
from services.registries.registry import Mode, PrivateEndpoint, Registry
from tests.support.cases import case
from tests.support.pull_samples import CONTROL_PLANE_ID, KUBELET_ID, SUBNET, TENANT, a_cluster, a_pool
from tests.support.shell_lines import registry, replica

PASSED, FAILED, WARNING, UNKNOWN = CheckState.PASSED, CheckState.FAILED, CheckState.WARNING, CheckState.UNKNOWN
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REFUSED = ServiceError("Could not read it", "You may not.", "Ask.", "AuthorizationFailed", 403)
OPEN = {"public_access": True, "default_action": "Allow"}
YES, NO, UNTOLD = NetworkPath(True, "Open."), NetworkPath(False, "Closed."), NetworkPath(None, "Not told.")


def said(check: Check | None, outcome: CheckState, *words: str) -> None:
    assert check is not None
    assert check.state is outcome, check
    for word in words:
        assert word in check.evidence
    if outcome is FAILED:
        assert check.symptom
        assert check.fix
    if outcome is WARNING:
        assert check.evidence


def held(role: str = ACR_PULL, principal: str = KUBELET_ID, **more: Any) -> RoleAssignment:
    scope = more.pop("scope", registry().id)
    created = more.pop("created", NOW - timedelta(days=9))
    kind = more.pop("kind", "ServicePrincipal")
    return RoleAssignment(f"{scope}/{role}", role, scope, role, principal, kind, created=created, **more)


def decided(
    *assignments: RoleAssignment,
    mode: Mode = Mode.LEGACY,
    principal: str = KUBELET_ID,
    repository: str | None = None,
    groups: Any = (),
    **records: Any,
) -> Decision:
    known = AccessRecords(assignments, **records)
    return permission(known, principal, registry(mode=mode), Permission.PULL, repository, groups=groups)


def test_c1_the_registry_is_up() -> None:
    said(state.registry_state(registry()), PASSED, "contosoacr.azurecr.io")
    said(state.registry_state(registry(provisioning_state="Failed")), WARNING, "Failed")
    said(state.registry_state(registry(provisioning_state="Deleting")), FAILED, "Deleting")
    said(state.registry_state(registry(provisioning_state="")), UNKNOWN)


def test_c2_its_name_resolves_and_the_console_is_no_node() -> None:
    found = network.Resolved(("20.1.2.3",), "r0307eus2-az.eastus2.cloudapp.azure.com")
    said(network.name(registry(login_server="contosoacr.azurecr.io:443"), found), PASSED, "20.1.2.3", "r0307eus2")
    said(network.name(registry(), REFUSED), WARNING, "contosoacr.azurecr.io")


def test_c17_images_come_from_the_same_region() -> None:
    cluster = a_cluster()
    said(network.location(cluster, registry()), PASSED)
    said(network.location(cluster, registry(location="eastus")), WARNING, "eastus", "westeurope")
    said(network.location(cluster, registry(location="eastus", replicas=None)), UNKNOWN)
    said(network.location(cluster, registry(location="")), UNKNOWN, "contosoacr")
    said(network.location(a_cluster(location=""), registry(location="")), UNKNOWN, "contosoacr nor aks1")
    replicas = (replica("westeurope", status=""),)
    said(network.location(cluster, registry(location="eastus", replicas=replicas)), PASSED, "replica")


def test_c3_as_what_the_cluster_acts_and_who_pulls() -> None:
    said(identity.identity_model(a_cluster()), PASSED, "system-assigned")
    nobody = a_cluster(kubelet=None, identity_model=IdentityModel.UNKNOWN)
    said(identity.identity_model(nobody), UNKNOWN)
    said(identity.puller(nobody), UNKNOWN)
    said(identity.puller(a_cluster()), PASSED, KUBELET_ID, "client-of-the-kubelet", "never pulls")
    application = of_application()
    said(identity.identity_model(application), PASSED, "the-app")
    said(identity.puller(application), PASSED, "the-app")


def of_application() -> Cluster:
    return a_cluster(
        kubelet=None, identity_model=IdentityModel.SERVICE_PRINCIPAL, service_principal_id="the-app", control_plane=None
    )


def test_c3_the_identity_is_there_and_the_one_that_the_cluster_knows() -> None:
    cluster = a_cluster()
    gone = replace_error(REFUSED, status=404, code="ResourceNotFound")
    said(identity.existence(cluster, identity.IdentityResource(KUBELET_ID.upper(), "c")), PASSED)
    said(identity.existence(cluster, identity.IdentityResource("another", "c")), FAILED, "another")
    said(identity.existence(cluster, gone), FAILED)
    said(identity.existence(cluster, replace_error(gone, code="")), UNKNOWN)
    said(identity.existence(cluster, REFUSED), UNKNOWN, "You may not.")
    said(identity.existence(of_application(), None), UNKNOWN, "secret")


def replace_error(error: ServiceError, **changes: Any) -> ServiceError:
    return replace(error, **changes)


def test_c4_both_are_of_one_tenant() -> None:
    said(identity.tenant(a_cluster(), TENANT.upper()), PASSED)
    said(identity.tenant(a_cluster(), "another"), FAILED, "another", TENANT)
    said(identity.tenant(of_application(), "another"), WARNING)
    said(identity.tenant(a_cluster(), ""), UNKNOWN)
    said(identity.tenant(a_cluster(), REFUSED), UNKNOWN)


def test_c5_a_role_of_the_other_mode_is_ignored() -> None:
    abac = registry(mode=Mode.ABAC)
    said(permissions.mode(registry(mode=Mode.LEGACY), decided(held())), PASSED, "AcrPull")
    said(permissions.mode(abac, decided(held(REPOSITORY_READER), held(), mode=Mode.ABAC)), PASSED)
    said(permissions.mode(abac, decided(held(), mode=Mode.ABAC)), WARNING, "AcrPull")
    said(permissions.mode(abac, REFUSED), PASSED, "Repository Reader")


def permitted(decision: Decision | ServiceError, mode: Mode = Mode.LEGACY, **more: Any) -> Check:
    mistaken = more.pop("mistaken", None)
    return permissions.pull_permission(a_cluster(), registry(mode=mode, **more), decision, mistaken)


def test_c6_a_role_lets_pull_and_it_says_which() -> None:
    said(permitted(decided(held())), PASSED, "AcrPull, on the registry itself.")
    said(permitted(decided()), FAILED, f"of {a_cluster().name} lacks AcrPull on")
    said(permitted(REFUSED), UNKNOWN, "You may not.")
    assert "AcrPull" in permitted(decided()).fix
    in_abac = permitted(decided(held(), mode=Mode.ABAC), Mode.ABAC)
    said(in_abac, FAILED, "AcrPull", "Ignored")
    assert "Repository Reader" in in_abac.fix


def test_c6_the_grant_to_the_control_plane_is_the_common_mistake() -> None:
    mistaken = decided(held(principal=CONTROL_PLANE_ID), principal=CONTROL_PLANE_ID)
    check = permitted(decided(held(principal=CONTROL_PLANE_ID)), mistaken=mistaken)
    said(check, FAILED, "common mistake", "AcrPull on the registry is assigned to the control plane's identity,")
    assert "kubelet identity instead" in check.fix
    nothing = decided(principal=CONTROL_PLANE_ID)
    assert "mistake" not in permitted(decided(), mistaken=nothing).evidence


def test_c6_conditions_denies_and_what_is_not_read() -> None:
    prefix = "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringStartsWith 'team/'"
    some = held(REPOSITORY_READER, condition=f"({prefix})")
    said(permitted(decided(some, mode=Mode.ABAC), Mode.ABAC), UNKNOWN, "depends on the repository")
    said(permitted(decided(some, mode=Mode.ABAC, repository="team/app"), Mode.ABAC), PASSED)
    said(permitted(decided(some, mode=Mode.ABAC, repository="other"), Mode.ABAC), FAILED, "condition")
    blocks = (PermissionBlock(("*",)),)
    deny = DenyAssignment("d", "no pulls", registry().id, blocks, (PrincipalRef(KUBELET_ID, "ServicePrincipal"),))
    said(permitted(decided(held(), denies=(deny,))), FAILED, "no pulls")
    said(permitted(decided(held(), denies=None)), UNKNOWN, "could not be read")
    said(permitted(decided(held("unknown-role"))), UNKNOWN, "definition")


def test_c6_anonymous_pull_lets_without_a_role() -> None:
    said(permitted(decided(), anonymous_pull=True), WARNING, "Anonymous pull")
    said(permitted(REFUSED, anonymous_pull=True), WARNING, "Anonymous pull")


def test_c7_what_a_group_gives_arrives_late() -> None:
    group = "aaaaaaaa-0000-0000-0000-00000000000f"
    of_group = held(principal=group, kind="Group")
    said(permissions.group(decided(of_group, groups=(group,))), WARNING, group)
    said(permissions.group(decided(of_group, held(), groups=(group,))), PASSED)
    assert permissions.group(decided()) is None
    assert permissions.group(REFUSED) is None


def test_c8_a_role_takes_its_time() -> None:
    fresh = held(created=NOW - timedelta(minutes=3))
    said(state.assignment_age(decided(fresh), NOW), WARNING, "3 minutes")
    said(state.assignment_age(decided(held()), NOW), PASSED, "15 November 2026")
    said(state.assignment_age(decided(fresh, held(scope="/subscriptions/s1")), NOW), PASSED)
    said(state.assignment_age(decided(held(created=None)), NOW), UNKNOWN)
    assert state.assignment_age(decided(), NOW) is None


RESTRICTED = registry(public_access=True, default_action="Deny", ip_rules=("20.1.0.0/16", "20.9.9.9"))


def test_c9_there_is_a_way_in() -> None:
    said(network.rules(RESTRICTED, YES, NO), PASSED)
    said(network.rules(registry(), NO, YES), PASSED)
    said(network.rules(RESTRICTED, NO, NO), FAILED, "Closed.")
    said(network.rules(registry(), NO, UNTOLD), UNKNOWN, "Not told.")
    assert "private endpoint" in network.rules(registry(), NO, NO).fix


def balanced(*addresses: str) -> tuple[Cluster, Partial[tuple[str, str]]]:
    """A cluster behind a load balancer with these addresses, and the addresses as read."""
    ids = tuple(f"/subscriptions/s1/IP/{number}" for number in range(len(addresses)))
    cluster = a_cluster(network=ClusterNetwork("loadBalancer", ids, False, ""))
    return cluster, Partial(tuple((one.lower(), address) for one, address in zip(ids, addresses, strict=True)))


BALANCED, READ = balanced("20.1.2.3")


@pytest.mark.parametrize(
    ("cluster", "read", "open_"),
    [
        (*balanced("20.1.2.3", "20.9.9.9"), True),
        (*balanced("20.1.2.3", "20.9.9.8"), False),
        (*balanced("2001:db8::1"), False),
        (*balanced(), None),
        (BALANCED, Partial(()), None),
        (BALANCED, Partial((), (Refusal("/subscriptions/s1/ip/0", REFUSED),)), None),
        (replace(BALANCED, network=replace(BALANCED.network, outbound_type="userDefinedRouting")), READ, None),
        (replace(BALANCED, pools=(a_pool(public_ips=True),)), READ, None),
    ],
)
def test_c10_the_outbound_address_is_in_the_rules(
    cluster: Cluster, read: Partial[tuple[str, str]], open_: bool | None
) -> None:
    way = network.public_path(RESTRICTED, outbound_of(cluster, read))
    assert way.open is open_
    outcome = {True: PASSED, False: FAILED, None: UNKNOWN}[open_]
    said(network.outbound(RESTRICTED, way, NO), outcome, way.why)
    said(network.outbound(RESTRICTED, way, YES), PASSED if open_ else WARNING)


def test_c10_counts_only_where_there_are_rules() -> None:
    assert network.public_path(registry(**OPEN), Outbound(())).open
    closed = network.public_path(registry(), Outbound(()))
    assert closed.open is False
    assert network.outbound(registry(), closed, NO) is None
    assert not network.is_allowed("20.1.2.3", ("AzureCloud", "20.2.0.0/16"))


VNET = SUBNET.lower().partition("/subnets/")[0]
PE = "/subscriptions/s1/resourceGroups/r/providers/Microsoft.Network/privateEndpoints/contoso-pe"
ADDRESSES = {"contosoacr.azurecr.io": ("10.0.0.5",), "contosoacr.westeurope.data.azurecr.io": ("10.0.0.4",)}
ZONE = Zone("z", frozenset({VNET}), {"contosoacr": ("10.0.0.5",), "contosoacr.westeurope.data": ("10.0.0.4",)})
ENDPOINT = Endpoint(PE, VNET, ADDRESSES, (ZONE,))
PRIVATE = registry(private_endpoints=(PrivateEndpoint(PE, "Approved"),))
ALONE = Networks({}, False)


def the_way(endpoint: Endpoint | ServiceError = ENDPOINT, networks: Any = ALONE, **cluster: Any) -> NetworkPath:
    endpoints = endpoint if isinstance(endpoint, ServiceError) else (endpoint,)
    return private_path(a_cluster(**cluster), PRIVATE, endpoints, networks)


def test_c11_nodes_reach_a_private_endpoint_by_name() -> None:
    assert the_way().open
    elsewhere = replace(ENDPOINT, network="/subscriptions/s1/other")
    assert the_way(elsewhere).open is False
    assert the_way(elsewhere, Networks({VNET: frozenset({"/subscriptions/s1/other"})}, False)).open
    unlinked = replace(ENDPOINT, zones=(replace(ZONE, networks=frozenset()),))
    assert "not linked" in the_way(unlinked).why
    for lacking in ADDRESSES:
        name = lacking.removesuffix(".azurecr.io")
        records = {record: address for record, address in ZONE.records.items() if record != name}
        way = the_way(replace(ENDPOINT, zones=(replace(ZONE, records=records),)))
        assert way.open is False
        assert f"no record {name}" in way.why
    stale = {**ZONE.records, "contosoacr": ("10.9.9.9",)}
    assert the_way(replace(ENDPOINT, zones=(replace(ZONE, records=stale),))).open is False


def test_c11_every_network_of_the_nodes_needs_the_zone_and_the_endpoint() -> None:
    second = SUBNET.replace("/virtualNetworks/nodes/", "/virtualNetworks/more/")
    other = second.lower().partition("/subnets/")[0]
    pools = (a_pool(), a_pool(name="more", subnet_id=second))
    peered = Networks({other: frozenset({VNET})}, False)
    both_linked = replace(ENDPOINT, zones=(replace(ZONE, networks=frozenset({VNET, other})),))
    assert the_way(both_linked, peered, pools=pools).open
    one_linked = the_way(ENDPOINT, peered, pools=pools)
    assert one_linked.open is False
    assert "not linked" in one_linked.why
    one_peered = the_way(both_linked, ALONE, pools=pools)
    assert one_peered.open is False
    assert "not of all node pools" in one_peered.why


def test_c11_what_can_not_be_told_is_not_told() -> None:
    assert the_way(REFUSED).open is None
    assert the_way(networks=REFUSED).open is None
    assert the_way(networks=None).open is None
    assert the_way(networks=Networks({}, True)).open is None
    assert the_way(replace(ENDPOINT, zones=())).open is None
    assert the_way(replace(ENDPOINT, addresses={})).open is None


def test_c11_says_what_it_means_beside_the_public_way() -> None:
    said(network.private_endpoints(PRIVATE, NO, YES), PASSED)
    said(network.private_endpoints(PRIVATE, NO, NO), FAILED)
    said(network.private_endpoints(PRIVATE, NO, UNTOLD), UNKNOWN)
    said(network.private_endpoints(PRIVATE, YES, NO), WARNING)
    assert network.private_endpoints(registry(**OPEN), YES, NO) is None
    pending = registry(private_endpoints=(PrivateEndpoint(PE, "Pending"),))
    assert "(Pending)" in private_path(a_cluster(), pending, (), ALONE).why


def test_c12_layers_have_hosts_of_their_own() -> None:
    routed = a_cluster(network=ClusterNetwork("userDefinedRouting", (), True, ""))
    own = registry(data_endpoints=("contosoacr.westeurope.data.azurecr.io",))
    said(network.data_endpoints(a_cluster(), own), PASSED)
    said(network.data_endpoints(routed, own), WARNING, "contosoacr.westeurope.data.azurecr.io")
    said(network.data_endpoints(routed, registry()), WARNING, "blob.core.windows.net")


def test_c13_and_c14_anonymous_pull_and_the_audience_of_tokens() -> None:
    said(permissions.anonymous(registry()), PASSED)
    said(permissions.anonymous(registry(anonymous_pull=True)), WARNING)
    said(permissions.audience(registry(arm_audience_tokens=True)), PASSED)
    said(permissions.audience(registry(arm_audience_tokens=False)), WARNING, "check-acr")


def image(*platforms: str, **more: Any) -> images.ImageFacts:
    return images.ImageFacts("team/app:v1", "sha256:0", platforms, **more)


def test_c15_the_image_is_made_for_the_nodes() -> None:
    arm = a_pool(name="arm", sizes=(NodeSize("Standard_D4ps_v5", 2),))
    windows, empty_arm = (
        a_pool(name="win", os="Windows", os_sku="Windows2022"),
        replace(arm, sizes=(NodeSize("Standard_D4ps_v5", 0),)),
    )
    mixed = a_cluster(pools=(a_pool(), arm, windows))
    both = image("linux/amd64", "linux/arm64/v8", "windows/amd64:10.0.20348.2227")
    said(images.platform(mixed, both), PASSED)
    said(images.platform(mixed, image("linux/amd64")), WARNING, "arm (linux/arm64)", "win (windows/amd64, Windows2022)")
    said(images.platform(a_cluster(pools=(arm, windows)), image("linux/amd64")), FAILED, "arm", "win")
    untold = a_cluster(pools=(a_pool(sizes=(NodeSize("Standard_New", 1),)),))
    said(images.platform(untold, image("linux/amd64")), UNKNOWN, "Standard_New")
    said(images.platform(untold, image("windows/amd64")), FAILED)
    said(images.platform(a_cluster(pools=(empty_arm,)), both), UNKNOWN, "no nodes")
    said(images.platform(a_cluster(pools=(a_pool(), empty_arm)), image("linux/amd64")), PASSED)
    uncounted = a_cluster(pools=(a_pool(sizes=(NodeSize("Standard_D4ps_v5", None),)),))
    said(images.platform(uncounted, both), PASSED)
    said(images.platform(uncounted, image("linux/amd64")), FAILED, "linux/arm64")
    said(images.platform(a_cluster(), image()), UNKNOWN)
    said(images.platform(a_cluster(), REFUSED), UNKNOWN)
    said(images.platform(a_cluster(), images.ImageFacts("team/app:v9", "")), UNKNOWN)


WINDOWS = ("windows/amd64:10.0.17763.5329", "windows/amd64:10.0.20348.2227")


@pytest.mark.parametrize(
    ("os_sku", "platforms", "outcome"),
    [
        ("Windows2019", WINDOWS, PASSED),
        ("Windows2022", WINDOWS, PASSED),
        ("Windows2019", WINDOWS[1:], FAILED),
        ("Windows2022", WINDOWS[:1], FAILED),
        ("Windows2025", WINDOWS[1:], PASSED),
        ("Windows2025", WINDOWS[:1], FAILED),
        ("", WINDOWS, UNKNOWN),
        ("Windows2031", WINDOWS, UNKNOWN),
        ("Windows2022", ("windows/amd64",), UNKNOWN),
        ("Windows2022", ("windows/amd64:10",), UNKNOWN),
        ("Windows2022", ("linux/amd64",), FAILED),
    ],
)
def test_c15_windows_nodes_run_images_of_their_own_build(
    os_sku: str, platforms: tuple[str, ...], outcome: CheckState
) -> None:
    cluster = a_cluster(pools=(a_pool(name="win", os="Windows", os_sku=os_sku),))
    said(images.platform(cluster, image(*platforms)), outcome, "win" if outcome is not PASSED else "")


def test_c15_amd64_nodes_run_386_and_arm64_nodes_may_run_arm() -> None:
    arm = a_cluster(pools=(a_pool(name="arm", sizes=(NodeSize("Standard_D4ps_v5", 2),)),))
    said(images.platform(a_cluster(), image("linux/386")), PASSED)
    said(images.platform(arm, image("linux/386")), FAILED)
    said(images.platform(arm, image("linux/arm/v7")), UNKNOWN, "arm")
    said(images.platform(arm, image("linux/arm/v7", "linux/arm64")), PASSED)


def test_c16_an_image_of_schema_1_is_there_and_may_not_be_pulled() -> None:
    said(images.image_state(image(schema_1=True)), WARNING, "schema 1")


def test_c16_the_image_is_there_whole_and_may_be_read() -> None:
    said(images.image_state(image("linux/amd64")), PASSED, "team/app:v1")
    said(images.image_state(images.ImageFacts("team/app:v9", "")), FAILED, "team/app:v9")
    said(images.image_state(image(unreadable=("the tag",))), FAILED, "the tag")
    said(images.image_state(image(missing=("sha256:1",))), FAILED, "sha256:1")
    said(images.image_state(REFUSED), UNKNOWN)


def test_c18_all_nodes_at_once_against_what_one_identity_may_read() -> None:
    many = a_cluster(pools=(a_pool(sizes=(NodeSize("Standard_D4s_v5", 600),)),))
    said(state.throttling(a_cluster(), registry()), PASSED, "3 nodes")
    said(
        state.throttling(a_cluster(pools=(a_pool(sizes=(NodeSize("Standard_D4s_v5", 1),)),)), registry()),
        PASSED,
        "1 node ",
    )
    said(state.throttling(many, registry(sku="Standard"), 12), WARNING, "9000 requests", "5000 a minute")
    said(state.throttling(many, registry(sku="Premium"), 12), PASSED, "10000 a minute")
    said(state.throttling(many, registry(sku="Classic")), UNKNOWN)
    uncounted = a_cluster(pools=(a_pool(), a_pool(sizes=(NodeSize("Standard_D4s_v5", None),))))
    said(state.throttling(uncounted, registry()), UNKNOWN, "how many nodes")
    said(state.cluster_state(uncounted, registry()), PASSED, "number of nodes not reported")


def test_each_size_of_a_virtual_machines_pool_counts() -> None:
    document = case("answers/cluster_virtual_machines_pool")["body"]["value"][0]
    cluster = cluster_from(models.ManagedCluster(document), Subscription("s1", "contoso", TENANT, "Enabled"))
    both = image("linux/amd64", "linux/arm64/v8")
    said(images.platform(cluster, both), PASSED)
    said(images.platform(cluster, image("linux/amd64")), WARNING, "np (linux/arm64)")
    said(images.platform(cluster, image("linux/arm64")), WARNING, "np (linux/amd64)")
    said(images.platform(cluster, image("windows/amd64")), FAILED, "np (linux/arm64)", "np (linux/amd64)")
    said(state.throttling(cluster, registry()), PASSED, "4 nodes pulling at once")
    said(state.cluster_state(cluster, registry()), PASSED, "4 nodes")


def test_c19_the_cluster_runs() -> None:
    home = registry()
    said(state.cluster_state(a_cluster(), home), PASSED, "3 nodes")
    said(state.cluster_state(a_cluster(power="Stopped"), home), FAILED)
    said(state.cluster_state(a_cluster(provisioning_state=""), home), UNKNOWN)
    said(state.cluster_state(a_cluster(provisioning_state="Updating"), home), WARNING, "Updating")
    said(state.cluster_state(a_cluster(node_provisioning=True), home), WARNING)
    said(state.cluster_state(a_cluster(virtual_nodes=True), home), WARNING)
    said(state.cluster_state(a_cluster(artifact_source="Cache", bootstrap_registry_id="/other"), home), WARNING)
    said(state.cluster_state(a_cluster(artifact_source="Cache", bootstrap_registry_id=home.id.upper()), home), PASSED)


NEEDED = ("C1", "C3", "C4", "C6", "C9", "C19")
CHECKS = st.builds(Check, st.sampled_from(ORDER), st.just("title"), st.sampled_from(CheckState), st.just("evidence."))


def passing(*ids: str) -> tuple[Check, ...]:
    return tuple(Check(id_, id_, PASSED, "fine.") for id_ in ids)


DECISIVE = ("C1", "C3", "C6")
ADVISORY = tuple(id_ for id_ in ORDER if id_ not in (*NEEDED, "C10", "C11", "C15", "C16"))


@st.composite
def almost_green(draw: st.DrawFn) -> list[Check]:
    """All that a green verdict needs, and then some of it removed or otherwise: near the border, green is reached."""
    states = {id_: draw(st.sampled_from((PASSED, WARNING))) for id_ in (*NEEDED, "C15", "C16")}
    states |= {
        id_: draw(st.sampled_from((PASSED, WARNING, UNKNOWN))) for id_ in draw(st.sets(st.sampled_from(ADVISORY)))
    }
    for id_ in draw(st.sets(st.sampled_from(ORDER), max_size=2)):
        states[id_] = draw(st.sampled_from(CheckState))
    for id_ in draw(st.sets(st.sampled_from((*NEEDED, "C15", "C16")), max_size=1)):
        states.pop(id_)
    checks = [Check(id_, f"title of {id_}", state, f"evidence of {id_}.") for id_, state in states.items()]
    return draw(st.permutations(checks))


@given(st.one_of(almost_green(), st.lists(CHECKS, max_size=25)), st.booleans())
def test_the_verdict_follows_from_what_ran_and_what_is_unknown(checks: list[Check], with_image: bool) -> None:
    found = verdict(checks, image=with_image)
    needed = {*NEEDED, "C15", "C16"} if with_image else set(NEEDED)
    ran, unknown_ids = {check.id for check in checks}, {check.id for check in checks if check.state is UNKNOWN}
    if any(check.state is FAILED for check in checks):
        answer = Answer.CANNOT
    elif not ran.issuperset(DECISIVE) or unknown_ids.intersection(DECISIVE):
        answer = Answer.UNDECIDED
    elif not ran.issuperset(needed) or unknown_ids.difference(ADVISORY):
        answer = Answer.PROBABLY
    else:
        answer = Answer.CAN
    assert found.answer is answer
    assert found.sentence
    assert [ORDER.index(check.id) for check in in_order(checks)] == sorted(ORDER.index(check.id) for check in checks)


@pytest.mark.parametrize("id_", NEEDED)
def test_no_verdict_is_green_without_each_needed_check(id_: str) -> None:
    assert verdict(passing(*NEEDED)).answer is Answer.CAN
    others = passing(*(one for one in NEEDED if one != id_))
    worst = Answer.UNDECIDED if id_ in DECISIVE else Answer.PROBABLY
    assert verdict(others).answer is worst
    assert verdict((*others, unknown(id_, "title", "no."))).answer is worst
    assert verdict((*others, Check(id_, "title", FAILED, "no."))).answer is Answer.CANNOT


def test_of_the_identity_only_its_existence_may_be_unknown() -> None:
    exists = unknown("C3", EXISTENCE, REFUSED)
    assert verdict((*passing(*NEEDED), exists)).answer is Answer.PROBABLY
    for title in (identity.MODEL, identity.KUBELET):
        found = verdict((*passing(*NEEDED), exists, unknown("C3", title, "Azure does not report it.")))
        assert found.answer is Answer.UNDECIDED
        assert found.sentence == (
            f"Unknown whether it can pull. {title} unknown: Azure does not report it. Unknown: {EXISTENCE}."
        )


def test_the_verdict_says_why_and_what_it_lacks() -> None:
    assert verdict(passing(*NEEDED)).answer is Answer.CAN
    assert verdict(passing(*NEEDED), image=True).missing == ("C15", "C16")
    assert verdict(()).answer is Answer.UNDECIDED
    lacking = verdict((*passing(*NEEDED), unknown("C10", "Outbound address", "no.")))
    assert lacking.sentence == "Can probably pull. Unknown: Outbound address."
    advisory = unknown("C17", "Location", "no.")
    assert verdict((*passing(*NEEDED), advisory)).answer is Answer.CAN
    failed = Check("C6", "t", FAILED, "No role.", "401", "Attach.")
    assert verdict((failed, unknown("C9", "Network rules", "no."))).sentence == "Can't pull: No role."
    assert len(set(ORDER)) == 19


GUIDE = """\
[2026-11-24T12:00:00Z] Checking host name resolution (contosoacr.azurecr.io): SUCCEEDED
[2026-11-24T12:00:00Z] Canonical name for ACR (contosoacr.azurecr.io): r0307weu-az.westeurope.cloudapp.azure.com.
[2026-11-24T12:00:00Z] ACR location: westeurope
[2026-11-24T12:00:00Z] Checking managed identity...
[2026-11-24T12:00:00Z] Kubelet managed identity client ID: client-of-the-kubelet
[2026-11-24T12:00:00Z] Validating managed identity existance: SUCCEEDED
[2026-11-24T12:00:00Z] Validating image pull permission: SUCCEEDED
"""


def text_of(home: Registry, decision: Decision) -> str:
    found = network.Resolved(("20.1.2.3",), "r0307weu-az.westeurope.cloudapp.azure.com.")
    cluster = a_cluster()
    checks = (
        network.name(home, found),
        identity.existence(cluster, identity.IdentityResource(KUBELET_ID, "c")),
        permissions.pull_permission(cluster, home, decision),
        state.cluster_state(cluster, home),
        *passing("C1", "C3", "C4", "C9"),
    )
    return as_text(cluster, home, checks, verdict(checks), NOW, found)


def test_as_text_it_is_what_az_aks_check_acr_prints() -> None:
    text = text_of(registry(mode=Mode.LEGACY), decided(held()))
    assert text.startswith(GUIDE)
    assert "] Checking cluster state: SUCCEEDED\n" in text
    assert text.endswith("[2026-11-24T12:00:00Z] \nYour cluster can pull images from contosoacr.azurecr.io!\n")


def test_as_text_a_failure_says_why() -> None:
    text = text_of(registry(mode=Mode.LEGACY), decided())
    assert "] Validating image pull permission: FAILED\n" in text
    assert f"of {a_cluster().name} lacks AcrPull on" in text
    assert "!" not in text.splitlines()[-1]
