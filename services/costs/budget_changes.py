"""A budget planned, created or replaced, and read back.

https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update

A budget warns by mail and stops nothing. One that exists is replaced only with the eTag that was shown, so never
unseen.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from azure.mgmt.consumption import models

from services.arm.subscriptions import Subscription
from services.commands.costs import create_budget, put_budget
from services.connection.changes import Outcome, changed, refused, write
from services.connection.errors import ServiceError, as_service_error, if_there, says_not_found
from services.connection.resource_ids import parse_id
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.costs.budgets import Budget, budget_from, covered
from services.pricing.money import money
from services.registries.registry import REGISTRY_KIND

GRAINS = ("Monthly", "Quarterly", "Annually")
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_MAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")
MOST_MAILS = 50
YEARS = 2


@dataclass(frozen=True)
class BudgetSpec:
    """What is wanted. `scope`: the id of a subscription or a resource group; `only_registries`: other resources do not
    count; `mails` hear of `threshold` per cent spent, and of a forecast above all of it. `end` None: `YEARS` after the
    start."""

    scope: str
    name: str
    amount: Decimal
    grain: str
    start: date
    only_registries: bool
    mails: tuple[str, ...] = ()
    threshold: int = 80
    end: date | None = None


@dataclass(frozen=True)
class BudgetPlan:
    """`before`: the budget of that name that is there, replaced with its `e_tag`."""

    spec: BudgetSpec
    before: Budget | None
    e_tag: str
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def first_day(today: date) -> date:
    """The first of this month: where a budget's time has to begin."""
    return today.replace(day=1)


def plan_budget(spec: BudgetSpec, before: Budget | None, e_tag: str = "") -> BudgetPlan:
    """What the change would do. `before` and `e_tag`: of the budget that has the name already."""
    blockers = []
    if not _NAME.fullmatch(spec.name):
        blockers.append("A budget's name has 1 to 63 letters, digits, hyphens and underscores.")
    if not spec.amount > 0:
        blockers.append("The amount has to be more than 0.")
    if odd := [mail for mail in spec.mails if not _MAIL.fullmatch(mail)]:
        blockers.append(f"Not an e-mail address: {', '.join(odd)}.")
    if len(spec.mails) > MOST_MAILS:
        blockers.append(f"A budget tells at most {MOST_MAILS} addresses.")
    warnings = []
    if before:
        was = f"{money(before.amount, before.currency).strip()} {before.grain.lower()}"
        warnings.append(
            f"{before.name} exists: {was} of {covered(before)}. It is replaced, with its filter and its alerts."
        )
    if not spec.mails:
        warnings.append("Nobody is told: without an address the budget only shows in Azure and here.")
    return BudgetPlan(spec, before, e_tag, tuple(blockers), tuple(warnings), (_command(spec, e_tag),))


def _command(spec: BudgetSpec, e_tag: str) -> str:
    place = parse_id(spec.scope)
    if not (spec.only_registries or spec.mails or e_tag):
        return create_budget(
            place.subscription, spec.name, spec.amount, spec.grain.lower(), spec.start, _end(spec), group=place.group
        )
    # `az consumption budget create` has no filter on a type of resources, no alerts and no eTag.
    return put_budget(spec.scope, spec.name, body_of(spec, e_tag))


def _end(spec: BudgetSpec) -> date:
    return spec.end or date(spec.start.year + YEARS, spec.start.month, 1)


def body_of(spec: BudgetSpec, e_tag: str = "") -> Mapping[str, Any]:
    """The budget as it is sent."""
    properties: dict[str, Any] = {
        "category": "Cost",
        "amount": float(spec.amount),
        "timeGrain": spec.grain,
        "timePeriod": {"startDate": f"{spec.start}T00:00:00Z", "endDate": f"{_end(spec)}T00:00:00Z"},
    }
    if spec.only_registries:
        properties["filter"] = {
            "dimensions": {"name": "ResourceType", "operator": "In", "values": [REGISTRY_KIND]},
        }
    if spec.mails:
        told = {"enabled": True, "operator": "GreaterThan", "contactEmails": list(spec.mails)}
        properties["notifications"] = {
            f"Actual_GreaterThan_{spec.threshold}_Percent": {
                **told,
                "threshold": spec.threshold,
                "thresholdType": "Actual",
            },
            "Forecasted_GreaterThan_100_Percent": {**told, "threshold": 100, "thresholdType": "Forecasted"},
        }
    return {**({"eTag": e_tag} if e_tag else {}), "properties": properties}


