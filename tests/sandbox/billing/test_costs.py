"""What was billed, by Cost Management's query and by Consumption's rows; budgets; and who may ask."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from azure.mgmt.consumption import ConsumptionManagementClient
from azure.mgmt.costmanagement import CostManagementClient

from sandbox.billing.costs import PAGE, RESOLD
from sandbox.billing.rows import costs
from sandbox.seeds.places import APPS, HUB, IMAGES, PLATFORM, RESTRICTED
from sandbox.server import Sandbox
from tests.support.azure_clients import SUBSCRIPTION, Arm, client

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REGISTRIES = {
    "dimensions": {"name": "ResourceType", "operator": "In", "values": ["microsoft.containerregistry/registries"]}
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Sandbox.start(tmp_path_factory.mktemp("estate"), clock=lambda: NOW) as sandbox:
        yield sandbox


def body(first, last, *grouping, granularity="Monthly", where=REGISTRIES):
    return {
        "type": "ActualCost",
        "timeframe": "Custom",
        "timePeriod": {"from": f"{first}T00:00:00Z", "to": f"{last}T23:59:59Z"},
        "dataset": {
            "granularity": granularity,
            "aggregation": {
                "totalCost": {"name": "Cost", "function": "Sum"},
                "totalQuantity": {"name": "UsageQuantity", "function": "Sum"},
            },
            "grouping": [{"type": "Dimension", "name": name} for name in grouping],
            **({"filter": where} if where else {}),
        },
    }


def query(arm, scope, *args, **kwargs):
    return arm("POST", f"{scope}/providers/Microsoft.CostManagement/query", body(*args, **kwargs))


def usage(arm, scope, text="", **more):
    """All pages of usage details."""
    filters = {"dollar_filter": text} if text else {}
    answer = arm("GET", f"{scope}/providers/Microsoft.Consumption/usageDetails", **filters, **more)
    found = []
    while True:
        assert answer.status_code == 200, answer.text
        found += answer.json()["value"]
        following = answer.json().get("nextLink")
        if not following:
            return found
        answer = arm("GET", following)


def dates(first, last):
    return f"properties/usageStart ge '{first}' and properties/usageEnd le '{last}'"


def test_a_month_by_registry_and_meter(arm):
    answer = query(arm, f"/subscriptions/{PLATFORM}", "2026-10-01", "2026-10-31", "ResourceId", "Meter")
    properties = answer.json()["properties"]
    assert [column["name"] for column in properties["columns"]] == [
        "Cost",
        "UsageQuantity",
        "BillingMonth",
        "ResourceId",
        "Meter",
        "Currency",
    ]
    rows = {(row[3], row[4]): row for row in properties["rows"]}
    unit = rows[HUB.id.lower(), "Premium Registry Unit"]
    assert unit[0] == pytest.approx(31 * 1.6666 * 0.9)
    assert (unit[1], unit[2], unit[5]) == (31, "2026-10-01T00:00:00", "EUR")
    assert rows[HUB.id.lower(), "Premium Registry Replication Unit"][1] == 3 * 31
    assert properties["nextLink"] is None
    assert not any("virtualmachines" in resource for resource, _ in rows)


def test_the_sdk_reads_it_as_it_is(running):
    costs_client = client(CostManagementClient, running.ready)
    found = costs_client.query.usage(f"/subscriptions/{PLATFORM}", body("2026-10-01", "2026-10-31", "ResourceId"))
    assert found.columns[-1].name == "Currency"
    assert len(found.rows) == 4


def test_days_are_numbers_and_at_most_31(arm):
    scope = f"/subscriptions/{PLATFORM}"
    rows = query(arm, scope, "2026-10-01", "2026-10-31", granularity="Daily").json()["properties"]["rows"]
    assert [row[2] for row in rows] == [20261001 + day for day in range(31)]
    assert query(arm, scope, "2026-10-01", "2026-11-01", granularity="Daily").status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"timeframe": "MonthToDate"},
        {"type": "Forecast"},
        {"timePeriod": {"from": "2025-01-01", "to": "2026-10-31"}},
        {"timePeriod": {"from": "yesterday", "to": "2026-10-31"}},
    ],
)
def test_what_the_api_does_not_take_is_refused(arm, change):
    given = {**body("2026-10-01", "2026-10-31"), **change}
    path = f"/subscriptions/{PLATFORM}/providers/Microsoft.CostManagement/query"
    assert arm("POST", path, given).status_code == 400


def test_three_groupings_and_an_unknown_filter_are_refused(arm):
    scope = f"/subscriptions/{PLATFORM}"
    three = query(arm, scope, "2026-10-01", "2026-10-31", "ResourceId", "Meter", "ResourceGroupName")
    assert three.status_code == 400
    tags = {"tags": {"name": "team", "operator": "In", "values": ["platform"]}}
    assert query(arm, scope, "2026-10-01", "2026-10-31", where=tags).status_code == 400


def test_both_apis_come_to_the_same(arm):
    """The modern rows of a customer agreement, day by day, against the query's months."""
    sums = defaultdict(Decimal)
    rows = usage(arm, f"/subscriptions/{PLATFORM}", dates("2026-05-01", "2026-11-30"))
    assert len(rows) > PAGE
    assert {row["kind"] for row in rows} == {"modern"}
    for row in rows:
        key = (row["properties"]["date"][:7], row["properties"]["instanceName"].lower(), row["properties"]["meterName"])
        sums[key] += Decimal(repr(row["properties"]["costInBillingCurrency"]))
    answer = query(arm, f"/subscriptions/{PLATFORM}", "2026-05-01", "2026-11-30", "ResourceId", "Meter", where=None)
    found = {(row[2][:7], row[3], row[4]): row[0] for row in answer.json()["properties"]["rows"]}
    assert found.keys() == sums.keys()
    for key, amount in found.items():
        assert amount == pytest.approx(float(sums[key]))


