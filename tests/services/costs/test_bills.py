"""What was billed, from Azure's two APIs: rows of each form, pages, offers and refusals."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.server import Sandbox
from services.arm.subscriptions import Subscription, list_subscriptions
from services.connection.errors import ServiceError
from services.connection.session import AzureSession, connect_sandbox
from services.costs.bills import CostSource, read_costs
from services.costs.budgets import Budget, covered, read_budgets
from services.costs.query import query_costs
from services.costs.rows import CostRow, CostSums, registry_of
from services.costs.usage_details import add_usage, read_usage
from tests.support.canned import ARM, Answer, Canned, reset
from tests.support.cases import case

FIRST, LAST = date(2026, 5, 1), date(2026, 11, 30)
SUB = Subscription("s1", "contoso", "t1", "Enabled")
REGISTRY = "/subscriptions/s1/resourceGroups/Contoso-RG/providers/Microsoft.ContainerRegistry/registries/contosoAcr"
LOWER = REGISTRY.lower()
QUERY = f"{ARM}/subscriptions/s1/providers/Microsoft.CostManagement/query"
USAGE = f"{ARM}/subscriptions/s1/providers/Microsoft.Consumption/usageDetails"
UNIT = "Basic Registry Unit"


def answered(rows: list[list[Any]], columns: tuple[str, ...], following: str | None = None) -> Answer:
    named = [{"name": name, "type": "String"} for name in columns]
    return Answer(200, {"properties": {"columns": named, "rows": rows, "nextLink": following}})


COLUMNS = ("Cost", "UsageQuantity", "BillingMonth", "ResourceId", "Meter", "Currency")


def row(cost: str = "4.8", quantity: str = "30", month: date = FIRST, **changes: Any) -> CostRow:
    given = {"registry_id": LOWER, "meter": UNIT, "currency": "EUR", **changes}
    return CostRow(month=month, quantity=Decimal(quantity), cost=Decimal(cost), **given)


def test_a_query_asks_once_for_months_by_registry_and_meter(azure: AzureSession, wire: Canned) -> None:
    wire.on("POST", QUERY, answered([[4.8, 30.0, "2026-05-01T00:00:00", LOWER, UNIT, "EUR"]], COLUMNS))
    assert query_costs(azure, "s1", FIRST, LAST).values == (row(),)
    (sent,) = wire.sent
    body = json.loads(sent.body)
    assert (body["type"], body["timeframe"]) == ("ActualCost", "Custom")
    assert body["timePeriod"] == {"from": "2026-05-01T00:00:00Z", "to": "2026-11-30T23:59:59Z"}
    dataset = body["dataset"]
    assert dataset["granularity"] == "Monthly"
    assert [entry["name"] for entry in dataset["grouping"]] == ["ResourceId", "Meter"]
    assert {entry["name"]: entry["function"] for entry in dataset["aggregation"].values()} == {
        "Cost": "Sum",
        "UsageQuantity": "Sum",
    }
    assert dataset["filter"]["dimensions"]["values"] == ["microsoft.containerregistry/registries"]


def test_columns_are_found_by_name(azure: AzureSession, wire: Canned) -> None:
    columns = ("Currency", "Meter", "ResourceId", "UsageDate", "PreTaxCost")
    rows = [["EUR", UNIT, REGISTRY, 20260501, 1.5], ["EUR", UNIT, REGISTRY, 20260531, 2.25]]
    wire.on("POST", QUERY, answered(rows, columns))
    assert query_costs(azure, "s1", FIRST, LAST).values == (row("3.75", "0"),)


def test_amounts_are_as_exact_as_they_are_sent(azure: AzureSession, wire: Canned) -> None:
    exact = "0.1234567890123456789012"
    body = json.dumps(answered([[0.5, 1, "2026-05-01", REGISTRY, UNIT, "EUR"]], COLUMNS).body).replace("0.5", exact)
    wire.on("POST", QUERY, Answer(200, body.encode(), {"Content-Type": "application/json"}))
    (found,) = query_costs(azure, "s1", FIRST, LAST).values
    assert found.cost == Decimal(exact)


def test_pages_of_a_query_are_asked_for_with_the_same_body(azure: AzureSession, wire: Canned) -> None:
    following = f"{QUERY}?api-version=2025-03-01&$skiptoken=x"
    first = answered([[1, 1, "2026-05-01", REGISTRY, UNIT, "EUR"]], COLUMNS, following)
    last = answered([[2, 1, "2026-05-01", REGISTRY, UNIT, "EUR"]], COLUMNS)
    wire.on("POST", QUERY, first, last)
    assert query_costs(azure, "s1", FIRST, LAST).values == (row("3", "2"),)
    assert wire.sent[1].query["$skiptoken"] == "x"
    assert json.loads(wire.sent[0].body) == json.loads(wire.sent[1].body)


@pytest.mark.parametrize("api", [query_costs, read_usage])
def test_a_next_page_elsewhere_gets_no_token_of_ours(azure: AzureSession, wire: Canned, api: Any) -> None:
    elsewhere = "https://contoso.example/next"
    wire.on("POST", QUERY, answered([], COLUMNS, elsewhere))
    wire.on("GET", USAGE, Answer(200, {"value": [], "nextLink": elsewhere}))
    with pytest.raises(ServiceError, match="another host"):
        api(azure, "s1", FIRST, LAST)
    assert len(wire.sent) == 1


def test_no_content_is_nothing(azure: AzureSession, wire: Canned) -> None:
    wire.on("POST", QUERY, Answer(204))
    wire.on("GET", USAGE, Answer(204))
    assert query_costs(azure, "s1", FIRST, LAST).values == read_usage(azure, "s1", FIRST, LAST).values == ()


def test_an_answer_without_its_columns_is_an_error(azure: AzureSession, wire: Canned) -> None:
    wire.on("POST", QUERY, answered([["EUR"]], ("Currency",)))
    with pytest.raises(ServiceError, match="could not be understood"):
        query_costs(azure, "s1", FIRST, LAST)


def test_a_row_of_no_resource_is_none_of_ours_and_no_quantity_is_0(azure: AzureSession, wire: Canned) -> None:
    body = json.dumps(case("answers/cost_query_null_resource")["body"], default=float).encode()
    wire.on("POST", QUERY, Answer(200, body))
    found = query_costs(azure, "s1", date(2026, 10, 1), date(2026, 10, 31))
    assert found.complete
    assert [(one.cost, one.quantity, one.days) for one in found.values] == [(Decimal("5.1"), 0, 0)]


@pytest.mark.parametrize("odd", [None, "x", 5, {}, [], ["EUR"], ["x", 1, "2026-05-01T00:00:00", REGISTRY, UNIT, "EUR"]])
def test_a_row_that_could_not_be_understood_costs_itself(azure: AzureSession, wire: Canned, odd: Any) -> None:
    good = answered([], COLUMNS).body["properties"]
    values = {"cost": 3.75, "usagequantity": 1, "billingmonth": "2026-05-01T00:00:00", "resourceid": REGISTRY}
    rows = [[values.get(name.casefold(), UNIT if name == "Meter" else "EUR") for name in COLUMNS], odd]
    wire.on("POST", QUERY, Answer(200, {"properties": {**good, "rows": rows}}))
    (bill,) = read_costs(azure, [SUB], FIRST, LAST).values
    assert [one.cost for one in bill.rows] == [Decimal("3.75")]
    (refusal,) = bill.unread
    assert refusal.error.title == "1 of 2 rows of the bill could not be understood"


def test_a_bill_of_which_nothing_is_understood_is_not_nothing_billed(azure: AzureSession, wire: Canned) -> None:
    wire.on("POST", QUERY, answered([["x"]], COLUMNS))
    found = read_costs(azure, [SUB], FIRST, LAST)
    assert (found.values, len(found.refused)) == ((), 1)


def test_a_budget_without_an_amount_costs_itself(azure: AzureSession, wire: Canned) -> None:
    odd = {**BUDGET, "name": "odd", "properties": {**BUDGET["properties"], "amount": None}}
    url = f"{ARM}/subscriptions/s1/providers/Microsoft.Consumption/budgets"
    wire.on("GET", url, Answer(200, {"value": [BUDGET, odd, None]}))
    found = read_budgets(azure, [SUB])
    assert [one.name for one in found.values] == [BUDGET["name"]]
    assert [refusal.error.title for refusal in found.refused] == ["2 of 3 budgets of contoso could not be understood"]


LEGACY = {
    "kind": "legacy",
    "properties": {
        "resourceId": REGISTRY,
        "date": "2026-05-03T00:00:00.0000000Z",
        "quantity": 1,
        "cost": Decimal("0.16"),
        "billingCurrency": "EUR",
        "meterDetails": {"meterName": UNIT},
    },
}
MODERN = {
    "kind": "modern",
    "properties": {
        "instanceName": REGISTRY,
        "date": "2026-05-04T00:00:00.0000000Z",
        "quantity": 1,
        "costInBillingCurrency": Decimal("0.17"),
        "billingCurrencyCode": "EUR",
        "meterName": UNIT,
    },
}
OLDEST = {
    "properties": {
        "instanceId": REGISTRY,
        "instanceName": "contosoAcr",
        "usageStart": "2026-05-05T00:00:00.0000000Z",
        "usageQuantity": 1,
        "pretaxCost": Decimal("0.18"),
        "currency": "EUR",
        "product": f"Container Registry - {UNIT}",
        "meterDetails": None,
    },
}


def test_rows_of_all_three_forms_add_up() -> None:
    sums = CostSums()
    add_usage(sums, [LEGACY, MODERN, OLDEST])
    assert sums.rows() == (row("0.51", "3"),)


def test_ids_are_compared_without_case_and_rows_of_no_resource_are_left_out() -> None:
    sums = CostSums()
    add_usage(sums, case("answers/usage_rows_odd")["body"]["value"])
    (found,) = sums.rows()
    assert (found.registry_id.rpartition("/")[2], found.cost, found.quantity) == ("contosoacr", Decimal("0.3332"), 2)


def test_rows_of_other_resources_are_left_out() -> None:
    sums = CostSums()
    machine = REGISTRY.replace("ContainerRegistry/registries", "Compute/virtualMachines")
    other = REGISTRY.replace("Microsoft.ContainerRegistry", "Contoso.Registry")
    for stranger in (machine, other, "", "registry"):
        add_usage(sums, [{"properties": {**LEGACY["properties"], "resourceId": stranger}}])
    assert sums.rows() == ()


def test_a_replica_is_billed_to_its_registry() -> None:
    assert registry_of(f"{REGISTRY}/replications/westus") == LOWER
    assert registry_of(LOWER.lstrip("/")) == LOWER
    assert registry_of("/subscriptions/s1/resourceGroups/rg") == ""


def test_usage_is_asked_for_by_dates_and_pages_are_followed(azure: AzureSession, wire: Canned) -> None:
    one = {**LEGACY, "properties": {**LEGACY["properties"], "cost": 0.16}}
    wire.on(
        "GET", USAGE, Answer(200, {"value": [one], "nextLink": f"{USAGE}?$skiptoken=1"}), Answer(200, {"value": [one]})
    )
    assert read_usage(azure, "s1", FIRST, LAST).values == (row("0.32", "2"),)
    assert wire.sent[0].query == {
        "api-version": "2024-08-01",
        "$expand": "properties/meterDetails",
        "$filter": "properties/usageStart ge '2026-05-01' and properties/usageEnd le '2026-11-30'",
        "metric": "actualcost",
    }
    assert wire.sent[1].query == {"$skiptoken": "1"}


def refusal(status: int, message: str = "no", code: str = "x", **headers: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}}, headers)


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_where_the_query_does_not_answer_consumption_does(azure: AzureSession, wire: Canned, status: int) -> None:
    wire.on("POST", QUERY, refusal(status))
    wire.on("GET", USAGE, Answer(200, {"value": [{**LEGACY, "properties": {**LEGACY["properties"], "cost": 1}}]}))
    (found,) = read_costs(azure, [SUB], FIRST, LAST).values
    assert (found.source, len(found.rows)) == (CostSource.USAGE, 1)
    assert found.error and found.error.status == status


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(403, code="AuthorizationFailed"), "Cost Management Reader"),
        (refusal(400, "offerId: MS-AZR-0145P is associated with offerType: None"), "partner (CSP)"),
        (refusal(422, "Unsupported"), "no cost data for it: Unsupported"),
    ],
)
def test_where_neither_answers_the_reason_is_said(
    azure: AzureSession, wire: Canned, answer: Answer, words: str
) -> None:
    wire.on("POST", QUERY, answer)
    wire.on("GET", USAGE, answer)
    (found,) = read_costs(azure, [SUB], FIRST, LAST).values
    assert (found.source, found.rows) == (CostSource.ESTIMATE, ())
    assert words in found.reason
    assert found.error and found.error.status == answer.status


def test_an_empty_bill_says_what_it_may_mean(azure: AzureSession, wire: Canned) -> None:
    wire.on("POST", QUERY, answered([], COLUMNS))
    (found,) = read_costs(azure, [SUB], FIRST, LAST).values
    assert (found.source, found.rows) == (CostSource.QUERY, ())
    assert "free trial" in found.reason
    assert len(wire.sent) == 1


@pytest.mark.parametrize("failure", [refusal(500), refusal(429, **{"Retry-After": "100"}), reset()])
def test_what_may_pass_is_a_refusal_and_no_reason_to_ask_elsewhere(
    azure: AzureSession, wire: Canned, failure: Any
) -> None:
    wire.on("POST", QUERY, failure)
    found = read_costs(azure, [SUB], FIRST, LAST)
    assert (found.values, [refused.what for refused in found.refused]) == ((), ["contoso"])
    assert {request.method for request in wire.sent} == {"POST"}


def test_throttling_waits_as_long_as_the_longest_header_says(azure: AzureSession, wire: Canned) -> None:
    waits = {
        "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "7",
        "x-ms-ratelimit-microsoft.costmanagement-entity-retry-after": "21",
        "x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after": "13",
    }
    wire.on("POST", QUERY, refusal(429, **waits), answered([], COLUMNS))
    assert query_costs(azure, "s1", FIRST, LAST).values == ()
    assert wire.slept == [21.0]


def test_a_longer_wait_is_told_to_whoever_asked(azure: AzureSession, wire: Canned) -> None:
    waits = {"x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after": "3600", "Retry-After": "5"}
    wire.on("POST", QUERY, refusal(429, **waits))
    with pytest.raises(ServiceError) as raised:
        query_costs(azure, "s1", FIRST, LAST)
    assert "in 3600 s" in raised.value.remedy
    assert wire.slept == []
    assert len(wire.sent) == 1


def test_throttling_without_an_end_is_given_up(azure: AzureSession, wire: Canned) -> None:
    wire.on("POST", QUERY, refusal(429, **{"x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "1"}))
    with pytest.raises(ServiceError):
        query_costs(azure, "s1", FIRST, LAST)
    assert len(wire.sent) == 4


BUDGET: dict[str, Any] = {
    "id": "subscriptions/s1/resourceGroups/rg/providers/Microsoft.Consumption/budgets/b",
    "name": "b",
    "properties": {
        "category": "Cost",
        "amount": 100.65,
        "timeGrain": "Monthly",
        "currentSpend": {"amount": 80.89, "unit": "EUR"},
    },
}


def budgets(azure: AzureSession, wire: Canned, document: dict[str, Any]) -> tuple[Budget, ...]:
    wire.on(
        "GET", f"{ARM}/subscriptions/s1/providers/Microsoft.Consumption/budgets", Answer(200, {"value": [document]})
    )
    return read_budgets(azure, [SUB]).values


def test_a_budget_in_its_own_words(azure: AzureSession, wire: Canned) -> None:
    (found,) = budgets(azure, wire, BUDGET)
    assert (found.amount, found.spent, found.currency) == (Decimal("100.65"), Decimal("80.89"), "EUR")
    assert found.scope == "/subscriptions/s1/resourceGroups/rg"
    assert (found.covers, found.grain, found.forecast) == ("everything", "Monthly", None)
    assert found.used == Decimal("80.89") / Decimal("100.65")


def test_what_a_budget_covers(azure: AzureSession, wire: Canned) -> None:
    both = {
        "and": [
            {"dimensions": {"name": "ResourceType", "operator": "In", "values": ["a", "b"]}},
            {"tags": {"name": "team", "operator": "In", "values": ["payments"]}},
        ]
    }
    document = {**BUDGET, "properties": {**BUDGET["properties"], "filter": both}}
    assert budgets(azure, wire, document)[0].covers == "ResourceType is a or b and tag team is payments"
    one = {"dimensions": {"name": "ResourceId", "operator": "In", "values": ["x"]}}
    document = {**BUDGET, "properties": {**BUDGET["properties"], "filter": one}}
    assert budgets(azure, wire, document)[0].covers == "ResourceId is x"


def test_a_budget_names_what_it_covers(azure: AzureSession, wire: Canned) -> None:
    (found,) = budgets(azure, wire, BUDGET)
    assert covered(found) == f"resource group rg of {SUB.name}"
    assert covered(replace(found, scope="/subscriptions/s1")) == f"subscription {SUB.name}"
    scope = "/providers/Microsoft.Management/managementGroups/m"
    assert covered(replace(found, scope=scope, covers="tag team is payments")) == f"{scope}: tag team is payments"


def test_a_resource_that_a_budget_covers_is_named(azure: AzureSession, wire: Canned) -> None:
    registry = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso"
    one = {"dimensions": {"name": "ResourceId", "operator": "In", "values": [registry]}}
    document = {**BUDGET, "properties": {**BUDGET["properties"], "filter": one}}
    assert budgets(azure, wire, document)[0].covers == "ResourceId is contoso"


def test_a_budget_before_its_first_figures(azure: AzureSession, wire: Canned) -> None:
    fresh = {name: value for name, value in BUDGET["properties"].items() if name != "currentSpend"}
    (found,) = budgets(azure, wire, {**BUDGET, "properties": {**fresh, "amount": 0}})
    assert (found.spent, found.used, found.currency) == (None, None, "")


def test_an_offer_without_budgets_is_a_refusal(azure: AzureSession, wire: Canned) -> None:
    url = f"{ARM}/subscriptions/s1/providers/Microsoft.Consumption/budgets"
    wire.on("GET", url, refusal(400, "offerType: None"))
    found = read_budgets(azure, [SUB])
    assert found.values == () and found.refused[0].what == "contoso"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with Sandbox.start(tmp_path_factory.mktemp("costs"), clock=lambda: at) as sandbox:
        yield sandbox


def test_each_offer_of_the_estate_from_its_own_source(estate: Sandbox) -> None:
    session = connect_sandbox(estate.ready)
    found = read_costs(session, list_subscriptions(session).values, FIRST, LAST)
    assert found.complete
    assert {costs.subscription.name: (costs.source, bool(costs.rows)) for costs in found.values} == {
        "casacloud": (CostSource.QUERY, False),
        "contoso-apps": (CostSource.USAGE, True),
        "contoso-platform": (CostSource.QUERY, True),
        "contoso-restricted": (CostSource.ESTIMATE, False),
    }


def test_both_apis_say_the_same_of_the_same_subscription(estate: Sandbox) -> None:
    session = connect_sandbox(estate.ready)
    platform = next(one for one in list_subscriptions(session).values if one.name == "contoso-platform")
    by_query, by_usage = (api(session, platform.id, FIRST, LAST).values for api in (query_costs, read_usage))
    assert [(one.registry_id, one.month, one.meter, one.currency) for one in by_query] == [
        (one.registry_id, one.month, one.meter, one.currency) for one in by_usage
    ]
    for left, right in zip(by_query, by_usage, strict=True):
        assert abs(left.cost - right.cost) < Decimal("1e-9")
        assert abs(left.quantity - right.quantity) < Decimal("1e-9")


def test_a_review_costs_two_requests_a_subscription(estate: Sandbox) -> None:
    session = connect_sandbox(estate.ready)
    subscriptions = [one for one in list_subscriptions(session).values if one.name in ("casacloud", "contoso-platform")]
    estate.clear_requests()
    read_costs(session, subscriptions, FIRST, LAST)
    read_budgets(session, subscriptions)
    assert len(estate.requests) == 2 * len(subscriptions)