def says_no_budget(error: ServiceError) -> bool:
    """Whether Azure itself says that there is no such budget: Consumption's code for that is the bare status."""
    return says_not_found(error) or (error.status == 404 and error.code == "404" and "budget" in error.cause.casefold())


def read_budget_plan(session: AzureSession, spec: BudgetSpec, subscription: Subscription) -> BudgetPlan:
    """The plan, with the budget that is there under this name: its start stays, as Azure takes no other, and so does a
    later end. Raises ServiceError."""
    if not _NAME.fullmatch(spec.name):
        return plan_budget(spec, None)
    found = if_there(lambda: _read(session, spec), says_no_budget)
    if found is None:
        return plan_budget(spec, None)
    with as_service_error(f"Could not read the budget {spec.name}"):
        return plan_budget(_in_its_time(spec, found), budget_from(found, subscription), found.e_tag or "")


def _in_its_time(spec: BudgetSpec, found: models.Budget) -> BudgetSpec:
    period = found.properties.time_period if found.properties else None
    start, end = (period and period.start_date), (period and period.end_date)
    ends = [_end(spec), *([end.date()] if isinstance(end, datetime) else [])]
    return replace(spec, start=start.date() if isinstance(start, datetime) else spec.start, end=max(ends))


def _read(session: AzureSession, spec: BudgetSpec) -> models.Budget:
    client = session.consumption(parse_id(spec.scope).subscription).budgets
    with as_service_error(f"Could not read the budget {spec.name}"):
        return client.get(spec.scope, spec.name)


def apply_budget(
    session: AzureSession,
    plan: BudgetPlan,
    subscription: Subscription,
    report: Callable[[str], None] = lambda _state: None,
) -> Outcome:
    """Creates or replaces the budget as planned, and reads it back: CREATED, CHANGED, or NOT_CONFIRMED where it does
    not show. Raises ServiceError where nothing was changed: refused by the plan or by Azure, or since it changed."""
    spec = plan.spec
    title = f"Could not {'replace' if plan.before else 'create'} the budget {spec.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    again = read_budget_plan(session, spec, subscription)
    if again.e_tag != plan.e_tag or (again.before is None) != (plan.before is None):
        raise changed(title, "A budget of this name was created, changed or deleted since it was shown.")
    report("writing")
    client = session.consumption(parse_id(spec.scope).subscription).budgets

    def send() -> None:
        with as_service_error(title):
            client.create_or_update(spec.scope, spec.name, models.Budget(dict(body_of(spec, plan.e_tag))))

    found = write(title, send, lambda: _read(session, spec), lambda now: _is(now, plan), says_no_budget)
    if not found:
        return Outcome.NOT_CONFIRMED
    return Outcome.CHANGED if plan.before else Outcome.CREATED


def _is(now: models.Budget, plan: BudgetPlan) -> bool:
    """Whether it is as planned, and another version than the one that was replaced."""
    properties, spec = now.properties, plan.spec
    if properties is None or properties.amount is None or (plan.e_tag and now.e_tag == plan.e_tag):
        return False
    wanted = models.Budget(dict(body_of(spec))).properties
    dimensions = properties.filter.dimensions if properties.filter else None
    filtered = [value.casefold() for value in (dimensions.values_property or ())] if dimensions else []
    return (
        Decimal(str(properties.amount)) == Decimal(str(float(spec.amount)))
        and str(getattr(properties.time_grain, "value", properties.time_grain)) == spec.grain
        and _told(properties) == _told(wanted)
        and _days(properties) == _days(wanted)
        and filtered == ([REGISTRY_KIND] if spec.only_registries else [])
    )


def _told(properties: models.BudgetProperties | None) -> set[tuple[bool, str, Decimal, str, frozenset[str]]]:
    """Who is told, and when."""
    return {
        (
            bool(one.enabled),
            sdk_text(one.operator),
            Decimal(str(one.threshold)),
            sdk_text(one.threshold_type),
            frozenset(mail.casefold() for mail in one.contact_emails or ()),
        )
        for one in ((properties and properties.notifications) or {}).values()
    }


def _days(properties: models.BudgetProperties | None) -> tuple[date | None, ...]:
    period = properties and properties.time_period
    ends = (period.start_date, period.end_date) if period else ()
    return tuple(one.date() if one else None for one in ends)
