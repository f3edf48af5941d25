"""Which cluster can pull from which registry: case by case, and of the estate against what its registries grant."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.rbac import registry_permissions
from sandbox.server import Sandbox
from services.access.memberships import Memberships
from services.access.role_assignment_reading import SubscriptionAccess
from services.access.role_assignments import AccessRecords, DenyAssignment, PrincipalRef, RoleAssignment
from services.access.role_definitions import ACR_PULL, REPOSITORY_READER, PermissionBlock
from services.aks.clusters import Cluster, ClusterNetwork, IdentityModel, ManagedIdentity
from services.aks.puller import UnknownCause
from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.pull_checks.matrix import Answer, Pair, PrivateLinks, Pulls, needed_addresses, pull_matrix
from services.pull_checks.matrix_reading import read_pulls
from services.pull_checks.public_addresses import addresses_by_id
from services.registries.registry import Mode, PrivateEndpoint
from tests.support.canned import ARM, Canned
from tests.support.canned import Answer as Wire
from tests.support.pull_samples import a_pool
from tests.support.shell_lines import registry as a_registry

KUBELET, CONTROL_PLANE = "kubelet-object", "control-plane-object"
SUB = Subscription("s1", "contoso", "t1", "Enabled")
ADDRESS = "/subscriptions/s1/resourceGroups/nodes/providers/Microsoft.Network/publicIPAddresses/out"
CLUSTER = Cluster(
    id="/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks1",
    name="aks1",
    resource_group="rg",
    subscription_id="s1",
    subscription="contoso",
    tenant_id="t1",
    location="eastus",
    provisioning_state="Succeeded",
    power="Running",
    identity_model=IdentityModel.SYSTEM,
    control_plane=ManagedIdentity(CONTROL_PLANE),
    kubelet=ManagedIdentity(KUBELET, "kubelet-client"),
    service_principal_id="",
    pools=(),
    network=ClusterNetwork("loadBalancer", (ADDRESS,), False, "aks1.example"),
    run_command=True,
    managed_entra=False,
    artifact_source="",
    bootstrap_registry_id="",
    node_provisioning=False,
    virtual_nodes=False,
)


def registry(**changes: Any):  # type: ignore[no-untyped-def]
    open_to_all = {"public_access": True, "default_action": "Allow", "mode": Mode.LEGACY}
    return a_registry(**{**open_to_all, **changes})


def grant(
    principal: str = KUBELET, role: str = ACR_PULL, kind: str = "ServicePrincipal", **changes: Any
) -> RoleAssignment:
    return RoleAssignment("/a", "a", registry().id, role, principal, kind, **changes)


def pair(*grants: RoleAssignment, on: Any = None, of: Cluster = CLUSTER, **more: Any) -> Pair:
    records = AccessRecords(grants, denies=more.get("denies", ()))
    access = () if more.get("unread") else (SubscriptionAccess(SUB, records),)
    pulls = Pulls(
        Partial((of,)),
        access=Partial(access),
        addresses=Partial(tuple(more.get("addresses", {}).items())),
        memberships=more.get("memberships", Memberships()),
        private_links=more.get("links", PrivateLinks()),
    )
    (found,) = pull_matrix(pulls, [on or registry()])
    return found


def test_a_role_of_the_kubelet_identity_lets_it_pull_and_is_named() -> None:
    found = pair(grant())
    assert (found.answer, found.reason) == (Answer.CAN, "AcrPull, on the registry itself.")


def test_without_a_role_it_can_not() -> None:
    found = pair()
    assert (found.answer, found.by_roles) == (Answer.NO_ROLE, Answer.CANNOT)
    assert f"of {found.cluster.name} lacks AcrPull on" in found.reason


def test_a_grant_to_the_control_plane_is_recognised_for_the_mistake_it_is() -> None:
    found = pair(grant(CONTROL_PLANE))
    assert found.answer is Answer.CANNOT
    assert "which never pulls images: a common mistake" in found.reason


def test_acr_pull_on_an_abac_registry_is_ignored_and_the_reader_counts() -> None:
    abac = registry(mode=Mode.ABAC)
    ignored = pair(grant(), on=abac)
    assert ignored.answer is Answer.CANNOT and "Ignored" in ignored.reason
    assert pair(grant(role=REPOSITORY_READER), on=abac).answer is Answer.CAN


def test_a_condition_lets_some_repositories() -> None:
    name = "Microsoft.ContainerRegistry/registries/repositories"
    condition = (
        f"((!(ActionMatches{{'{name}/content/read'}}) AND !(ActionMatches{{'{name}/metadata/read'}})) OR "
        f"(@Request[{name}:name] StringStartsWithIgnoreCase 'team/'))"
    )
    found = pair(grant(role=REPOSITORY_READER, condition=condition), on=registry(mode=Mode.ABAC))
    assert found.answer is Answer.SOME
    assert "some repositories only" in found.reason


def test_what_a_group_holds_is_unknown() -> None:
    found = pair(grant("some-group", kind="Group"))
    assert found.answer is Answer.UNKNOWN
    assert "group" in found.reason


def test_a_role_without_effect_is_counted_only_where_it_is_known_to_be_for_this_cluster() -> None:
    abac, of_group = registry(mode=Mode.ABAC), grant("some-group", kind="Group")
    assert pair(of_group, on=abac).answer is Answer.NO_ROLE
    member = Memberships({KUBELET: frozenset({"some-group"})})
    assert pair(of_group, on=abac, memberships=member).answer is Answer.CANNOT


def test_a_deny_assignment_takes_it_away() -> None:
    deny = DenyAssignment(
        "/d",
        "no pulls",
        registry().id,
        (PermissionBlock(("*",), (), ("*",), ()),),
        (PrincipalRef(KUBELET, "ServicePrincipal"),),
    )
    found = pair(grant(), denies=(deny,))
    assert (found.answer, found.reason) == (
        Answer.CANNOT,
        "The deny assignment no pulls denies pulling; no role overrides it.",
    )


def test_denies_that_were_not_read_leave_it_unknown() -> None:
    found = pair(grant(), denies=None)
    assert found.answer is Answer.UNKNOWN
    assert "deny assignments could not be read" in found.reason


def test_role_assignments_that_were_not_read_leave_it_unknown() -> None:
    assert pair(unread=True).answer is Answer.UNKNOWN


def test_anonymous_pull_needs_no_role() -> None:
    assert pair(on=registry(anonymous_pull=True)).answer is Answer.CAN


def test_who_pulls_may_not_be_known() -> None:
    principal = replace(CLUSTER, kubelet=None, service_principal_id="sp-client")
    assert "only the directory knows" in pair(grant(), of=principal).reason
    nobody = replace(CLUSTER, kubelet=None)
    for cluster in (principal, nobody):
        assert pair(grant(), of=cluster).answer is Answer.UNKNOWN


RULES = {"public_access": True, "default_action": "Deny", "ip_rules": ("203.0.113.0/24", "nonsense")}


@pytest.mark.parametrize(
    ("changes", "addresses", "answer", "words"),
    [
        (RULES, {ADDRESS.lower(): "203.0.113.9"}, Answer.CAN, "AcrPull"),
        (RULES, {ADDRESS.lower(): "198.51.100.9"}, Answer.NETWORK, "198.51.100.9 is in none"),
        (RULES, {ADDRESS.lower(): ""}, Answer.UNKNOWN, "The public address out was not read."),
        (RULES, {}, Answer.UNKNOWN, "The public address out was not read."),
        ({"public_access": False}, {}, Answer.NETWORK, "There is no approved private endpoint."),
        (
            {"public_access": False, "private_endpoints": (PrivateEndpoint("/pe", "Approved"),)},
            {},
            Answer.UNKNOWN,
            "Its private endpoints were not read.",
        ),
    ],
)
def test_the_network_has_the_last_word(
    changes: dict[str, Any], addresses: Mapping[str, str], answer: Answer, words: str
) -> None:
    found = pair(grant(), on=registry(**changes), addresses=addresses)
    assert found.answer is answer
    assert words in found.reason
    assert found.cause is (UnknownCause.NETWORK if answer is Answer.UNKNOWN else None)


def test_nodes_with_public_addresses_of_their_own_are_unknown_as_the_checker_says() -> None:
    own_addresses = replace(CLUSTER, pools=(a_pool(), a_pool(name="public", public_ips=True)))
    found = pair(grant(), on=registry(**RULES), of=own_addresses, addresses={ADDRESS.lower(): "203.0.113.9"})
    assert (found.answer, found.can) == (Answer.UNKNOWN, None)
    assert "Nodes have public addresses of their own" in found.reason
    assert found.missing == ("network path of aks1 is unknown",)


def test_the_directory_decides_for_groups_and_service_principals() -> None:
    of_group = grant("some-group", kind="Group")
    member = Memberships({KUBELET: frozenset({"some-group"})}, names={"some-group": "nodes"})
    assert pair(of_group, memberships=member).answer is Answer.CAN
    assert pair(of_group, memberships=Memberships({KUBELET: frozenset()})).answer is Answer.NO_ROLE
    refused = ServiceError("Could not read the groups of kubelet", "No.", "Ask.", "Denied", 403)
    unread = pair(of_group, memberships=Memberships({KUBELET: refused}, names={"some-group": "nodes"}))
    assert (unread.answer, unread.missing) == (Answer.UNKNOWN, ("members of nodes could not be read",))
    assert "Could not read the groups of kubelet" in unread.reason
    assert unread.cause is UnknownCause.GROUPS
    application = replace(CLUSTER, kubelet=None, service_principal_id="SP-CLIENT")
    for object_ids, answer in (({"sp-client": "sp"}, Answer.CAN), ({"sp-client": ""}, Answer.UNKNOWN)):
        found = pair(grant("sp"), of=application, memberships=Memberships(object_ids=object_ids))
        assert found.answer is answer
    assert "not in this directory" in found.reason
    assert found.cause is UnknownCause.IDENTITY


def test_one_address_outside_the_rules_is_enough() -> None:
    two = replace(CLUSTER, network=replace(CLUSTER.network, outbound_ip_ids=(ADDRESS, f"{ADDRESS}2")))
    addresses = {ADDRESS.lower(): "203.0.113.9", f"{ADDRESS.lower()}2": "198.51.100.9"}
    assert pair(grant(), on=registry(**RULES), of=two, addresses=addresses).answer is Answer.NETWORK


def test_without_a_role_the_network_is_no_matter() -> None:
    assert pair(on=registry(public_access=False)).answer is Answer.NO_ROLE


def test_addresses_are_asked_for_only_where_a_registry_restricts_them() -> None:
    assert needed_addresses([CLUSTER], [registry()]) == ()
    assert needed_addresses([CLUSTER], [registry(), registry(**RULES)]) == (ADDRESS,)


def test_an_address_is_read_by_its_id(azure: AzureSession, wire: Canned) -> None:
    wire.on("GET", f"{ARM}{ADDRESS}", Wire(200, {"properties": {"ipAddress": "203.0.113.9"}}))
    assert addresses_by_id(azure, [ADDRESS, ADDRESS.upper().replace("/SUBSCRIPTIONS", "/subscriptions")]).values == (
        (ADDRESS.lower(), "203.0.113.9"),
    )
    wire.on("GET", f"{ARM}{ADDRESS}", Wire(403, {"error": {"code": "AuthorizationFailed", "message": "no"}}))
    assert addresses_by_id(azure, [ADDRESS, "nonsense"]).refused[0].error.status == 403


def test_the_estate_s_matrix_is_what_its_registries_grant(session: AzureSession, sandbox: Sandbox) -> None:
    """CAN and SOME where the identity really gets a token, CANNOT where it does not; and nothing is unknown."""
    pulls = read_pulls(session)
    found = pull_matrix(pulls)
    assert len(found) == len(pulls.clusters.values) * len(pulls.registries.values)
    documents = {document["id"].lower(): document for document in sandbox.store.list_resources(REGISTRY_TYPE)}
    answers = set()
    for one in found:
        answers.add(one.answer)
        if one.registry.access.anonymous_pull:
            continue
        names = sandbox.store.list_repositories(one.registry.name) or ["any"]
        document = documents[one.registry.id.lower()]
        assert one.principal_id
        may = {"pull" in registry_permissions(sandbox.store, document, one.principal_id, name) for name in names}
        if one.by_roles is Answer.CAN:
            assert may == {True}, one
        elif one.by_roles is Answer.SOME:
            assert True in may, one
        else:
            assert one.by_roles is Answer.CANNOT and may == {False}, one
    assert answers == {Answer.CAN, Answer.SOME, Answer.CANNOT, Answer.NO_ROLE}


def test_the_guide_s_cluster_can_not_pull_from_its_registry(session: AzureSession) -> None:
    pairs = {(one.cluster.name, one.registry.name): one for one in pull_matrix(read_pulls(session))}
    found = pairs["aks1", "casaacr01"]
    assert found.answer is Answer.NO_ROLE
    assert "kubelet identity aks1-agentpool of aks1" in found.reason
