"""List prices from the Retail Prices API, which needs no sign-in.

https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices. Meters are found by `meterName`
(and stored data by `skuName` too): `armSkuName` is empty for registries, and a `meterId` is the same in many regions.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from azure.core.rest import HttpRequest

from services.arm.pages import entries_of, pages
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession
from services.pricing.prices import Prices, PriceSource, Tier
from services.registries.skus import Sku, sku_of

SERVICE = "Container Registry"
# The API's currencies; prices in others than USD are "for reference".
CURRENCIES = (
    *("USD", "AUD", "BRL", "CAD", "CHF", "CNY", "DKK", "EUR"),
    *("GBP", "INR", "JPY", "KRW", "NOK", "NZD", "SEK", "TWD"),
)
_API_VERSION = "2023-01-01-preview"
_PAGES_MOST = 50
# The API refuses filters of more than twenty comparisons, and URLs of more than 2,048 characters.
_REGIONS_A_REQUEST = 12
_TITLE = "Could not read the list prices"

Row = Mapping[str, Any]


def read_price_rows(session: AzureSession, currency: str, regions: Collection[str]) -> list[Row]:
    """The rows of all registry meters in `regions`, as the API gives them, numbers in Decimal: one request for a dozen
    regions. Raises ServiceError."""
    if not session.endpoints.retail_prices:
        raise ServiceError(
            _TITLE,
            f"{session.endpoints.name} has no Retail Prices API that this console knows.",
            "Upload a price sheet of your own.",
            "NoPrices",
        )
    wanted = sorted(set(regions))
    parts = [wanted[at : at + _REGIONS_A_REQUEST] for at in range(0, len(wanted), _REGIONS_A_REQUEST)]
    return [row for part in parts for row in _rows(session, currency, part)]


def _rows(session: AzureSession, currency: str, regions: Collection[str]) -> list[Row]:
    server, client = session.endpoints.retail_prices, session.retail_prices()
    query = {"api-version": _API_VERSION, "currencyCode": f"'{currency}'", "$filter": _filter(regions)}
    request = HttpRequest("GET", f"{server}/api/retail/prices?" + urlencode(query, quote_via=quote, safe="$'()"))
    with as_service_error(_TITLE):
        found = pages(client, request, server, _PAGES_MOST)
        return [row for page in found for row in entries_of(page, "Items") if _is_in(row, currency)]


def _is_in(row: Any, currency: str) -> bool:
    return isinstance(row, dict) and row.get("currencyCode") == currency


def _filter(regions: Collection[str]) -> str:
    """Values are case-sensitive, since this version of the API."""
    # Names of regions come from Azure, but a quote in one must not end the value.
    named = " or ".join("armRegionName eq '" + region.replace("'", "''") + "'" for region in regions)
    return f"serviceName eq '{SERVICE}' and priceType eq 'Consumption' and ({named})"


def prices_of(rows: Iterable[Row], currency: str, at: datetime) -> Mapping[str, Prices]:
    """The prices in force at `at`, by region: the API also gives those that begin later, or have ended.

    A meter in an unknown unit is left out, rather than mispriced. Raises ServiceError if a row lacks a required field.
    """
    by_region: defaultdict[str, list[Row]] = defaultdict(list)
    with as_service_error(_TITLE):
        for row in rows:
            ours = row["serviceName"] == SERVICE and row["type"] == "Consumption"
            if ours and row.get("isPrimaryMeterRegion", True) and _in_force(row, at):
                by_region[row["armRegionName"]].append(row)
        return {region: _region_prices(region, found, currency, at) for region, found in by_region.items()}


def _in_force(row: Row, at: datetime) -> bool:
    """Whether the row's price has begun and not ended. A row without an end has none."""
    end = row.get("effectiveEndDate")
    return _start(row) <= at and (not end or at < _time(end))


def _start(row: Row) -> datetime:
    """When the row's price begins; the first of all times where it names none."""
    start = row.get("effectiveStartDate")
    return _time(start) if start else datetime.min.replace(tzinfo=UTC)


def _time(text: str) -> datetime:
    """A time of the API, in UTC where it names no zone."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _region_prices(region: str, rows: list[Row], currency: str, at: datetime) -> Prices:
    def price(meter: str, unit: str, sku: Sku | None = None) -> Decimal | None:
        tiers = _tiers(rows, meter, unit, sku)
        return tiers[0].price if tiers else None

    def by_sku(found: Iterator[tuple[Sku, Decimal | None]]) -> dict[Sku, Decimal]:
        return {sku: known for sku, known in found if known is not None}

    return Prices(
        region=region,
        currency=currency,
        registry_day=by_sku((sku, price(f"{sku} Registry Unit", "/Day")) for sku in Sku),
        stored_gib=by_sku((sku, price("Data Stored", "GB/Month", sku)) for sku in Sku),
        replica_day=price("Premium Registry Replication Unit", "/Day"),
        replica_gib=price("Premium GB Registry Replication Data Stored", "GB/Month"),
        task_second=_tiers(rows, "Task vCPU Duration", "Second"),
        connected_day=price("Premium Connected registry", "/Day"),
        source=PriceSource.API,
        at=at,
    )


def _tiers(rows: list[Row], meter: str, unit: str, sku: Sku | None = None) -> tuple[Tier, ...]:
    """The tiers of a meter for one unit, the lowest first; of two prices in force for a tier, the later one."""
    found: dict[Decimal, tuple[datetime, Decimal]] = {}
    for row in rows:
        units = re.fullmatch(r"(\d+) ?(.+)", row["unitOfMeasure"])
        if row["meterName"] != meter or (sku and sku_of(row["skuName"]) is not sku):
            continue
        if not units or units[2] != unit or not int(units[1]):
            continue
        above, since, price = Decimal(row["tierMinimumUnits"]), _start(row), Decimal(row["retailPrice"])
        if not (price.is_finite() and price >= 0):
            raise ValueError(f"{meter} costs {price}")
        if above not in found or since > found[above][0]:
            found[above] = since, price / int(units[1])
    return tuple(Tier(above, price) for above, (_, price) in sorted(found.items()))
