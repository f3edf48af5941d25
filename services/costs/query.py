"""What registries have cost, by Cost Management's query: one call per subscription.

https://learn.microsoft.com/rest/api/cost-management/query/usage. Months, and days apart from them, since daily queries
are limited to 31 days. It allows two groupings and two sums.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from azure.core.rest import HttpRequest
from azure.mgmt.costmanagement import models

from services.arm.pages import entries_of, pages
from services.connection.errors import as_service_error
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.costs.rows import CostRow, CostSums, DayCost, registry_of

API_VERSION = "2025-03-01"
# https://learn.microsoft.com/azure/cost-management-billing/automate/get-small-usage-datasets-on-demand
MOST_DAYS = 31


def query_costs(session: AzureSession, subscription_id: str, first: date, last: date) -> Partial[CostRow]:
    """By registry, month and meter, from `first` to `last`: at most twelve months. Raises ServiceError.

    Rows that could not be understood are one Refusal.
    """
    sums = CostSums()
    with as_service_error("Could not query the costs"):
        _query(session, subscription_id, _definition(first, last, "Monthly"), sums)
        return Partial(sums.rows(), sums.refused("rows of the bill"))


def query_days(session: AzureSession, subscription_id: str, first: date, last: date) -> Partial[DayCost]:
    """By registry, day and meter, from `first` to `last`: at most `MOST_DAYS`. Otherwise as `query_costs`."""
    sums = CostSums(first)
    with as_service_error("Could not query the daily costs"):
        _query(session, subscription_id, _definition(first, last, "Daily"), sums)
        return Partial(sums.days(), sums.refused("rows of the daily bill"))


def _query(session: AzureSession, subscription_id: str, asked: models.QueryDefinition, sums: CostSums) -> None:
    url = f"/subscriptions/{subscription_id}/providers/Microsoft.CostManagement/query?api-version={API_VERSION}"
    server = session.endpoints.resource_manager
    request = HttpRequest("POST", server + url, json=asked.as_dict())
    for page in pages(session.costs(), request, server):
        _add_page(sums, page["properties"])


def _definition(first: date, last: date, granularity: str) -> models.QueryDefinition:
    def grouped(name: str) -> models.QueryGrouping:
        return models.QueryGrouping(type="Dimension", name=name)

    def summed(name: str) -> models.QueryAggregation:
        return models.QueryAggregation(name=name, function="Sum")

    return models.QueryDefinition(
        type="ActualCost",
        timeframe="Custom",
        time_period=models.QueryTimePeriod(
            from_property=datetime.combine(first, time.min, UTC),
            to=datetime.combine(last, time(23, 59, 59), UTC),
        ),
        dataset=models.QueryDataset(
            granularity=granularity,
            aggregation={"totalCost": summed("Cost"), "totalQuantity": summed("UsageQuantity")},
            grouping=[grouped("ResourceId"), grouped("Meter")],
            filter=models.QueryFilter(
                dimensions=models.QueryComparisonExpression(
                    name="ResourceType", operator="In", values_property=["microsoft.containerregistry/registries"]
                )
            ),
        ),
    )


def _add_page(sums: CostSums, properties: Mapping[str, Any]) -> None:
    """Adds the page's rows, by the names of its columns."""
    at = {column["name"].casefold(): number for number, column in enumerate(properties["columns"])}
    cost = at["cost"] if "cost" in at else at["pretaxcost"]
    month = at["billingmonth"] if "billingmonth" in at else at["usagedate"]
    quantity, registry, meter, currency = at.get("usagequantity"), at["resourceid"], at["meter"], at["currency"]

    def add(row: Sequence[Any]) -> None:
        registry_id = registry_of(row[registry]) if row[registry] is not None else ""
        if registry_id:
            units = Decimal(0) if quantity is None or row[quantity] is None else Decimal(row[quantity])
            sums.add(registry_id, _day(row[month]), row[meter], row[currency], units, Decimal(row[cost]))

    sums.add_each(entries_of(properties, "rows"), add)


def _day(value: object) -> str:
    """2026-08-01 of the number 20260801; 2026-08-01T00:00:00 as it is."""
    text = str(value)
    return text if "-" in text else f"{text[:4]}-{text[4:6]}-{text[6:8]}"
