"""Changing a registry's SKU: planned, checked again, changed, read back.

There is no downtime. Azure refuses a smaller SKU while the registry has replicas or connected registries, or stores
more than that SKU's limit:
https://learn.microsoft.com/azure/container-registry/container-registry-skus#change-registry-sku
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from azure.mgmt.containerregistry import models

from services.arm.pages import items
from services.commands import settings as az_settings
from services.connection.changes import Outcome, changed, refused, write
from services.connection.errors import ServiceError, as_service_error, says_not_found
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import record_item, report_states
from services.pricing.estimates import Estimate, estimate
from services.pricing.prices import Prices
from services.pricing.sku_choice import lacks, needs_of
from services.registries.reading import get_registry
from services.registries.registry import Registry
from services.registries.settling import settled_registry
from services.registries.skus import Sku, sku_of

PREMIUM_ONLY_UNREAD = (
    "Whether it has connected registries could not be read: Azure refuses the change while it has any."
)


@dataclass(frozen=True)
class SkuPlan:
    """Nothing is sent while there are `blockers`. `before` and `after` are estimates for a month, None where there are
    no prices."""

    registry: Registry
    target: Sku
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]
    before: Estimate | None
    after: Estimate | None


def count_connected(session: AzureSession, registry: Registry) -> int | None:
    """The number of connected registries, 0 below Premium. None where it could not be read."""
    if sku_of(registry.sku) is not Sku.PREMIUM:
        return 0
    client = session.registries(registry.subscription_id)
    try:
        with as_service_error(f"Could not list the connected registries of {registry.name}"):
            listed = items(session, client.connected_registries.list, registry.resource_group, registry.name)
            return sum(1 for _ in listed)
    except ServiceError:
        return None


def plan_sku_change(
    registry: Registry, target: Sku, connected: int | None, prices: Prices | None, days: int
) -> SkuPlan:
    """What would happen. `connected`: the number of connected registries, None where it is unknown."""
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
            f"{registry.sku} keeps its images in a storage account: the change copies them, which can take long."
        )
    use = found.needs.use if found.needs else None
    before = estimate(now, use, prices, days) if now and use and prices else None
    after = estimate(target, use, prices, days) if use and prices else None
    line = az_settings.update_registry(registry.name, "--sku", target.value)
    return SkuPlan(registry, target, tuple(blockers), tuple(warnings), (line,), before, after)


def read_sku_plan(
    session: AzureSession, registry_id: str, target: Sku, prices: Prices | None = None, days: int = 30
) -> SkuPlan:
    """Reads the registry and what depends on its SKU, and plans. Raises ServiceError."""
    registry = get_registry(session, registry_id)
    return plan_sku_change(registry, target, count_connected(session, registry), prices, days)


def apply_sku_change(
    session: AzureSession,
    plan: SkuPlan,
    report: Callable[[str], None] = lambda _state: None,
    stop: Event | None = None,
) -> Outcome:
    """Changes the SKU as planned. CHANGED: the registry has it, as read back. NOT_CONFIRMED: Azure accepted the
    change, and the registry does not show it yet or could not be read. NOT_TRIED: `stop` was set before.

    Raises ServiceError where nothing was changed: refused by the plan or by Azure, or the registry has changed since.
    """
    title = f"Could not change the SKU of {plan.registry.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    again = read_sku_plan(session, plan.registry.id, plan.target)
    now = again.registry
    if now.sku != plan.registry.sku:
        raise changed(title, f"It is {now.sku} now, no longer {plan.registry.sku}.")
    if again.blockers:
        raise changed(title, f"Blocked since it was planned: {' '.join(again.blockers)}")
    if stop and stop.is_set():
        return Outcome.NOT_TRIED
    report("changing")
    client = session.registries(now.subscription_id).registries
    update = models.RegistryUpdateParameters(sku=models.Sku(name=plan.target.value))

    def read_back() -> Registry:
        report("verifying")
        return get_registry(session, now.id)

    found = write(
        title,
        lambda: client.begin_update(now.resource_group, now.name, update).result(),
        read_back,
        lambda registry: sku_of(registry.sku) is plan.target,
        says_not_found,
    )
    return Outcome.CHANGED if found else Outcome.NOT_CONFIRMED


def sku_items(plan: SkuPlan) -> tuple[JobItem, ...]:
    """The one item of the job of a plan."""
    return (JobItem(f"{plan.registry.name} to {plan.target}", ""),)


def run_sku_change(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    """Changes the SKU as the job has planned; one that another process began once Azure has ended what that sent.

    Raises ServiceError as `apply_sku_change`, recorded for the item.
    """
    plan = plan_of(SkuPlan, job)
    say = report_states(report, plan.registry.name)

    def change() -> Outcome:
        if job.attempt > 1:
            now = settled_registry(session, plan.registry.id, say, running.stop)
            if now and sku_of(now.sku) is plan.target:
                return Outcome.ALREADY_DONE
        return apply_sku_change(session, plan, say, running.stop)

    for item in job.open:
        record_item(running, item.name, change)
    return Answer("")
