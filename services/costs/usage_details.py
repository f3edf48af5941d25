"""What registries have cost, by Consumption's usage details: for offers that Cost Management's query refuses.

https://learn.microsoft.com/rest/api/consumption/usage-details/list. Microsoft retires it for all but pay-as-you-go.
Rows have two forms, by `kind`, and a third without it in older versions. They are many, and the SDK's model of one
costs a dozen times its JSON: so pages are read as JSON and added up as they come.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from azure.core.rest import HttpRequest

from services.arm.pages import entries_of, pages
from services.connection.errors import as_service_error
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.costs.rows import CostRow, CostSums

API_VERSION = "2024-08-01"
ROWS = "rows of the usage details"


def read_usage(session: AzureSession, subscription_id: str, first: date, last: date) -> Partial[CostRow]:
    """By registry, month and meter, from `first` to `last`. Rows that could not be understood are one Refusal. Raises
    ServiceError."""
    sums = sum_usage(session, subscription_id, first, last)
    return Partial(sums.rows(), sums.refused(ROWS))


def sum_usage(
    session: AzureSession, subscription_id: str, first: date, last: date, days_from: date | None = None
) -> CostSums:
    """What `read_usage` returns, as sums; from `days_from` on also by day. Raises ServiceError."""
    query = {
        "api-version": API_VERSION,
        "$expand": "properties/meterDetails",
        "$filter": f"properties/usageStart ge '{first}' and properties/usageEnd le '{last}'",
        "metric": "actualcost",
    }
    path = f"/subscriptions/{subscription_id}/providers/Microsoft.Consumption/usageDetails?"
    server = session.endpoints.resource_manager
    request = HttpRequest("GET", server + path + urlencode(query, quote_via=quote, safe="$/'"))
    sums = CostSums(days_from)
    with as_service_error("Could not read the usage details"):
        for page in pages(session.consumption(subscription_id), request, server):
            add_usage(sums, entries_of(page))
        return sums


def add_usage(sums: CostSums, rows: Iterable[Mapping[str, Any]]) -> None:
    """Adds the registries' rows of a page, numbers in Decimal; those of other resources, or of none, are left out."""

    def add(row: Mapping[str, Any]) -> None:
        properties = row["properties"] or {}
        # Modern rows hold the resource's id in instanceName; in the oldest that is only a name, beside instanceId.
        resource = properties.get("resourceId") or properties.get("instanceId") or properties.get("instanceName") or ""
        if "registries" not in resource.casefold():
            return
        if "costInBillingCurrency" in properties:
            cost, currency = properties["costInBillingCurrency"], properties["billingCurrencyCode"]
        elif "cost" in properties:
            cost, currency = properties["cost"], properties["billingCurrency"]
        else:
            cost, currency = properties["pretaxCost"], properties["currency"]
        meter = properties.get("meterName")
        if not meter:
            meter = (properties.get("meterDetails") or {}).get("meterName") or _last_part(properties.get("product"))
        quantity = properties["quantity"] if "quantity" in properties else properties["usageQuantity"]
        sums.add(resource, properties.get("date") or properties["usageStart"], meter, currency, quantity, cost)

    sums.add_each(rows, add)


def _last_part(product: str | None) -> str:
    """The meter as a product's name ends: 'Container Registry - Basic Registry Unit'."""
    return (product or "").rpartition(" - ")[2] or "meter not named"
