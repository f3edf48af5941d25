"""What registries have cost, by Cost Management's query: one call a subscription.

https://learn.microsoft.com/rest/api/cost-management/query/usage. Monthly, since by the day it takes 31 days at most;
two groupings and two sums are what it allows.
"""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest
from azure.mgmt.costmanagement import models

from services.cloud import AzureSession
from services.cost_rows import CostRow, CostSums, registry_of
from services.errors import explained

_PAGES_MOST = 100


def query_costs(session: AzureSession, subscription_id: str, first: date, last: date) -> tuple[CostRow, ...]:
    """By registry, month and meter, from `first` to `last`: at most twelve months. Raises ServiceError."""
    asked = _definition(first, last)
    client = session.costs()
    sums = CostSums()
    with explained("Could not query the costs"):
        # The SDK's model holds floats: the answer itself is read, with Decimal. It is None where there is nothing.
        page: Any = client.query.usage(
            f"/subscriptions/{subscription_id}", asked, cls=lambda raw, _model, _headers: raw.http_response
        )
        for _ in range(_PAGES_MOST):
            following = _add_page(sums, page) if page.status_code == 200 else None
            if not following:
                return sums.rows()
            if urlsplit(following)[:2] != urlsplit(session.endpoints.resource_manager)[:2]:
                raise ValueError("its next page is at another host")
            # The SDK knows no second page: the same question goes to the address that the first one named.
            page = client.send_request(HttpRequest("POST", following, json=asked.as_dict()))
            page.raise_for_status()
        raise ValueError(f"it has more than {_PAGES_MOST} pages")


def _definition(first: date, last: date) -> models.QueryDefinition:
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
            granularity="Monthly",
            aggregation={"totalCost": summed("Cost"), "totalQuantity": summed("UsageQuantity")},
            grouping=[grouped("ResourceId"), grouped("Meter")],
            filter=models.QueryFilter(
                dimensions=models.QueryComparisonExpression(
                    name="ResourceType", operator="In", values_property=["microsoft.containerregistry/registries"]
                )
            ),
        ),
    )


def _add_page(sums: CostSums, page: Any) -> str | None:
    """Adds the page's rows, by the names of its columns; what names the next page, or None."""
    properties = json.loads(page.text(), parse_float=Decimal)["properties"]
    at = {column["name"].casefold(): number for number, column in enumerate(properties["columns"])}
    cost = at["cost"] if "cost" in at else at["pretaxcost"]
    month = at["billingmonth"] if "billingmonth" in at else at["usagedate"]
    quantity, registry, meter, currency = at.get("usagequantity"), at["resourceid"], at["meter"], at["currency"]
    for row in properties["rows"]:
        registry_id = registry_of(row[registry])
        if registry_id:
            units = Decimal(0) if quantity is None else Decimal(row[quantity])
            sums.add(registry_id, _month(row[month]), row[meter], row[currency], units, Decimal(row[cost]))
    following = properties.get("nextLink")
    return str(following) if following else None


def _month(value: object) -> str:
    """Of 2026-08-01T00:00:00, and of the number 20260801."""
    text = str(value)
    return text if "-" in text else f"{text[:4]}-{text[4:6]}"