def test_long_answers_of_a_query_come_in_pages(arm, running, monkeypatch):
    monkeypatch.setattr("sandbox.billing.costs.PAGE", 7)
    first = query(arm, f"/subscriptions/{PLATFORM}", "2026-10-01", "2026-11-30", "ResourceId", "Meter")
    assert len(first.json()["properties"]["rows"]) == 7
    following = first.json()["properties"]["nextLink"]
    second = arm("POST", following, body("2026-10-01", "2026-11-30", "ResourceId", "Meter"))
    assert second.json()["properties"]["rows"][0] not in first.json()["properties"]["rows"]
    assert following.startswith(running.ready["resource_manager"])


def test_pay_as_you_go_has_legacy_rows_and_no_query(arm, running):
    scope = f"/subscriptions/{APPS}"
    refused = query(arm, scope, "2026-10-01", "2026-10-31")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "422")
    refused = arm("GET", f"{scope}/providers/Microsoft.Consumption/usageDetails")
    assert refused.status_code == 400
    assert "Web Direct" in refused.json()["error"]["message"]
    rows = usage(arm, scope, dates("2026-08-01", "2026-08-31"))
    assert {row["kind"] for row in rows} == {"legacy"}
    assert all(row["properties"]["meterDetails"] is None for row in rows)
    detailed = usage(arm, scope, dates("2026-08-01", "2026-08-31"), dollar_expand="properties/meterDetails")
    assert "Standard Registry Unit" in {row["properties"]["meterDetails"]["meterName"] for row in detailed}
    sdk = client(ConsumptionManagementClient, running.ready, APPS).usage_details
    read = list(sdk.list(scope, filter=dates("2026-08-01", "2026-08-31")))
    assert [row.properties.resource_id for row in read] == [row["properties"]["resourceId"] for row in rows]


def test_a_currency_changes_within_a_month(arm):
    text = f"{dates('2026-08-01', '2026-08-31')} and properties/resourceName eq 'contosodata'"
    rows = usage(arm, f"/subscriptions/{APPS}", text)
    by_day = {row["properties"]["date"][:10]: row["properties"]["billingCurrency"] for row in rows}
    assert (by_day["2026-08-14"], by_day["2026-08-15"]) == ("USD", "EUR")


def test_a_registry_that_is_gone_was_billed_until_it_went(running):
    legacy = [
        row
        for row in costs(running.store, f"/subscriptions/{APPS}", date(2026, 11, 1), date(2026, 11, 30))
        if row.resource.endswith("contosolegacy") and row.meter == "Standard Registry Unit"
    ]
    assert [row.day for row in legacy] == [date(2026, 11, 1) + timedelta(day) for day in range(9)]
    assert running.store.get_resource(legacy[0].resource) is None


def test_builds_cost_once_the_free_seconds_are_used(running):
    rows = [
        row
        for row in costs(running.store, IMAGES.id, date(2026, 10, 1), date(2026, 10, 31))
        if row.meter == "Task vCPU Duration"
    ]
    assert sum(row.quantity for row in rows) == 31 * 400
    assert sum(row.cost for row in rows) == (31 * 400 - 6000) * Decimal("0.0001") * Decimal("0.9")


def test_a_free_trial_has_nothing(arm):
    scope = f"/subscriptions/{SUBSCRIPTION}"
    assert query(arm, scope, "2026-10-01", "2026-10-31").json()["properties"]["rows"] == []
    assert usage(arm, scope) == []
    refused = arm("GET", f"{scope}/providers/Microsoft.Consumption/budgets")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "400")
    assert "offerType: None" in refused.json()["error"]["message"]


