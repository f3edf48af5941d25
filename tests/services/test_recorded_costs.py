"""Recorded answers about costs: bills, budgets, list prices."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.arm.subscriptions import Subscription
from services.costs.budgets import read_budgets
from services.costs.query import query_costs
from services.costs.rows import CostSums
from services.costs.usage_details import add_usage, read_usage
from services.pricing.retail_prices import prices_of, read_price_rows
from tests.support.canned import ARM, Answer
from tests.support.recordings import (
    Area,
    Recording,
    arm,
)


def replay_budgets(recording: Recording) -> None:
    """A list, or a single one as a list of one."""
    documents = recording.body.get("value", [recording.body])
    wire, session = arm()
    url = f"{ARM}/subscriptions/s1/providers/Microsoft.Consumption/budgets"
    wire.on("GET", url, Answer(200, {"value": documents}))
    found = read_budgets(session, [Subscription("s1", "contoso", "t1", "Enabled")]).values
    assert len(found) == len(documents)
    for budget, document in zip(found, documents, strict=True):
        properties = document["properties"]
        assert budget.id == f"/{document['id'].strip('/')}"
        assert budget.name == document["name"]
        assert budget.amount == Decimal(repr(properties["amount"]))
        assert budget.spent == Decimal(repr(properties["currentSpend"]["amount"]))
        assert budget.currency == (properties["currentSpend"]["unit"] or "")
        assert budget.grain == properties["timeGrain"]
        for part in properties.get("filter", {}).get("and", []):
            for named in part.values():
                # Resource ids are shown by name.
                values = [value.rpartition("/")[2] for value in named["values"]]
                assert f"{named['name']} is {' or '.join(values)}" in budget.covers


NOBODY = "00000000-0000-0000-0000-000000000000"


REGISTRY_ID = "/subscriptions/s1/resourcegroups/contoso-rg/providers/microsoft.containerregistry/registries/contosoacr"


def replay_usage_details(recording: Recording) -> None:
    """No recording has a registry's row: as they are they come to nothing, re-addressed to all they cost."""
    wire, session = arm()
    url = f"{ARM}/subscriptions/{NOBODY}/providers/Microsoft.Consumption/usageDetails"
    last = Answer(200, {"value": []})
    wire.on("GET", url, recording.answer, last)
    assert read_usage(session, NOBODY, date(2018, 1, 1), date(2018, 12, 31)).values == ()
    readdressed = json.loads(json.dumps(recording.body), parse_float=Decimal)["value"]
    for entry in readdressed:
        properties = entry["properties"]
        name = next(name for name in ("resourceId", "instanceId", "instanceName") if name in properties)
        properties[name] = REGISTRY_ID
    sums = CostSums()
    add_usage(sums, readdressed)
    names = ("cost", "costInBillingCurrency", "pretaxCost")
    wanted = [next(entry["properties"][name] for name in names if name in entry["properties"]) for entry in readdressed]
    assert sum(row.cost for row in sums.rows()) == sum(Decimal(amount) for amount in wanted)
    assert {row.registry_id for row in sums.rows()} == {REGISTRY_ID}
    assert all(row.meter for row in sums.rows())


def replay_cost_query(recording: Recording) -> None:
    """Asked by resource alone: the month and the meter, which the console asks for too, are put beside it."""
    wire, session = arm()
    properties = recording.body["properties"]
    at = {column["name"]: number for number, column in enumerate(properties["columns"])}
    added = [{"name": "BillingMonth", "type": "Datetime"}, {"name": "Meter", "type": "String"}]
    rows = [[*row, "2018-05-01T00:00:00", "Basic Registry Unit"] for row in properties["rows"]]
    for row in rows:
        row[at["ResourceId"]] = REGISTRY_ID
    body = {**recording.body, "properties": {**properties, "columns": properties["columns"] + added, "rows": rows}}
    wire.on("POST", f"{ARM}/subscriptions/s1/providers/Microsoft.CostManagement/query", Answer(200, body))
    (found,) = query_costs(session, "s1", date(2018, 5, 1), date(2018, 5, 31)).values
    assert found.cost == sum(Decimal(repr(row[at["PreTaxCost"]])) for row in properties["rows"])
    assert found.currency == properties["rows"][0][at["Currency"]]


def replay_prices(recording: Recording) -> None:
    """No recording has a registry's meter: what is of other services must be read, and taken for no price of ours."""
    wire, session = arm()
    following = recording.body["NextPageLink"]
    wire.on("GET", f"https://{recording.host}{recording.path}", recording.answer)
    if following:
        last = {**recording.body, "Items": [], "NextPageLink": None}
        wire.on("GET", following.partition("?")[0], Answer(200, last))
    currency = recording.body["BillingCurrency"]
    rows = read_price_rows(session, currency, ["westeurope"])
    assert [row["meterId"] for row in rows] == [item["meterId"] for item in recording.body["Items"]]
    assert all(isinstance(row["retailPrice"], Decimal | int) for row in rows)
    assert len(wire.sent) == (2 if following else 1)
    assert prices_of(rows, currency, datetime.now(UTC)) == {}


AREA = Area(
    "costs",
    read={
        "documented/retail-prices/*.json": replay_prices,
        "real/consumption/cost_management_query_by_resource.json": replay_cost_query,
        "*/consumption/usage_details_*.json": replay_usage_details,
        "*/consumption/budget_list_*.json": replay_budgets,
        "real/consumption/budget_get_*.json": replay_budgets,
    },
    not_read={
        "real/consumption/budget_create_*.json": "budgets are read, not made",
        "real/consumption/budget_update_*.json": "budgets are read, not made",
        "real/consumption/budget_delete_*.json": "budgets are read, not made",
        "real/consumption/cost_management_query_by_resource_group.json": "the console asks by resource",
        "real/consumption/marketplaces_*.json": "what is bought from others is no registry's cost",
        "real/consumption/pricesheet_*.json": "agreed prices are given as a price sheet of one's own",
    },
)


@pytest.mark.parametrize("file", AREA.read_files)
def test_an_answer_is_read(file: str) -> None:
    AREA.replay(file)


def test_every_answer_is_read_or_has_a_reason_why_not() -> None:
    AREA.check_complete()
