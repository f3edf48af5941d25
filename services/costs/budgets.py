"""Budgets: the planned amount, and what is spent of it. https://learn.microsoft.com/rest/api/consumption/budgets"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from azure.mgmt.consumption import models

from services.arm.pages import items
from services.arm.subscriptions import Subscription
from services.connection.answers import read_entries
from services.connection.errors import as_service_error
from services.connection.parallel import Partial, flatten, parallel_map
from services.connection.resource_ids import parse_id
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession

_EVERYTHING = "everything"


@dataclass(frozen=True)
class Budget:
    """`grain` is how often it resets; `spent` and `forecast` are of its present period. `covers` describes what of
    the scope it counts."""

    id: str
    name: str
    subscription: str
    scope: str
    amount: Decimal
    currency: str
    grain: str
    spent: Decimal | None
    forecast: Decimal | None
    covers: str

    @property
    def used(self) -> Decimal | None:
        """The part of the amount that is spent: 1 is all of it."""
        return self.spent / self.amount if self.spent is not None and self.amount else None


def over_budget(budgets: Iterable[Budget]) -> list[Budget]:
    """Those of which more than the amount is spent, the most used first."""
    over = [one for one in budgets if one.used is not None and one.used > 1]
    return sorted(over, key=lambda one: (-(one.used or 0), one.name))


def read_budgets(session: AzureSession, subscriptions: Iterable[Subscription]) -> Partial[Budget]:
    """The budgets of each subscription and of its resource groups. Refused: also those whose offer has no budgets, and
    budgets that could not be understood."""

    def of(subscription: Subscription) -> Partial[Budget]:
        with as_service_error(f"Could not read the budgets of {subscription.name}"):
            client = session.consumption(subscription.id).budgets
            found = items(session, client.list, f"/subscriptions/{subscription.id}")
            return read_entries(
                f"budgets of {subscription.name}", found, lambda model: budget_from(model, subscription)
            )

    return flatten(parallel_map(of, list(subscriptions), name=lambda subscription: subscription.name))


def budget_from(model: models.Budget, subscription: Subscription) -> Budget:
    """The SDK's model as a Budget. Raises one of `MALFORMED` where it has no amount."""
    properties = model.properties
    if properties is None:
        raise ValueError("a budget has no properties")
    spent, forecast = properties.current_spend, properties.forecast_spend
    budget_id = "/" + (model.id or "").strip("/")
    return Budget(
        id=budget_id,
        name=model.name or "",
        subscription=subscription.name,
        scope=budget_id.partition("/providers/Microsoft.Consumption/")[0],
        amount=finite(properties.amount),
        currency=(spent.unit if spent else None) or (forecast.unit if forecast else None) or "",
        grain=sdk_text(properties.time_grain),
        spent=_amount(spent),
        forecast=_amount(forecast),
        covers=_covers(properties.filter),
    )


def _amount(spend: models.CurrentSpend | models.ForecastSpend | None) -> Decimal | None:
    return finite(spend.amount) if spend and spend.amount is not None else None


def finite(number: Decimal | float | None) -> Decimal:
    """A number of an answer as Decimal. Raises one of `MALFORMED` for what is none."""
    found = Decimal(str(number))
    if not found.is_finite():
        raise ValueError("an amount is no finite number")
    return found


def covered(budget: Budget) -> str:
    """'subscription casacloud', 'resource group platform-rg of casacloud: tag team is payments': the scope by its name,
    as it is where it is neither, and what of it the budget counts."""
    place = parse_id(budget.scope)
    where = budget.scope
    if place.subscription:
        where = f"subscription {budget.subscription}"
    if place.group:
        where = f"resource group {place.group} of {budget.subscription}"
    return where if budget.covers == _EVERYTHING else f"{where}: {budget.covers}"


def _named(value: str) -> str:
    """A resource id by its name; any other value as it is."""
    place = parse_id(value)
    return place.child or place.name or place.group or value


def _covers(limits: models.BudgetFilter | None) -> str:
    """'everything', or 'ResourceType is microsoft.containerregistry/registries and tag team is payments'."""
    if not limits:
        return _EVERYTHING
    parts = [*(limits.and_property or ()), limits]
    named = [
        f"{prefix}{found.name} is {' or '.join(map(_named, found.values_property or ()))}"
        for part in parts
        for prefix, found in (("", part.dimensions), ("tag ", part.tags))
        if found
    ]
    return " and ".join(named) or _EVERYTHING