def test_a_reseller_s_customer_is_refused_everything(tmp_path):
    with Sandbox.start(tmp_path, "walkthrough") as sandbox, Arm(sandbox.ready) as arm:
        scope = f"/subscriptions/{SUBSCRIPTION}"
        sandbox.store.put_resource({**sandbox.store.get_resource(scope), "_sandbox": {"offer": RESOLD}})
        for answer in (
            query(arm, scope, "2026-10-01", "2026-10-31"),
            arm("GET", f"{scope}/providers/Microsoft.Consumption/usageDetails"),
            arm("GET", f"{scope}/providers/Microsoft.Consumption/budgets"),
        ):
            assert answer.status_code == 400
            assert "offerType: None" in answer.json()["error"]["message"]


def test_without_a_role_there_are_no_figures(arm):
    scope = f"/subscriptions/{RESTRICTED}"
    for answer in (
        query(arm, scope, "2026-10-01", "2026-10-31"),
        arm("GET", f"{scope}/providers/Microsoft.Consumption/usageDetails"),
        arm("GET", f"{scope}/providers/Microsoft.Consumption/budgets"),
    ):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "AuthorizationFailed"


def test_a_filter_that_is_not_understood_is_refused(arm):
    path = f"/subscriptions/{PLATFORM}/providers/Microsoft.Consumption/usageDetails"
    for text in ("properties/resourceName ne 'x'", "tags eq 'a:b'", "properties/usageStart ge 'soon'"):
        assert arm("GET", path, dollar_filter=text).status_code == 400


def test_budgets_say_what_was_spent(arm, running):
    answer = arm("GET", f"/subscriptions/{APPS}/providers/Microsoft.Consumption/budgets")
    (budget,) = answer.json()["value"]
    spent = sum(
        row.cost
        for row in costs(running.store, f"/subscriptions/{APPS}", date(2026, 11, 1), date(2026, 11, 30))
        if "containerregistry" in row.kind
    )
    assert budget["properties"]["currentSpend"] == {"amount": pytest.approx(float(spent)), "unit": "EUR"}
    assert budget["properties"]["forecastSpend"]["amount"] > float(spent)
    sdk = client(ConsumptionManagementClient, running.ready, PLATFORM).budgets
    assert {found.name for found in sdk.list(f"/subscriptions/{PLATFORM}")} == {"platform-registries", "platform-all"}


def test_a_budget_is_made_and_removed(arm):
    path = f"/subscriptions/{PLATFORM}/providers/Microsoft.Consumption/budgets/new"
    properties = {
        "category": "Cost",
        "amount": 10,
        "timeGrain": "Monthly",
        "timePeriod": {"startDate": "2026-11-01T00:00:00Z", "endDate": "2027-11-01T00:00:00Z"},
        "filter": {"dimensions": {"name": "ResourceId", "operator": "In", "values": [HUB.id]}},
    }
    assert arm("GET", path).status_code == 404
    assert arm("PUT", path, {"properties": {"amount": 10}}).status_code == 400
    assert arm("PUT", path, {"properties": properties}).status_code == 201
    found = arm("GET", path).json()
    assert found["properties"]["amount"] == 10
    assert found["properties"]["currentSpend"]["amount"] > 0
    assert arm("PUT", path, {"properties": properties}).status_code == 200
    assert arm("DELETE", path).status_code == 200
    assert arm("GET", path).status_code == 404


def test_throttling_may_come_with_headers_of_its_own(tmp_path):
    faults = tmp_path / "faults.json"
    name = "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after"
    faults.write_text(json.dumps([{"path": "/query$", "status": 429, "headers": {name: "7"}}]))
    with Sandbox.start(tmp_path / "data", "walkthrough", faults=faults) as sandbox, Arm(sandbox.ready) as arm:
        answer = query(arm, f"/subscriptions/{SUBSCRIPTION}", "2026-10-01", "2026-10-31")
    assert (answer.status_code, answer.headers[name]) == (429, "7")


def test_on_the_first_of_a_month_the_bills_end_with_the_month_before(tmp_path):
    with Sandbox.start(tmp_path, clock=lambda: datetime(2026, 3, 1, 1, tzinfo=UTC)) as sandbox:
        rows = costs(sandbox.store, "/subscriptions", date(2020, 1, 1), date(2030, 1, 1))
    assert (rows[0].day, rows[-1].day) == (date(2025, 9, 1), date(2026, 2, 28))
    legacy = [row for row in rows if row.resource.endswith("contosolegacy")]
    assert legacy[-1].day == date(2026, 2, 28)
