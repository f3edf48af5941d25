"""What is left in Azure after a registry is deleted: what others own or pay for, and what still names it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.access.role_assignments import RoleAssignment
from services.connection.resource_ids import parse_id
from services.pull_checks.summary import PullSummary
from services.registries.registry import Registry
from services.wording import counted


@dataclass(frozen=True)
class Remaining:
    """One thing that stays. `note` is a sentence: what it means, or what to do about it."""

    kind: str
    name: str
    note: str


def remaining_after(
    registry: Registry, pulls: PullSummary | None, assignments: Iterable[RoleAssignment] | None
) -> tuple[Remaining, ...]:
    """What stays of a registry that is deleted. `pulls` of the registry, `assignments` of its subscription; None where
    they were not read, which is said.

    https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration: records of an endpoint stay as long
    as the endpoint does.
    """
    return (
        Remaining("Resource group", registry.resource_group, "With all else that is in it."),
        *(
            Remaining("Private endpoint", parse_id(one.endpoint_id).name or one.endpoint_id, _ENDPOINT)
            for one in registry.network.private_endpoints
        ),
        *_above(registry, assignments),
        *_clusters(pulls),
        *(
            (Remaining("Encryption key", "In its key vault", "The key, the vault and the identity that reads it."),)
            if registry.access.customer_key
            else ()
        ),
    )


_ENDPOINT = "Billed until it is deleted. Its records in private DNS zones stay as long, and lead to nothing."


def _above(registry: Registry, assignments: Iterable[RoleAssignment] | None) -> Iterable[Remaining]:
    if assignments is None:
        yield Remaining("Role assignments", "Unknown", "Those above the registry could not be read.")
        return
    below = f"{registry.id.casefold()}/"
    # A management group holds the subscription: its assignments are listed with the subscription's.
    above = [
        one
        for one in assignments
        if "/managementgroups/" in f"{one.scope.casefold()}/"
        or (below.startswith(f"{one.scope.casefold().rstrip('/')}/") and one.scope.casefold() != registry.id.casefold())
    ]
    if above:
        note = "At the resource group, the subscription or above: they hold for what else is there."
        yield Remaining("Role assignments", counted(len(above), "inherited assignment"), note)


def _clusters(pulls: PullSummary | None) -> Iterable[Remaining]:
    if pulls is None or pulls.missing:
        missing = "; ".join(pulls.missing) if pulls else "they could not be read"
        yield Remaining("Other AKS clusters", "Unknown", f"Not all that can pull from it are known: {missing}.")
    for pair in pulls.can if pulls else ():
        yield Remaining(
            "AKS cluster", pair.cluster.name, "Its pods still name images of the registry: new nodes can't pull them."
        )
