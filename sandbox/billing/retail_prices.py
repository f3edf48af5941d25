"""The Retail Prices API: what registries cost, to anybody who asks.

https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices. US dollars as seen there in
October 2026, but for what is made up: connected registries, rates other than GBP's and AUD's, and one dear region.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.documents.locations import LOCATIONS
from sandbox.state import State

Item = dict[str, Any]
PAGE = 100
COMPARISONS_MOST = 20
RATES = {
    "USD": Decimal(1),
    "GBP": Decimal("0.7576"),
    "AUD": Decimal("1.449"),
    "EUR": Decimal("0.9"),
}
DEAR_REGION, DEARER_BY = "brazilsouth", Decimal("1.25")
SERVICE = "Container Registry"

# Meter, SKU, unit, units from which on it costs this, US dollars.
METERS = (
    ("Basic Registry Unit", "Basic", "1/Day", 0, "0.1666"),
    ("Standard Registry Unit", "Standard", "1/Day", 0, "0.6666"),
    ("Premium Registry Unit", "Premium", "1/Day", 0, "1.6666"),
    ("Data Stored", "Basic", "1 GB/Month", 0, "0.1"),
    ("Data Stored", "Standard", "1 GB/Month", 0, "0.1"),
    ("Data Stored", "Premium", "1 GB/Month", 0, "0.1"),
    ("Premium Registry Replication Unit", "Premium", "1/Day", 0, "1.6666"),
    ("Premium GB Registry Replication Data Stored", "Premium", "1 GB/Month", 0, "0.1"),
    ("Premium Connected registry", "Premium", "1/Day", 0, "1"),
    ("Task vCPU Duration", "Task vCPU Duration", "1 Second", 0, "0"),
    ("Task vCPU Duration", "Task vCPU Duration", "1 Second", 6000, "0.0001"),
)


def price(meter: str, currency: str, region: str, sku: str = "") -> Decimal:
    """What one unit costs, where it costs something."""
    dollars = next(
        Decimal(amount)
        for name, of, _, _, amount in METERS
        if name == meter and sku in ("", of) and (Decimal(amount) or name != "Task vCPU Duration")
    )
    return dollars * RATES[currency] * (DEARER_BY if region == DEAR_REGION else 1)


def price_routes(state: State) -> list[Route]:
    async def prices(request: Request) -> Response:
        return list_prices(state.authority_url, dict(request.query_params))

    return [Route("/api/retail/prices", prices)]


def list_prices(server: str, query: Mapping[str, str]) -> Response:
    """A page of what the filter lets through. NextPageLink is null on the last one."""
    currency = query.get("currencyCode", "USD").strip("'")
    skip = query.get("$skip", "0")
    if currency not in RATES or not skip.isdigit():
        return _refused(f"The currency code {currency!r} or $skip {skip!r} is invalid.")
    # https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices: from this version on,
    # values are case-sensitive.
    exact = query.get("api-version", "") >= "2023-01-01-preview"
    try:
        wanted = _parse(query.get("$filter", ""), exact=exact)
    except ValueError as error:
        return _refused(str(error))
    found = [item for item in _items(currency) if wanted(item)]
    if query.get("meterRegion", "").strip("'") == "primary":
        found = [item for item in found if item["isPrimaryMeterRegion"]]
    start = int(skip)
    shown = found[start : start + PAGE]
    following = None
    if start + PAGE < len(found):
        following = f"{server}/api/retail/prices?" + urlencode(
            {**query, "$skip": str(start + PAGE)}, quote_via=quote, safe="$"
        )
    return JSONResponse(
        {
            "BillingCurrency": currency,
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": shown,
            "NextPageLink": following,
            "Count": len(shown),
        }
    )


def _refused(message: str) -> Response:
    return JSONResponse({"Error": {"Code": "BadRequest", "Message": message}}, 400)


def _items(currency: str) -> Iterator[Item]:
    for region in LOCATIONS:
        for meter, sku, unit, above, _ in METERS:
            free = meter == "Task vCPU Duration" and not above
            amount = Decimal(0) if free else price(meter, currency, region, sku)
            yield _item(currency, region, meter, sku, unit, above, amount)
        # What a client that forgets a filter would take for a registry's price.
        yield _item(currency, region, "Basic Registry Unit", "Basic", "1/Day", 0, Decimal(99)) | {
            "serviceName": "Container Instances"
        }
        yield _item(currency, region, "Basic Registry Unit", "Basic", "1/Day", 0, Decimal(50)) | {
            "type": "Reservation",
            "reservationTerm": "1 Year",
        }
        yield _item(currency, region, "Basic Registry Unit", "Basic", "1/Day", 0, Decimal(77)) | {
            "isPrimaryMeterRegion": False
        }


def _item(currency: str, region: str, meter: str, sku: str, unit: str, above: int, amount: Decimal) -> Item:
    return {
        "currencyCode": currency,
        "tierMinimumUnits": float(above),
        "retailPrice": float(amount),
        "unitPrice": float(amount),
        "armRegionName": region,
        "location": LOCATIONS[region].display_name,
        "effectiveStartDate": "2021-09-01T00:00:00Z",
        "meterId": f"sandbox-{meter}".replace(" ", "-").lower(),
        "meterName": meter,
        "productId": "DZH318Z0BPH7",
        "skuId": f"DZH318Z0BPH7/{sku}",
        "productName": SERVICE,
        "skuName": sku,
        "serviceName": SERVICE,
        "serviceId": "DZH315F9L8DM",
        "serviceFamily": "Containers",
        "unitOfMeasure": unit,
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "",
    }


_TOKEN = re.compile(r"\s*(\(|\)|'(?:[^']|'')*'|\w+)")
_FIELDS = {"priceType": "type"} | {
    name: name
    for name in ("serviceName", "armRegionName", "meterName", "skuName", "armSkuName", "productName", "serviceFamily")
}

Wanted = Callable[[Item], bool]


def _parse(text: str, *, exact: bool) -> Wanted:
    """`field eq 'value'` with and, or, and parentheses. Raises ValueError for anything else."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
        raise ValueError(f"The filter {text!r} is not understood.")

    def take() -> str:
        if not tokens:
            raise ValueError(f"The filter {text!r} ends too early.")
        return str(tokens.pop(0))

    def any_of() -> Wanted:
        terms = [all_of()]
        while tokens and tokens[0] == "or":
            take()
            terms.append(all_of())
        return lambda item: any(term(item) for term in terms)

    def all_of() -> Wanted:
        terms = [term()]
        while tokens and tokens[0] == "and":
            take()
            terms.append(term())
        return lambda item: all(one(item) for one in terms)

    def term() -> Wanted:
        first = take()
        if first == "(":
            within = any_of()
            if take() != ")":
                raise ValueError(f"A parenthesis of {text!r} is not closed.")
            return within
        operator, value = take(), take()
        if first not in _FIELDS or operator != "eq" or not value.startswith("'"):
            raise ValueError(f"{first} {operator} {value} is not understood.")
        field, wanted = _FIELDS[first], value[1:-1].replace("''", "'")
        if exact:
            return lambda item: bool(item[field] == wanted)
        return lambda item: bool(item[field].casefold() == wanted.casefold())

    # As public reports have it of the real API.
    if tokens.count("eq") > COMPARISONS_MOST:
        raise ValueError(f"The filter has more than {COMPARISONS_MOST} comparisons.")
    if not tokens:
        return lambda _item: True
    parsed = any_of()
    if tokens:
        raise ValueError(f"{tokens[0]} of {text!r} is not understood.")
    return parsed
