"""What registries have cost, by Consumption's usage details: every row of a subscription, for offers without the query.

https://learn.microsoft.com/rest/api/consumption/usage-details/list. Microsoft retires it for all but pay-as-you-go.
Rows have two forms, told by `kind`, and a third without it in older versions. They are many, and the SDK's model of one
costs a dozen times its JSON: so pages are read as JSON and added up at once.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from azure.core.rest import HttpRequest

from services.cloud import AzureSession
from services.cost_rows import CostRow, CostSums, registry_of
from services.errors import explained

API_VERSION = "2024-08-01"
# At a thousand rows a page: more than a console should read to find its registries.
_PAGES_MOST = 500


def read_usage(session: AzureSession, subscription_id: str, first: date, last: date) -> tuple[CostRow, ...]:
    """By registry, month and meter, from `first` to `last`. Raises ServiceError."""
    query = {
        "api-version": API_VERSION,
        "$expand": "properties/meterDetails",
        "$filter": f"properties/usageStart ge '{first}' and properties/usageEnd le '{last}'",
        "metric": "actualcost",
    }
    path = f"/subscriptions/{subscription_id}/providers/Microsoft.Consumption/usageDetails"
    url = f"{session.endpoints.resource_manager}{path}?" + urlencode(query, quote_via=quote, safe="$/'")
    client = session.consumption(subscription_id)
    sums = CostSums()
    with explained("Could not read the usage details"):
        for _ in range(_PAGES_MOST):
            response = client.send_request(HttpRequest("GET", url))
            response.raise_for_status()
            if response.status_code == 204:
                return ()
            page = json.loads(response.content, parse_float=Decimal)
            add_usage(sums, page["value"])
            url = page.get("nextLink") or ""
            if not url:
                return sums.rows()
            if urlsplit(url)[:2] != urlsplit(session.endpoints.resource_manager)[:2]:
                raise ValueError("its next page is at another host")
        raise ValueError(f"it has more than {_PAGES_MOST} pages: the subscription has too many other resources")


def add_usage(sums: CostSums, rows: Iterable[Mapping[str, Any]]) -> None:
    """Adds the registries' rows of a page, numbers in Decimal; those of other resources are left out."""
    for row in rows:
        properties = row["properties"]
        # Modern rows hold the resource's id in instanceName; in the oldest it is a mere name, beside instanceId.
        resource = properties.get("resourceId") or properties.get("instanceId") or properties.get("instanceName") or ""
        registry_id = registry_of(resource) if "egistr" in resource else ""
        if not registry_id:
            continue
        if "costInBillingCurrency" in properties:
            cost, currency = properties["costInBillingCurrency"], properties["billingCurrencyCode"]
        elif "cost" in properties:
            cost, currency = properties["cost"], properties["billingCurrency"]
        else:
            cost, currency = properties["pretaxCost"], properties["currency"]
        details = properties.get("meterDetails") or {}
        meter = properties.get("meterName") or details.get("meterName") or _last_part(properties.get("product"))
        quantity = properties["quantity"] if "quantity" in properties else properties["usageQuantity"]
        day = properties.get("date") or properties["usageStart"]
        sums.add(registry_id, day, meter, currency, Decimal(quantity), Decimal(cost))


def _last_part(product: str | None) -> str:
    """The meter as a product's name ends: 'Container Registry - Basic Registry Unit'."""
    return (product or "").rpartition(" - ")[2] or "meter not named"
