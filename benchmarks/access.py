"""What it takes to work out who may pull where, once role assignments have been read."""

from collections import defaultdict

from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.access.decisions import Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignment_reading import SubscriptionAccess
from services.access.role_assignments import AccessRecords, RoleAssignment
from services.access.role_definitions import ACR_PULL, BUILT_IN, REGISTRY, REPOSITORY_READER
from services.aks.clusters import Cluster, ClusterNetwork, IdentityModel, ManagedIdentity
from services.arm.subscriptions import Subscription
from services.connection.parallel import Partial
from services.pull_checks.matrix import Pulls, pull_matrix
from services.registries.registry import Access, Mode, Network, Registry

SUBSCRIPTIONS, PRINCIPALS, REGISTRIES, ASSIGNMENTS = 20, 200, 100, 5_000
ROUNDS = 5
# Every tenth assignment is a group's, so that each pair has some of which it can't be told whether they count.
GROUP_EACH = 10
ROLES = (ACR_PULL, REPOSITORY_READER, *BUILT_IN)
CONDITION = (
    f"((!(ActionMatches{{'{REGISTRY}repositories/content/read'}}) AND "
    f"!(ActionMatches{{'{REGISTRY}repositories/metadata/read'}})) OR "
    f"(@Request[{REGISTRY}repositories:name] StringStartsWithIgnoreCase 'TEAM/'))"
)


def measure() -> list[Row]:
    registries = [bench_registry(number) for number in range(REGISTRIES)]
    assignments = _assignments(registries)
    principals = [_principal(number) for number in range(PRINCIPALS)]

    clusters = [bench_cluster(principal) for principal in principals]

    def whole_matrix() -> None:
        access = tuple(
            SubscriptionAccess(Subscription(name, name, "", ""), AccessRecords(tuple(held)))
            for name, held in assignments.items()
        )
        pairs = pull_matrix(Pulls(Partial(tuple(clusters)), access=Partial(access)), registries)
        assert len(pairs) == PRINCIPALS * REGISTRIES and all(pair.reason for pair in pairs)

    def matrix() -> None:
        # As they come from reading: nothing is worked out yet.
        records = {subscription: AccessRecords(tuple(held)) for subscription, held in assignments.items()}
        verdicts: defaultdict[Verdict, int] = defaultdict(int)
        for registry in registries:
            of_its = records[registry.subscription_id]
            for principal in principals:
                verdicts[permission(of_its, principal, registry, Permission.PULL).verdict] += 1
        assert sum(verdicts.values()) == PRINCIPALS * REGISTRIES
        assert verdicts[Verdict.YES] and verdicts[Verdict.SOME] and verdicts[Verdict.UNKNOWN]

    def looked_through() -> None:
        # The least that answers for a pair without an index: a look at each assignment of the registry's subscription.
        found = 0
        for registry in registries:
            of_its = assignments[registry.subscription_id]
            for principal in principals:
                found += sum(1 for assignment in of_its if assignment.principal_id == principal)
        assert found

    return [
        at_most(
            f"{name}, {ASSIGNMENTS:,} role assignments at hand: time, × a plain loop over pairs and assignments",
            median_ratio(by_turns(lambda work=work: seconds(work), lambda: seconds(looked_through), ROUNDS)),
            bar,
        )
        for name, work, bar in (
            (f"Who may pull, {PRINCIPALS} principals × {REGISTRIES} registries", matrix, 6),
            (f"Matrix of {PRINCIPALS} clusters × {REGISTRIES} registries", whole_matrix, 12),
        )
    ]


def bench_registry(number: int) -> Registry:
    subscription, group = f"subscription-{number % SUBSCRIPTIONS}", f"group-{number}"
    resource_id = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{REGISTRY}bench{number}"
    return Registry(
        id=resource_id,
        name=f"bench{number}",
        login_server=f"bench{number}.azurecr.io",
        subscription_id=subscription,
        subscription=subscription,
        resource_group=group,
        location="westeurope",
        sku="Premium",
        provisioning_state="Succeeded",
        created=None,
        network=Network(True, "Allow", (), True, (), ()),
        access=Access(Mode.ABAC if number % 3 == 0 else Mode.LEGACY, False, False, True, None, False),
    )


def bench_cluster(principal: str) -> Cluster:
    return Cluster(
        id=f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/{principal}",
        name=principal,
        resource_group="rg",
        subscription_id="s",
        subscription="s",
        tenant_id="",
        location="westeurope",
        provisioning_state="Succeeded",
        power="Running",
        identity_model=IdentityModel.SYSTEM,
        control_plane=ManagedIdentity(f"control-plane-of-{principal}"),
        kubelet=ManagedIdentity(principal),
        service_principal_id="",
        pools=(),
        network=ClusterNetwork("loadBalancer", (), False, ""),
        run_command=True,
        managed_entra=False,
        artifact_source="",
        bootstrap_registry_id="",
        node_provisioning=False,
        virtual_nodes=False,
    )


def _principal(number: int) -> str:
    return f"aaaaaaaa-0000-0000-0000-{number:012}"


def _assignments(registries: list[Registry]) -> dict[str, list[RoleAssignment]]:
    """By subscription: at the root, at subscriptions, groups and registries, in turn."""
    found: defaultdict[str, list[RoleAssignment]] = defaultdict(list)
    for number in range(ASSIGNMENTS):
        registry = registries[number % REGISTRIES]
        subscription = f"/subscriptions/{registry.subscription_id}"
        group = f"{subscription}/resourceGroups/{registry.resource_group}"
        scope = ("/", subscription, group, registry.id, registry.id)[number // REGISTRIES % 5]
        of_group = number % GROUP_EACH == 0
        role = ROLES[number // 7 % len(ROLES)]
        assignment = RoleAssignment(
            id=str(number),
            name=str(number),
            scope=scope,
            role=role,
            principal_id=f"group-{number}" if of_group else _principal(number * 13 % PRINCIPALS),
            principal_type="Group" if of_group else "ServicePrincipal",
            condition=CONDITION.replace("TEAM", f"team-{number % 50}") if role == REPOSITORY_READER else "",
        )
        found[registry.subscription_id].append(assignment)
    return found
