"""Bills by day: from usage details as they were read, from Cost Management by a query for each span."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.billing.rows import costs as billed_rows
from sandbox.server import Sandbox
from services.arm.subscriptions import Subscription, list_subscriptions
from services.connection.session import AzureSession
from services.costs.bills import CostSource, SubscriptionCosts, read_costs
from services.costs.daily import days_from, read_days
from services.costs.query import query_days
from services.costs.rows import CostRow, CostSums, DayCost
from tests.support.canned import ARM, Answer, Canned

TODAY = date(2026, 11, 29)
SUB = Subscription("s1", "contoso", "t1", "Enabled")
ID = "/subscriptions/s1/resourcegroups/rg/providers/microsoft.containerregistry/registries/contosoci"
QUERY = f"{ARM}/subscriptions/s1/providers/Microsoft.CostManagement/query"
COLUMNS = ("Cost", "UsageQuantity", "UsageDate", "ResourceId", "Meter", "Currency")
UNIT = "Premium Registry Unit"
MONTH = CostRow(ID, date(2026, 11, 1), UNIT, Decimal(28), Decimal(42), "EUR")


def answered(*rows: list[object]) -> Answer:
    columns = [{"name": name, "type": "String"} for name in COLUMNS]
    return Answer(200, {"properties": {"columns": columns, "rows": list(rows), "nextLink": None}})


def test_days_are_asked_for_in_spans_that_a_query_takes(azure: AzureSession, wire: Canned) -> None:
    newest = [1.5, 1.0, 20261127, ID, UNIT, "EUR"]
    wire.on("POST", QUERY, answered(newest), answered(), answered([1.25, 1, 20260830, ID, UNIT, "EUR"]))
    (found,) = read_days(azure, [SubscriptionCosts(SUB, CostSource.QUERY, (MONTH,))], TODAY).values
    assert [(row.day, row.cost, row.sku) for row in found.rows] == [
        (date(2026, 11, 27), Decimal("1.5"), "Premium"),
        (date(2026, 8, 30), Decimal("1.25"), "Premium"),
    ]
    bodies = [json.loads(sent.body) for sent in wire.sent]
    assert [body["dataset"]["granularity"] for body in bodies] == ["Daily"] * 3
    spans = [(body["timePeriod"]["from"][:10], body["timePeriod"]["to"][:10]) for body in bodies]
    assert spans == [("2026-10-30", "2026-11-29"), ("2026-09-29", "2026-10-29"), ("2026-08-29", "2026-09-28")]
    assert found.covers(days_from(TODAY))
    assert not found.covers(days_from(TODAY) - timedelta(1))


def test_a_span_that_is_refused_is_unknown_and_the_others_are_there(azure: AzureSession, wire: Canned) -> None:
    wire.on("POST", QUERY, answered(), Answer(403, {"error": {"code": "x", "message": "no"}}), answered())
    (found,) = read_days(azure, [SubscriptionCosts(SUB, CostSource.QUERY, ())], TODAY).values
    assert not found.covers(date(2026, 10, 1))
    assert found.covers(date(2026, 11, 1))
    assert found.covers(date(2026, 9, 1))
    assert [one.what for one in found.unread] == ["contoso, 29 September to 29 October"]


def test_usage_details_that_were_read_are_not_read_again(azure: AzureSession, wire: Canned) -> None:
    day = DayCost(ID, date(2026, 11, 5), UNIT, Decimal(1), Decimal("1.5"), "EUR")
    (found,) = read_days(azure, [SubscriptionCosts(SUB, CostSource.USAGE, (MONTH,), days=(day,))], TODAY).values
    assert (found.rows, found.read, wire.sent) == ((day,), ((days_from(TODAY), TODAY),), [])


@pytest.mark.parametrize(
    ("bill", "reason"),
    [
        (SubscriptionCosts(SUB, CostSource.ESTIMATE, (), "No bill."), "No bill."),
        (SubscriptionCosts(SUB, CostSource.USAGE, (MONTH,)), "Its usage details name no days."),
    ],
)
def test_without_days_nothing_is_known_and_the_reason_is_said(
    azure: AzureSession, bill: SubscriptionCosts, reason: str
) -> None:
    (found,) = read_days(azure, [bill], TODAY).values
    assert (found.read, found.reason) == ((), reason)


def test_sums_keep_days_from_the_one_that_was_asked_for() -> None:
    sums = CostSums(date(2026, 11, 2))
    for day in ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-02T09:00:00Z", "2026-11"):
        sums.add(ID, day, UNIT, "EUR", 1, Decimal("0.5"))
    assert [(row.day.day, row.cost) for row in sums.days()] == [(2, Decimal("1.0"))]
    assert [row.cost for row in sums.rows()] == [Decimal("2.0")]
    with pytest.raises(ValueError, match="day"):
        sums.add(ID, "2026-11-99", UNIT, "EUR", 1, 1)


def test_both_sources_have_the_days_that_were_billed(session: AzureSession, sandbox: Sandbox) -> None:
    today = datetime.now(UTC).date()
    subscriptions = list_subscriptions(session).values
    bills = read_costs(session, subscriptions, today.replace(day=1), today, days_from=days_from(today))
    found = read_days(session, bills.values, today)
    assert {CostSource.QUERY, CostSource.USAGE} <= {one.source for one in found.values}
    for one in found.values:
        first = days_from(today) if one.source is CostSource.QUERY else today.replace(day=1)
        wanted: dict[tuple[str, date], Decimal] = {}
        for row in billed_rows(sandbox.store, f"/subscriptions/{one.subscription.id}", first, today):
            if "containerregistry" in row.kind and one.read:
                key = (row.resource.casefold(), row.day)
                wanted[key] = wanted.get(key, Decimal(0)) + row.cost
        read: dict[tuple[str, date], Decimal] = {}
        for day in one.rows:
            read[day.registry_id, day.day] = read.get((day.registry_id, day.day), Decimal(0)) + day.cost
        assert {key: round(cost, 6) for key, cost in read.items()} == {k: round(c, 6) for k, c in wanted.items()}


def test_a_query_of_more_days_than_azure_takes_is_refused(session: AzureSession) -> None:
    (first, *_) = [one for one in list_subscriptions(session).values if one.name == "contoso-platform"]
    with pytest.raises(Exception, match="32 days"):
        query_days(session, first.id, TODAY - timedelta(31), TODAY)
