"""The Retail Prices API's rows, and what is kept of them. Rows here have its form; prices are made up."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from services.connection.endpoints import CLOUDS
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.database.tables import list_prices as kept_prices
from services.pricing.price_cache import PriceList, list_prices
from services.pricing.price_snapshot import TAKEN, snapshot
from services.pricing.prices import PriceSource, Tier
from services.pricing.retail_prices import prices_of, read_price_rows
from services.registries.skus import Sku
from tests.support.canned import Answer, Canned, Credential, unreachable
from tests.support.cases import case

API = "https://prices.azure.com/api/retail/prices"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def row(meter: str, price: float | str, unit: str = "1/Day", **changes: Any) -> dict[str, Any]:
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "armRegionName": "eastus",
        "effectiveStartDate": "2026-01-01T00:00:00Z",
        "meterName": meter,
        "skuName": meter.partition(" ")[0],
        "serviceName": "Container Registry",
        "unitOfMeasure": unit,
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "",
    } | changes


ROWS = [
    row("Basic Registry Unit", 0.1666),
    row("Standard Registry Unit", 0.6666),
    row("Premium Registry Unit", 1.6666),
    row("Data Stored", 0.1, "1 GB/Month", skuName="Basic"),
    row("Data Stored", 0.1, "1 GB/Month", skuName="Standard"),
    row("Data Stored", 0.09, "1 GB/Month", skuName="Premium"),
    row("Premium Registry Replication Unit", 1.6667),
    row("Premium GB Registry Replication Data Stored", 0.11, "1 GB/Month"),
    row("Premium Connected registry", 10),
    row("Task vCPU Duration", 0.0001, "1 Second", tierMinimumUnits=6000.0),
    row("Task vCPU Duration", 0, "1 Second"),
]


def page(rows: list[dict[str, Any]], following: str | None = None) -> Answer:
    return Answer(200, {"BillingCurrency": "USD", "Items": rows, "NextPageLink": following, "Count": len(rows)})


def parsed(rows: list[dict[str, Any]]) -> Any:
    return prices_of(json.loads(json.dumps(rows), parse_float=Decimal), "USD", NOON)


def test_every_meter_is_told_by_its_name_and_unit() -> None:
    prices = parsed(ROWS)["eastus"]
    assert prices.registry_day == {
        Sku.BASIC: Decimal("0.1666"),
        Sku.STANDARD: Decimal("0.6666"),
        Sku.PREMIUM: Decimal("1.6666"),
    }
    assert prices.stored_gib == {Sku.BASIC: Decimal("0.1"), Sku.STANDARD: Decimal("0.1"), Sku.PREMIUM: Decimal("0.09")}
    assert (prices.replica_day, prices.replica_gib) == (Decimal("1.6667"), Decimal("0.11"))
    assert prices.task_second == (Tier(Decimal(0), Decimal(0)), Tier(Decimal(6000), Decimal("0.0001")))
    assert prices.connected_day == 10
    assert (prices.source, prices.at, prices.currency, prices.region) == (PriceSource.API, NOON, "USD", "eastus")


@pytest.mark.parametrize(
    "stranger",
    [
        row("Basic Registry Unit", 9, serviceName="Container Instances"),
        row("Basic Registry Unit", 9, type="Reservation"),
        row("Basic Registry Unit", 9, isPrimaryMeterRegion=False),
        row("Basic Registry Unit", 9, unit="1 Hour"),
        row("Basic Registry Unit", 9, effectiveStartDate="2025-01-01T00:00:00Z"),
        row("Basic Registry Unit", 9, armRegionName="brazilsouth"),
    ],
)
def test_what_is_no_price_of_the_meter_does_not_count(stranger: dict[str, Any]) -> None:
    for rows in ([*ROWS, stranger], [stranger, *ROWS]):
        assert parsed(rows)["eastus"] == parsed(ROWS)["eastus"]


@pytest.mark.parametrize(
    ("at", "price"),
    [
        ("2018-12-31T23:59:59Z", None),
        ("2019-01-01T00:00:00Z", "1.6666"),
        ("2022-12-31T23:59:59Z", "0.5"),
        ("2023-01-01T00:00:00Z", "1.6666"),
        ("2026-11-28T00:00:00Z", "1.6666"),
        ("2027-02-01T00:00:00Z", "2.5"),
    ],
)
def test_the_price_in_force_counts_and_none_that_begins_later_or_has_ended(at: str, price: str | None) -> None:
    rows = case("answers/prices_of_other_times")["body"]["Items"]
    for order in (rows, rows[::-1]):
        found = prices_of(order, "USD", datetime.fromisoformat(at))
        assert (found["westeurope"].registry_day if found else {}) == ({Sku.PREMIUM: Decimal(price)} if price else {})


@given(st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(0, 20)), unique_by=lambda one: one[0]))
def test_of_all_prices_in_force_the_latest_to_begin_counts(spans: list[tuple[int, int | None]]) -> None:
    def day(number: int | None) -> str | None:
        return None if number is None else (NOON + timedelta(days=number - 10)).isoformat()

    rows = [
        row("Basic Registry Unit", start + 1, effectiveStartDate=day(start), effectiveEndDate=day(end))
        for start, end in spans
    ]
    in_force = [start for start, end in spans if start <= 10 and (end is None or end > 10)]
    found = parsed(rows)
    assert (found["eastus"].registry_day[Sku.BASIC] if found else None) == (max(in_force) + 1 if in_force else None)


@pytest.mark.parametrize("start", [None, "", "2026-01-01", "2026-11-20T12:00:00"])
def test_a_price_without_a_start_or_a_zone_is_in_force(start: str | None) -> None:
    assert parsed([row("Basic Registry Unit", 9, effectiveStartDate=start)])["eastus"].registry_day == {Sku.BASIC: 9}


@pytest.mark.parametrize("change", [{"retailPrice": -1}, {"effectiveStartDate": "soon"}, {"effectiveEndDate": "x"}])
def test_a_price_that_can_not_be_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match="could not be understood"):
        parsed([*ROWS, row("Basic Registry Unit", 9, **change)])


def test_a_price_for_a_hundred_units_is_a_hundredth_for_one() -> None:
    hundred = row("Data Stored", 5, "100 GB/Month", skuName="Basic")
    assert parsed([hundred])["eastus"].stored_gib == {Sku.BASIC: Decimal("0.05")}


def test_a_unit_that_is_not_known_leaves_the_meter_without_a_price() -> None:
    prices = parsed([row("Basic Registry Unit", 9, "1 Hour"), row("Data Stored", 1, "1 GB", skuName="Basic")])["eastus"]
    assert prices.registry_day == prices.stored_gib == {}
    assert prices.replica_day is None


def test_a_row_without_its_members_is_an_error() -> None:
    broken = {name: value for name, value in ROWS[0].items() if name != "unitOfMeasure"}
    with pytest.raises(ServiceError, match="could not be understood"):
        prices_of([broken], "USD", NOON)


def test_one_request_asks_for_all_regions_without_signing_in(azure: AzureSession, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS))
    read_price_rows(azure, "EUR", ["westeurope", "eastus"])
    (sent,) = wire.sent
    assert sent.query == {
        "api-version": "2023-01-01-preview",
        "currencyCode": "'EUR'",
        "$filter": "serviceName eq 'Container Registry' and priceType eq 'Consumption' and "
        "(armRegionName eq 'eastus' or armRegionName eq 'westeurope')",
    }
    assert "Authorization" not in sent.headers


def test_many_regions_are_asked_for_a_dozen_at_a_time(azure: AzureSession, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS))
    regions = [f"region{number}" for number in range(30)]
    read_price_rows(azure, "USD", regions)
    filters = [sent.query["$filter"] for sent in wire.sent]
    assert [text.count(" eq ") for text in filters] == [14, 14, 8]
    assert all(any(f"'{region}'" in text for text in filters) for region in regions)
    assert max(len(sent.url) for sent in wire.sent) < 2048


def test_a_quote_in_a_region_stays_in_its_value(azure: AzureSession, wire: Canned) -> None:
    wire.on("GET", API, page([]))
    read_price_rows(azure, "USD", ["x' or serviceName ne '&"])
    assert "armRegionName eq 'x'' or serviceName ne ''&'" in wire.sent[0].query["$filter"]


def test_pages_are_followed_to_the_last(azure: AzureSession, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS[:6], f"{API}?$skip=6"))
    wire.on("GET", "https://prices.azure.com:443/api/retail/prices", page(ROWS[6:]))
    wire.on("GET", API, page(ROWS[:6], "https://prices.azure.com:443/api/retail/prices?$skip=6"))
    rows = read_price_rows(azure, "USD", ["eastus"])
    assert [found["meterName"] for found in rows] == [wanted["meterName"] for wanted in ROWS]
    assert wire.sent[1].query == {"$skip": "6"}


def test_a_next_page_at_another_host_is_not_followed(azure: AzureSession, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS, "https://contoso.example/api/retail/prices?$skip=6"))
    with pytest.raises(ServiceError, match="another host"):
        read_price_rows(azure, "USD", ["eastus"])
    assert len(wire.sent) == 1


def test_pages_without_an_end_are_an_error(azure: AzureSession, wire: Canned) -> None:
    wire.on("GET", API, lambda _: page(ROWS, f"{API}?$skip={len(wire.sent)}"))
    with pytest.raises(ServiceError, match="more than"):
        read_price_rows(azure, "USD", ["eastus"])
    wire.on("GET", API, page(ROWS, f"{API}?$skip=1"))
    with pytest.raises(ServiceError, match="read already"):
        read_price_rows(azure, "USD", ["eastus"])


def test_a_cloud_without_the_api_says_so_and_asks_nobody(wire: Canned) -> None:
    session = AzureSession(Credential(), CLOUDS["china"], wire)
    with pytest.raises(ServiceError, match="Azure China has no Retail Prices API"):
        read_price_rows(session, "USD", ["chinaeast2"])
    assert not wire.sent


class Kept:
    """Lists prices into a database, at a time that a test moves."""

    def __init__(self, session: AzureSession, database: Engine) -> None:
        self.session, self.database, self.now = session, database, NOON

    def __call__(self, *regions: str, currency: str = "USD") -> PriceList:
        return list_prices(self.session, lambda: self.database, currency, regions, now=lambda: self.now)


@pytest.fixture
def listed(azure: AzureSession, database: Engine) -> Kept:
    return Kept(azure, database)


def test_prices_are_read_once_a_day(listed: Kept, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS))
    first = listed("eastus")
    assert first.by_region["eastus"].registry_day[Sku.BASIC] == Decimal("0.1666")
    listed.now += timedelta(hours=23, minutes=59)
    assert listed("eastus") == first
    assert len(wire.sent) == 1
    listed.now += timedelta(minutes=1)
    assert listed("eastus").by_region["eastus"].at == listed.now
    assert len(wire.sent) == 2


def test_only_the_regions_that_are_not_at_hand_are_asked_for(listed: Kept, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS), page([row("Basic Registry Unit", 0.2, armRegionName="westeurope")]))
    listed("eastus")
    both = listed("eastus", "westeurope")
    assert {region: prices.registry_day[Sku.BASIC] for region, prices in both.by_region.items()} == {
        "eastus": Decimal("0.1666"),
        "westeurope": Decimal("0.2"),
    }
    assert "eastus" not in wire.sent[1].query["$filter"]
    assert listed("westeurope", "eastus").by_region == both.by_region
    assert len(wire.sent) == 2


def test_out_of_reach_the_snapshot_is_shown_and_said_to_be_one(listed: Kept, wire: Canned) -> None:
    wire.on("GET", API, unreachable())
    found = listed("eastus", "westeurope")
    assert found.by_region == {region: snapshot(region) for region in ("eastus", "westeurope")}
    assert {(prices.source, prices.at) for prices in found.by_region.values()} == {(PriceSource.SNAPSHOT, TAKEN)}
    assert found.error and found.error.code == "Unreachable"


def test_out_of_reach_what_was_read_last_goes_before_the_snapshot(listed: Kept, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS), unreachable())
    listed("eastus")
    listed.now += timedelta(days=9)
    found = listed("eastus")
    assert (found.by_region["eastus"].source, found.by_region["eastus"].at) == (PriceSource.API, NOON)
    assert found.error


def test_out_of_reach_a_price_that_was_read_before_it_began_counts_from_its_start(listed: Kept, wire: Canned) -> None:
    starts = (NOON + timedelta(days=5)).isoformat()
    wire.on("GET", API, page([*ROWS, row("Basic Registry Unit", 3, effectiveStartDate=starts)]), unreachable())
    assert listed("eastus").by_region["eastus"].registry_day[Sku.BASIC] == Decimal("0.1666")
    listed.now += timedelta(days=9)
    found = listed("eastus").by_region["eastus"]
    assert (found.registry_day[Sku.BASIC], found.at) == (3, NOON)


def test_without_prices_in_a_currency_those_of_the_snapshot_are_in_its_own(listed: Kept, wire: Canned) -> None:
    wire.on("GET", API, unreachable())
    found = listed("eastus", currency="EUR")
    assert (found.currency, found.by_region["eastus"].currency) == ("USD", "USD")


def test_a_region_that_the_api_does_not_know_has_the_snapshot_in_dollars_and_none_elsewhere(
    listed: Kept, wire: Canned
) -> None:
    wire.on("GET", API, page(ROWS))
    assert listed("eastus", "nowhere").by_region["nowhere"] == snapshot("nowhere")
    wire.on("GET", API, page([found | {"currencyCode": "EUR"} for found in ROWS]))
    euros = listed("eastus", "nowhere", currency="EUR")
    assert (euros.currency, set(euros.by_region)) == ("EUR", {"eastus"})


def test_currencies_are_kept_apart(listed: Kept, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS), page([row("Basic Registry Unit", 0.15, currencyCode="EUR")]))
    listed("eastus")
    assert listed("eastus", currency="EUR").by_region["eastus"].registry_day == {Sku.BASIC: Decimal("0.15")}
    assert listed("eastus").by_region["eastus"].registry_day[Sku.BASIC] == Decimal("0.1666")
    assert len(wire.sent) == 2


@pytest.mark.parametrize("content", ["", "1", "{}x", '[{"unitPrice": 1}]', "[1]", "[{"])
def test_a_spoilt_cache_is_read_anew(listed: Kept, wire: Canned, content: str) -> None:
    wire.on("GET", API, page(ROWS))
    first = listed("eastus")
    with listed.database.begin() as db:
        db.execute(update(kept_prices).values(rows=content))
    assert listed("eastus") == first
    assert len(wire.sent) == 2


def test_a_cache_from_the_future_is_read_anew(listed: Kept, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS))
    listed("eastus")
    listed.now -= timedelta(days=1)
    listed("eastus")
    assert len(wire.sent) == 2


def test_a_second_console_on_the_database_asks_for_nothing(listed: Kept, azure: AzureSession, wire: Canned) -> None:
    wire.on("GET", API, page(ROWS))
    first = listed("eastus")
    assert Kept(azure, listed.database)("eastus") == first
    assert len(wire.sent) == 1


def test_a_database_that_is_down_costs_only_the_cache(azure: AzureSession, wire: Canned) -> None:
    def down() -> Engine:
        raise ServiceError("The console's database could not be opened", "It is down.", "Start it.", "NoDatabase")

    wire.on("GET", API, page(ROWS))
    found = list_prices(azure, down, "USD", ["eastus"])
    assert found.by_region["eastus"].source is PriceSource.API
    assert found.error is None


def test_what_is_no_price_list_is_not_kept(listed: Kept, wire: Canned) -> None:
    wire.on("GET", API, page([{"currencyCode": "USD"}]), page(ROWS))
    assert listed("eastus").error
    assert listed("eastus").by_region["eastus"].source is PriceSource.API
