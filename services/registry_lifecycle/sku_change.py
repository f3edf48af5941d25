"""Another SKU for a registry: planned, checked again, changed, read back.

No downtime. A smaller one is refused while replicas or connected registries are there, or more is stored than it holds:
https://learn.microsoft.com/azure/container-registry/container-registry-skus#change-registry-sku
"""

from collections.abc import Callable
from dataclasses import dataclass

from azure.core.exceptions import AzureError
from azure.mgmt.containerregistry import models

from services.connection.changes import Outcome, changed, refused
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession
from services.pricing.estimates import Estimate, estimate
from services.pricing.prices import Prices
from services.pricing.sku_choice import lacks, needs_of
from services.registries.reading import get_registry
from services.registries.registry import Registry
from services.registries.skus import Sku, sku_of

PREMIUM_ONLY_UNREAD = (
    "Whether there are connected registries could not be told: Azure refuses the change while there are any."
)


@dataclass(frozen=True)
class SkuPlan:
    """`blockers` are in the way, and nothing is sent while there are any; `warnings` may be. Estimates are a month's,
    None where there are no prices."""

    registry: Registry
    target: Sku
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    before: Estimate | None
    after: Estimate | None


def count_connected(session: AzureSession, registry: Registry) -> int | None:
    """How many connected registries a registry has: only Premium has any. None where it could not be told."""
    if sku_of(registry.sku) is not Sku.PREMIUM:
        return 0
    client = session.registries(registry.subscription_id)
    try:
        return len(list(client.connected_registries.list(registry.resource_group, registry.name)))
    except AzureError:
        return None


def plan_sku_change(
    registry: Registry, target: Sku, connected: int | None, prices: Prices | None, days: int
) -> SkuPlan:
    """What would happen. `connected` counts connected registries; None: not known."""
    found, now = needs_of(registry, connected), sku_of(registry.sku)
    blockers: list[str] = []
    warnings: list[str] = []
    if now is target:
        blockers.append(f"It is {target} already.")
    if registry.unsettled:
        blockers.append(f"{registry.unsettled}.")
    if found.needs is None:
        blockers.append(f"What it uses could not be read: {', '.join(found.unread)}.")
    else:
        blockers += lacks(target, found.needs)
    if connected is None and target is not Sku.PREMIUM:
        warnings.append(PREMIUM_ONLY_UNREAD)
    if now is None:
        warnings.append(
            f"{registry.sku} keeps its images in a storage account: the move copies them, and takes a while."
        )
    use = found.needs.use if found.needs else None
    before = estimate(now, use, prices, days) if now and use and prices else None
    after = estimate(target, use, prices, days) if use and prices else None
    return SkuPlan(registry, target, tuple(blockers), tuple(warnings), before, after)


def apply_sku_change(
    session: AzureSession, plan: SkuPlan, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Changes the SKU as planned. CHANGED: the registry has it, as read back. NOT_CONFIRMED: Azure took the change, and
    the registry does not show it (yet), or could not be read.

    Raises ServiceError where nothing was changed: refused by the plan, by Azure, or since the registry has changed.
    """
    title = f"Could not change the SKU of {plan.registry.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("looking again")
    now = get_registry(session, plan.registry.id)
    if now.sku != plan.registry.sku:
        raise changed(title, f"It is {now.sku} now, no longer {plan.registry.sku}.")
    again = plan_sku_change(now, plan.target, count_connected(session, now), None, 30)
    if again.blockers:
        raise changed(title, f"What was not in the way before is now: {' '.join(again.blockers)}")
    client = session.registries(now.subscription_id).registries
    update = models.RegistryUpdateParameters(sku=models.Sku(name=plan.target.value))
    failure: ServiceError | None = None
    report("changing")
    try:
        with as_service_error(title):
            client.begin_update(now.resource_group, now.name, update).result()
    except ServiceError as error:
        failure = error
    report("reading back")
    try:
        found = get_registry(session, now.id)
    except ServiceError:
        if failure:
            raise failure from None
        return Outcome.NOT_CONFIRMED
    if sku_of(found.sku) is plan.target:
        return Outcome.CHANGED  # Where it failed, too: an answer was lost.
    if failure:
        raise failure
    return Outcome.NOT_CONFIRMED
