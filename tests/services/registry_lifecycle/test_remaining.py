"""What the deletion of a registry leaves in Azure, and what of it could not be read."""

from dataclasses import replace

from services.access.role_assignments import RoleAssignment
from services.pull_checks.matrix import Answer, Pair
from services.pull_checks.private_link import NetworkPath
from services.pull_checks.summary import PullSummary
from services.registries.registry import PrivateEndpoint
from services.registry_lifecycle.remaining import remaining_after
from tests.support.pull_samples import a_cluster
from tests.support.shell_lines import registry as a_registry

REGISTRY = a_registry()


def assignment(scope: str) -> RoleAssignment:
    return RoleAssignment(scope + "/one", "one", scope, "role", "principal", "User")


def names(kind: str, *args: object) -> list[str]:
    return [one.name for one in remaining_after(*args) if one.kind == kind]  # type: ignore[arg-type]


def test_the_group_and_private_endpoints_stay() -> None:
    endpoint = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe-acr"
    network = replace(REGISTRY.network, private_endpoints=(PrivateEndpoint(endpoint, "Approved"),))
    registry = replace(REGISTRY, network=network)
    assert names("Resource group", registry, PullSummary(), ()) == [registry.resource_group]
    assert names("Private endpoint", registry, PullSummary(), ()) == ["pe-acr"]
    assert names("Private endpoint", REGISTRY, PullSummary(), ()) == []


def test_assignments_above_the_registry_stay_and_its_own_do_not() -> None:
    group = REGISTRY.id.partition("/providers/")[0]
    above = [
        assignment(group.upper()),
        assignment(group.partition("/resourceGroups/")[0]),
        assignment("/providers/Microsoft.Management/managementGroups/root"),
        assignment("/"),
    ]
    own = [assignment(REGISTRY.id), assignment(f"{REGISTRY.id}/scopeMaps/a")]
    elsewhere = [assignment(f"{group}x"), assignment(f"{REGISTRY.id}b")]
    found = names("Role assignments", REGISTRY, PullSummary(), [*above, *own, *elsewhere])
    assert found == ["4 inherited assignments"]
    assert names("Role assignments", REGISTRY, PullSummary(), [*own, *elsewhere]) == []


def test_what_was_not_read_is_unknown() -> None:
    assert names("Role assignments", REGISTRY, PullSummary(), None) == ["Unknown"]
    assert names("Other AKS clusters", REGISTRY, None, ()) == ["Unknown"]
    partly = PullSummary((), (), ("clusters of contoso could not be read",), lists_unread=True)
    assert names("Other AKS clusters", REGISTRY, partly, ()) == ["Unknown"]
    assert names("Other AKS clusters", REGISTRY, PullSummary(), ()) == []


def test_clusters_and_the_key_stay() -> None:
    pair = Pair(a_cluster(name="aks1"), REGISTRY, Answer.CAN, "It may.", NetworkPath(True, "Open."))
    assert names("AKS cluster", REGISTRY, PullSummary((pair,)), ()) == ["aks1"]
    encrypted = replace(REGISTRY, access=replace(REGISTRY.access, customer_key=True))
    assert names("Encryption key", encrypted, PullSummary(), ()) == ["In its key vault"]
