"""A cost review: usage rows into the monthly table, requests for twenty subscriptions, and charts for 500 registries.

Azure is stood in for below the SDK's transport: what is measured is the console's own, from the bytes on.
"""

import json
import time
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from benchmarks.canned_azure import canned_session
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.arm.subscriptions import Subscription, list_subscriptions
from services.connection.endpoints import CLOUDS
from services.connection.parallel import Partial
from services.costs.bills import CostSource, SubscriptionCosts, read_costs
from services.costs.budgets import read_budgets
from services.costs.by_meter import months_by_meter
from services.costs.charts import months_chart, spending_chart
from services.costs.review import review_month, total_by
from services.costs.rows import CostRow
from services.costs.usage_details import read_usage
from services.pricing.price_snapshot import snapshot
from services.pricing.sku_choice import Needs, choose_sku, review_sku
from services.registries.registry import Access, Mode, Network, Registry, Replication, Usage
from services.registries.skus import Sku
from ui.costs.charts import months_figure
from ui.elements.bar_chart import bars_figure
from ui.pricing.sku_charts import Point, parts_chart, regions_figure, sizes_figure

ROWS, PAGE, REGISTRIES = 200_000, 1000, 100
ROUNDS = 5
SUBSCRIPTIONS = 20
FIRST, LAST = date(2026, 3, 1), date(2026, 8, 31)
METERS = ("Premium Registry Unit", "Premium Registry Replication Unit", "Data Stored", "Task vCPU Duration")
REGISTRY_TYPE = "Microsoft.ContainerRegistry/registries"
ARM = CLOUDS["public"].resource_manager

_REPLICA = Replication("westus", "westus", False, "Succeeded", "Ready", None, True)


def measure() -> list[Row]:
    return [_table(), _requests(), _charts()]


