"""Who may do what in the estate: what the console works out, and what registries really grant."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import CONSOLE, PRINCIPALS, READER, by_object_id
from sandbox.identity.rbac import access_of, principal_and_groups, registry_permissions
from sandbox.seeds import company
from sandbox.seeds.resources import assignment
from sandbox.server import Sandbox
from services.access.decisions import Verdict
from services.access.evaluation import blocks_grant, permission
from services.access.permissions import Permission, need_of
from services.access.role_assignment_reading import read_access, read_caller_permissions, read_principal
from services.access.role_assignments import AccessRecords
from services.access.role_definitions import BUILT_IN
from services.aks.clusters import Cluster, IdentityModel, get_cluster, list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.data_plane_tokens import Need
from services.connection.parallel import Partial
from services.connection.session import AzureSession, connect_sandbox
from services.registries.reading import list_registries
from services.registries.registry import Mode, Registry
from tests.support.own_sandbox import OwnSandbox

SAME = {
    Permission.LIST_CATALOG: "catalog",
    Permission.PUSH: "push",
    Permission.DELETE: "delete",
    Permission.READ_METADATA: "metadata_read",
    Permission.CHANGE_LOCKS: "metadata_write",
}
REPOSITORIES = ("team/payments/api", "team/other", "nodejstemplate")


@pytest.fixture(scope="module")
def records(session: AzureSession) -> Mapping[str, AccessRecords]:
    """What is read of each subscription, by its id."""
    found = read_access(session, list_subscriptions(session).values)
    assert [refusal.what for refusal in found.refused] == ["contoso-restricted"]
    return {one.subscription.id: replace(one.records, denies=one.records.denies or ()) for one in found.values}


@pytest.fixture(scope="module")
def registries(session: AzureSession) -> dict[str, Registry]:
    return {registry.name: registry for registry in list_registries(session).values}


@pytest.fixture(scope="module")
def clusters(session: AzureSession) -> Partial[Cluster]:
    return list_clusters(session, list_subscriptions(session).values)


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_every_principal_may_at_every_registry_what_the_sandbox_lets(
    sandbox: Sandbox, records: Mapping[str, AccessRecords], registries: Mapping[str, Registry], repository: str
) -> None:
    compared = 0
    for document in sandbox.store.list_resources(REGISTRY_TYPE):
        if document["name"] not in registries:
            continue
        registry = registries[document["name"]]
        for principal in (doc["objectId"] for doc in sandbox.store.list_resources(PRINCIPALS)):
            groups = principal_and_groups(sandbox.store, principal) - {principal}
            granted = registry_permissions(sandbox.store, document, principal, repository)
            for wanted in Permission:
                decision = permission(
                    records[registry.subscription_id], principal, registry, wanted, repository, groups=groups
                )
                if wanted is Permission.PULL:
                    expected = {"pull", "metadata_read"} <= granted
                elif wanted in SAME:
                    expected = SAME[wanted] in granted
                else:
                    (action,) = need_of(wanted, registry.access.mode).actions
                    expected = access_of(sandbox.store, principal).allows(document["id"], action)
                where = (registry.name, principal, wanted)
                assert decision.verdict is (Verdict.YES if expected else Verdict.NO), where
                compared += expected
    assert compared > 100


def test_what_is_asked_of_one_registry_is_what_is_read_of_its_subscription(
    sandbox: Sandbox,
    session: AzureSession,
    records: Mapping[str, AccessRecords],
    registries: Mapping[str, Registry],
) -> None:
    """Azure itself follows groups here (`assignedTo`)."""
    for name in ("contosohub", "contosopayments", "contosodev"):
        registry = registries[name]
        for principal in (doc["objectId"] for doc in sandbox.store.list_resources(PRINCIPALS)):
            held = read_principal(session, registry, principal)
            for wanted in Permission:
                alone = permission(replace(held.records, denies=()), principal, registry, wanted, groups=held.groups)
                together = permission(
                    records[registry.subscription_id], principal, registry, wanted, groups=held.groups
                )
                assert alone.verdict is together.verdict, (name, principal, wanted)


@pytest.mark.parametrize("client_id", ["console", "reader"])
def test_a_registrys_own_token_grants_what_is_worked_out(
    sandbox: Sandbox, records: Mapping[str, AccessRecords], registries: Mapping[str, Registry], client_id: str
) -> None:
    azure = connect_sandbox(sandbox.ready, as_reader=client_id == "reader")
    principal = (READER if client_id == "reader" else CONSOLE).object_id
    actions = frozenset({"pull", "push", "delete", "metadata_read", "metadata_write"})
    asked = {
        "pull": Permission.PULL,
        "push": Permission.PUSH,
        "delete": Permission.DELETE,
        "metadata_read": Permission.READ_METADATA,
        "metadata_write": Permission.CHANGE_LOCKS,
    }
    for name in ("casaacr01", "contosopayments"):
        registry = registries[name]
        if client_id == "reader" and name != "casaacr01":
            continue
        for repository in ("team/payments/api", "team/other"):
            granted = azure.registry(registry.login_server).tokens.granted(Need(repository, actions))
            worked_out = {
                action
                for action, wanted in asked.items()
                if permission(
                    records[registry.subscription_id], principal, registry, wanted, repository, groups=()
                ).verdict
                is Verdict.YES
            }
            assert worked_out == granted, (name, repository)


@pytest.mark.parametrize("mode", Mode)
def test_a_role_that_is_assigned_gives_its_token_at_once_and_the_verdict_with_it(own: OwnSandbox, mode: Mode) -> None:
    setting = "AbacRepositoryPermissions" if mode is Mode.ABAC else "LegacyRegistryPermissions"
    registry = own.make_registry("contosonew", roleAssignmentMode=setting)
    assert registry.access.mode is mode
    reader = own.session(as_reader=True)
    scope = registry.id
    for role in ("AcrPull", "Container Registry Repository Reader", "AcrDelete", "AcrPush"):
        document = assignment(scope, role, READER.object_id, "ServicePrincipal", own.sandbox.state.stamp())
        own.sandbox.store.put_resource(document)
        held = read_principal(own.session(), registry, READER.object_id)
        told = replace(held.records, denies=())
        # A session of its own, as a token that was given before would still say what held then.
        fresh = connect_sandbox(own.sandbox.ready, as_reader=True).registry(registry.login_server).tokens
        actions = frozenset({"pull", "push", "delete", "metadata_read", "metadata_write"})
        granted = fresh.granted(Need("any/app", actions))
        for wanted, action in (
            (Permission.PULL, "pull"),
            (Permission.PUSH, "push"),
            (Permission.DELETE, "delete"),
            (Permission.CHANGE_LOCKS, "metadata_write"),
        ):
            decision = permission(told, READER.object_id, registry, wanted, "any/app", groups=held.groups)
            assert decision.verdict is (Verdict.YES if action in granted else Verdict.NO), (role, wanted)
    # Reader of the whole subscription sees what stands here, without being told of it.
    assert blocks_grant(read_caller_permissions(reader, registry), Permission.READ_REGISTRY, mode)
    assert not blocks_grant(read_caller_permissions(reader, registry), Permission.ASSIGN_ROLES, mode)
    assert blocks_grant(read_caller_permissions(own.session(), registry), Permission.ASSIGN_ROLES, mode)


def test_the_grant_that_the_payments_cluster_needs_is_found_beside_those_that_do_nothing(
    records: Mapping[str, AccessRecords], registries: Mapping[str, Registry], clusters: Partial[Cluster]
) -> None:
    (cluster,) = (cluster for cluster in clusters.values if cluster.name == "aks-payments")
    registry = registries["contosopayments"]
    decision = permission(
        records[registry.subscription_id], cluster.puller.object_id, registry, Permission.PULL, groups=()
    )
    assert decision.verdict is Verdict.SOME
    assert [reason.role for reason in decision.granting] == ["Container Registry Repository Reader"]
    assert [reason.role for reason in decision.ignored] == ["AcrPull"]
    # The common mistake: what pulls is the kubelet identity, and the control plane's has the role.
    hub = registries["contosohub"]
    assert cluster.control_plane
    assert cluster.control_plane.object_id != cluster.puller.object_id
    of_hub = records[hub.subscription_id]
    mistaken = permission(of_hub, cluster.control_plane.object_id, hub, Permission.PULL, groups=())
    needed = permission(of_hub, cluster.puller.object_id, hub, Permission.PULL, groups=())
    assert (mistaken.verdict, needed.verdict) == (Verdict.YES, Verdict.NO)


def test_a_group_of_nodes_is_defined_by_azure_only(
    session: AzureSession,
    records: Mapping[str, AccessRecords],
    registries: Mapping[str, Registry],
    clusters: Partial[Cluster],
) -> None:
    (cluster,) = (cluster for cluster in clusters.values if cluster.name == "aks-dev")
    registry, puller = registries["contosodev"], cluster.puller.object_id
    untold = permission(records[registry.subscription_id], puller, registry, Permission.PULL)
    assert untold.verdict is Verdict.UNKNOWN
    held = read_principal(session, registry, puller)
    told = permission(replace(held.records, denies=()), puller, registry, Permission.PULL, groups=held.groups)
    assert told.verdict is Verdict.YES
    assert told.granting[0].group == company.NODES


def test_the_clusters_of_the_estate(sandbox: Sandbox, session: AzureSession, clusters: Partial[Cluster]) -> None:
    assert [refusal.what for refusal in clusters.refused] == ["contoso-restricted"]
    found = {cluster.name: cluster for cluster in clusters.values}
    assert list(found) == ["aks-batch", "aks-dev", "aks-payments", "aks-platform", "aks-secure", "aks1"]
    models = {name: cluster.identity_model for name, cluster in found.items()}
    assert models["aks-batch"] is IdentityModel.SERVICE_PRINCIPAL
    assert models["aks-payments"] is IdentityModel.USER
    assert [name for name, model in models.items() if model is IdentityModel.SYSTEM] == [
        "aks-dev",
        "aks-platform",
        "aks-secure",
        "aks1",
    ]
    assert found["aks-batch"].puller.client_id == company.BATCH_APP
    sizes = [size for pool in found["aks-platform"].pools for size in pool.sizes]
    assert [size.architecture for size in sizes] == ["amd64", "arm64", "amd64"]
    assert [pool.os for pool in found["aks-platform"].pools] == ["Linux", "Linux", "Windows"]
    assert found["aks-secure"].network.private_cluster
    assert found["aks-secure"].network.outbound_type == "userDefinedRouting"
    assert found["aks-dev"].power == "Stopped"
    guide = found["aks1"]
    assert guide.control_plane
    assert guide.control_plane.object_id == "a7283972-89ef-4ce1-a630-3925cb926d3c"
    assert (guide.puller.client_id, guide.puller.object_id) == (
        "d55c1efa-7418-42a5-9dc4-34467aba4ca0",
        "7d2f894e-14ab-41d0-b83d-dda90d45c7d6",
    )
    for cluster in clusters.values:
        assert replace(get_cluster(session, cluster.id), subscription=cluster.subscription) == replace(
            cluster, tenant_id=cluster.tenant_id if cluster.control_plane and "aks-payments" not in cluster.id else ""
        )
        assert cluster.puller.known
        if cluster.puller.object_id:
            assert by_object_id(sandbox.store, cluster.puller.object_id)


def test_the_table_of_roles_is_what_azure_says_where_it_counts(records: Mapping[str, AccessRecords]) -> None:
    """Of each built-in role that both have: the same for every permission, in either mode."""
    read = next(iter(records.values())).roles
    both = read.keys() & BUILT_IN.keys()
    assert len(both) >= 15
    for guid in both:
        assert read[guid].name == BUILT_IN[guid].name
        for mode in Mode:
            for wanted in Permission:
                assert blocks_grant(read[guid].blocks, wanted, mode) == blocks_grant(
                    BUILT_IN[guid].blocks, wanted, mode
                ), (read[guid].name, wanted)