def _table() -> Row:
    rows = _usage_rows()
    pages = [_page(rows[start : start + PAGE], start + PAGE) for start in range(0, ROWS, PAGE)]
    every_cost = sum(row["properties"]["costInBillingCurrency"] for row in rows)
    del rows  # Or the garbage collector goes through them for whoever is measured.
    session = canned_session(lambda url, _: pages[int(url.partition("$skiptoken=")[2] or 0) // PAGE])

    def table() -> None:
        found = read_usage(session, "contoso", FIRST, LAST).values
        assert len(found) == REGISTRIES * len(METERS) * 6
        assert abs(float(sum(row.cost for row in found)) - every_cost) < 0.01

    def parsed() -> None:
        assert sum(len(json.loads(page)["value"]) for page in pages) == ROWS

    pairs = by_turns(lambda: seconds(table, time.process_time), lambda: seconds(parsed, time.process_time), ROUNDS)
    return at_most(
        f"{ROWS:,} usage rows (paged) into the monthly table: processor time, × json.loads of the same bytes",
        median_ratio(pairs),
        3,
    )


def _charts() -> Row:
    """Five hundred registries of all sizes: the SKU that each should be, and the charts of both views."""
    prices = {"eastus": snapshot("eastus")}
    registries = [_registry(number) for number in range(500)]
    rows = tuple(_cost_row(registry, meter) for registry in registries for meter in METERS)
    bills = [SubscriptionCosts(Subscription("contoso", "contoso", "", ""), CostSource.QUERY, rows)]

    def work() -> None:
        reviews = [review_sku(registry, prices, 30) for registry in registries]
        assert sum(1 for one in reviews if one.saving) > 100
        estimates = {one.registry.id: one.present for one in reviews if one.present}
        review = review_month(LAST.replace(day=1), LAST, bills, Partial(tuple(registries)), estimates)
        assert len(review.lines) == len(registries)
        points = [
            Point(one.registry.name, Sku(one.registry.sku), one.found.needs.stored_gib, one.present.total)
            for one in reviews
            if one.found.needs and one.present
        ]
        choice = choose_sku(Needs(), prices["eastus"], 30)
        bars_figure(parts_chart(choice), "light")
        sizes_figure(prices["eastus"], 30, points, "light")
        regions_figure(Decimal(100), prices["eastus"], 30, "light")
        months_figure(months_chart(months_by_meter(rows)["USD"], review.months, "USD"), "light")
        spending = spending_chart(
            total_by(review.lines, {line.registry_id: line.name for line in review.lines}), review
        )
        assert spending
        bars_figure(spending, "light")

    known = json.dumps([asdict(registry) for registry in registries] + [asdict(row) for row in rows], default=str)
    return at_most(
        "Recommendation and charts for 500 registries, data at hand: time, × json.loads of the same",
        median_ratio(by_turns(lambda: seconds(work), lambda: seconds(lambda: json.loads(known)), ROUNDS)),
        40,
    )


def _registry(number: int) -> Registry:
    sku = tuple(Sku)[number % 3]
    return Registry(
        id=f"/subscriptions/contoso/resourceGroups/rg/providers/{REGISTRY_TYPE}/contosoacr{number:03}",
        name=f"contosoacr{number:03}",
        login_server=f"contosoacr{number:03}.azurecr.io",
        subscription_id="contoso",
        subscription="contoso",
        resource_group="rg",
        location="eastus",
        sku=sku.value,
        provisioning_state="Succeeded",
        created=datetime(2025, 1, 1, tzinfo=UTC),
        network=Network(True, "Allow", (), True, (), ()),
        access=Access(Mode.LEGACY, False, False, True, None, False),
        usages=(Usage("Size", number * 2**32, 10 * 2**30, "Bytes"),),
        replicas=(_REPLICA,) if sku is Sku.PREMIUM and number % 2 else (),
    )


def _cost_row(registry: Registry, meter: str) -> CostRow:
    return CostRow(registry.id.lower(), LAST.replace(day=1), meter, Decimal(30), Decimal("12.34"), "USD")


def _page(rows: list[dict[str, Any]], following: int) -> bytes:
    link = f"{ARM}/subscriptions/contoso/providers/Microsoft.Consumption/usageDetails?$skiptoken={following}"
    return json.dumps({"value": rows, **({"nextLink": link} if following < ROWS else {})}).encode()


def _usage_rows() -> list[dict[str, Any]]:
    """Every one a registry's, which is the most work: others are only looked at."""
    days = (LAST - FIRST).days + 1
    return [
        _usage_row(number % REGISTRIES, METERS[number // REGISTRIES % len(METERS)], number % days, number)
        for number in range(ROWS)
    ]


def _usage_row(registry: int, meter: str, day: int, number: int) -> dict[str, Any]:
    group = f"/subscriptions/contoso/resourceGroups/contoso-rg-{registry % 7}"
    properties = {
        "billingAccountId": "00000000-0000-0000-0000-000000000000:00000000-0000-0000-0000-000000000000_2019-05-31",
        "billingAccountName": "Contoso",
        "billingPeriodStartDate": "2026-08-01T00:00:00.0000000Z",
        "billingPeriodEndDate": "2026-08-31T00:00:00.0000000Z",
        "subscriptionGuid": "00000000-0000-0000-0000-000000000000",
        "subscriptionName": "contoso",
        "date": f"{FIRST + timedelta(days=day)}T00:00:00.0000000Z",
        "meterId": "00000000-0000-0000-0000-000000000000",
        "meterName": meter,
        "meterCategory": "Container Registry",
        "unitOfMeasure": "1/Day",
        "quantity": 1.0,
        "unitPrice": 1.6666,
        "billingCurrencyCode": "EUR",
        "resourceLocation": "EUWest",
        "consumedService": "Microsoft.ContainerRegistry",
        "instanceName": f"{group}/providers/Microsoft.ContainerRegistry/registries/contosoacr{registry:03}",
        "resourceGroup": f"contoso-rg-{registry % 7}",
        "chargeType": "Usage",
        "additionalInfo": None,
        "costInBillingCurrency": 1.6 + number % 1000 / 1_000_000,
        "costInPricingCurrency": 1.6666,
        "costInUSD": 1.6666,
        "paygCostInUSD": 1.6666,
        "exchangeRate": "0.92",
        "product": f"Container Registry - {meter}",
        "publisherType": "Microsoft",
        "frequency": "UsageBased",
    }
    return {
        "id": f"/providers/Microsoft.Consumption/usageDetails/{number}",
        "name": str(number),
        "type": "Microsoft.Consumption/usageDetails",
        "kind": "modern",
        "tags": {"team": f"team-{registry % 9}", "stage": "prod"},
        "properties": properties,
    }


def _requests() -> Row:
    """What a review asks at first: the costs and the budgets of every subscription that the identity sees."""
    sent: list[str] = []

    def answer(url: str, method: str) -> bytes:
        sent.append(f"{method} {url}")
        kind = urlsplit(url).path.rpartition("/")[2]
        return json.dumps(_ANSWERS[kind]).encode()

    session = canned_session(answer)
    subscriptions = list_subscriptions(session).values
    assert len(subscriptions) == SUBSCRIPTIONS
    sent.clear()
    costs = read_costs(session, subscriptions, FIRST, LAST)
    budgets = read_budgets(session, subscriptions)
    assert costs.complete and budgets.complete
    assert all(one.source is CostSource.QUERY and one.rows for one in costs.values)
    return at_most(
        f"Requests for a cost review over {SUBSCRIPTIONS} subscriptions, cold: a subscription",
        len(sent) / SUBSCRIPTIONS,
        2,
    )


_COLUMNS = ("Cost", "UsageQuantity", "BillingMonth", "ResourceId", "Meter", "Currency")
_ID = "/subscriptions/s/resourcegroups/contoso-rg/providers/microsoft.containerregistry/registries/contosoacr"
_ANSWERS: dict[str, Any] = {
    "subscriptions": {
        "value": [
            {"subscriptionId": str(number), "displayName": f"contoso-{number}"} for number in range(SUBSCRIPTIONS)
        ]
    },
    "query": {
        "properties": {
            "nextLink": None,
            "columns": [{"name": name} for name in _COLUMNS],
            "rows": [[51.6646, 31, "2026-08-01T00:00:00", _ID, METERS[0], "EUR"]],
        }
    },
    "budgets": {"value": []},
}
