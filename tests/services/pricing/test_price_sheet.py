from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.price_sheet import (
    LARGEST_FILE,
    METERS,
    PriceSheet,
    SheetError,
    SheetPrice,
    read_sheet,
    with_sheet,
)
from services.pricing.price_snapshot import snapshot
from services.pricing.prices import Prices, PriceSource, Tier
from services.registries.skus import Sku

CSV = b"""meter,sku,region,currency,price
Premium Registry Unit,,,USD,1.20
Data Stored,Premium,West Europe,USD,0.07
Data Stored,,,USD,0.09
Task vCPU Duration,,,USD,0.00005
"""
TOML = b"""currency = "USD"

[[price]]
meter = "Premium Registry Unit"
price = 1.20

[[price]]
meter = "Data Stored"
sku = "Premium"
region = "westeurope"
price = 0.07

[[price]]
meter = "Data Stored"
price = "0.09"

[[price]]
meter = "Task vCPU Duration"
price = 0.00005
"""


def priced(sheet: PriceSheet, region: str = "westeurope") -> Prices:
    return with_sheet(snapshot(region), sheet)


def error(name: str, content: bytes) -> tuple[int, int, str]:
    with pytest.raises(SheetError) as caught:
        read_sheet(name, content)
    assert str(caught.value).startswith(f"Line {caught.value.line}")
    return caught.value.line, caught.value.column, caught.value.what


def test_csv_and_toml_say_the_same() -> None:
    sheet = read_sheet("prices.csv", CSV)
    assert sheet == read_sheet("Prices.TOML", TOML)
    assert sheet.currency == "USD"
    assert sheet.prices[0] == SheetPrice("Premium Registry Unit", None, "", Decimal("1.20"))


def test_a_sheet_is_over_the_list_and_what_it_does_not_name_stays() -> None:
    listed, prices = snapshot("westeurope"), priced(read_sheet("a.csv", CSV))
    assert prices.registry_day == {**listed.registry_day, Sku.PREMIUM: Decimal("1.20")}
    assert prices.replica_day == listed.replica_day
    assert prices.source is PriceSource.SHEET


def test_the_price_of_the_region_and_the_sku_goes_before_that_of_all() -> None:
    sheet = read_sheet("a.csv", CSV)
    here = {Sku.BASIC: Decimal("0.09"), Sku.STANDARD: Decimal("0.09"), Sku.PREMIUM: Decimal("0.07")}
    assert priced(sheet).stored_gib == here
    assert priced(sheet, "eastus").stored_gib == dict.fromkeys(Sku, Decimal("0.09"))
    regional = read_sheet("a.csv", b"meter,region,currency,price\nData Stored,eastus,USD,1\nData Stored,,USD,2\n")
    assert priced(regional, "eastus").stored_gib == dict.fromkeys(Sku, Decimal(1))


def test_build_seconds_that_are_free_stay_free() -> None:
    assert priced(read_sheet("a.csv", CSV)).task_second == (
        Tier(Decimal(0), Decimal(0)),
        Tier(Decimal(6000), Decimal("0.00005")),
    )


def test_a_sheet_that_names_another_region_only_leaves_the_list_prices() -> None:
    sheet = read_sheet("a.csv", b"meter,region,currency,price\nBasic Registry Unit,eastus,USD,0.1\n")
    assert priced(sheet) == snapshot("westeurope")


def test_a_sheet_in_another_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="in EUR, the prices in USD"):
        priced(PriceSheet("EUR", (SheetPrice("Data Stored", None, "", Decimal(1)),)))


@pytest.mark.parametrize(
    ("content", "line", "column", "what"),
    [
        (b"meter,prise,currency\n", 1, 7, "there is no column 'prise'"),
        (b"meter,currency\n", 1, 0, "the column 'price' is missing"),
        (b"meter,currency,price\nBasic Unit,USD,1\n", 2, 1, "there is no meter 'Basic Unit'"),
        (b"meter,currency,price\nBasic Registry Unit,USD,1\nData Stored,USD,0.l\n", 3, 17, "'0.l' is no number"),
        (b"meter,currency,price\nData Stored,USD,-0.1\n", 2, 17, "a price is between 0 and"),
        (b"meter,currency,price\nData Stored,USD,NaN\n", 2, 17, "a price is between 0 and"),
        (b"meter,currency,price\nData Stored,USD,1e9\n", 2, 17, "a price is between 0 and"),
        (b'meter,currency,price\nData Stored,USD,"0,1"\n', 2, 18, "'0,1' is no number: write a point, not a comma"),
        (b"meter,currency,price\nData Stored,USD,0,1\n", 2, 19, "there are more values than columns"),
        (b"meter,currency,price\nData Stored,$,1\n", 2, 13, "'$' is no currency"),
        (b"meter,currency,price\nData Stored,USD,1\nBasic Registry Unit,EUR,1\n", 3, 21, "EUR beside USD"),
        (b"meter,sku,currency,price\nData Stored,Gold,USD,1\n", 2, 13, "'Gold' is no SKU"),
        (
            b"meter,sku,currency,price\nBasic Registry Unit,Basic,USD,1\n",
            2,
            21,
            "Basic Registry Unit is of one SKU only",
        ),
        (b"meter,currency,price\nData Stored,USD,1\n\ndata stored,USD,2\n", 4, 0, "Data Stored has a price"),
        (b"meter,currency,price\nData Stored,USD\n", 2, 0, "price is missing"),
        (b"meter,currency,price\n", 1, 0, "the file has no prices"),
        (b"", 1, 0, "is missing"),
        (b'meter,currency,price\nData Stored,USD,"1\n', 2, 0, "unexpected end of data"),
        (b"meter,currency,price\nData \xff,USD,1\n", 2, 6, "the file is not UTF-8"),
        (b"x" * (LARGEST_FILE + 1), 1, 0, "larger than 1 MiB"),
    ],
)
def test_a_typo_in_csv_is_told_by_line_and_column(content: bytes, line: int, column: int, what: str) -> None:
    found = error("prices.csv", content)
    assert found[:2] == (line, column)
    assert what in found[2]


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "what"),
    [
        (b"price = 1.20", b"price = 1.2O", 5, 12, "Expected newline or end of document"),
        (b"price = 1.20", b'price = "1.2O"', 5, 9, "'1.2O' is no number"),
        (b'meter = "Premium Registry Unit"', b'meter = "Premium Unit"', 4, 9, "there is no meter 'Premium Unit'"),
        (b'sku = "Premium"', b'sku = "Best"', 9, 7, "'Best' is no SKU"),
        (b'sku = "Premium"', b'tier = "Premium"', 9, 8, "there is no 'tier'"),
        (b'currency = "USD"', b'currency = "usd"', 1, 12, "'usd' is no currency"),
        (b"price = 0.00005", b"price = -1", 19, 9, "a price is between 0 and"),
        (b"[[price]]", b"[[prices]]", 1, 0, "there is no [[price]] in it"),
    ],
)
def test_a_typo_in_toml_is_told_by_line_and_column(old: bytes, new: bytes, line: int, column: int, what: str) -> None:
    found = error("prices.toml", TOML.replace(old, new))
    assert found[:2] == (line, column)
    assert what in found[2]


@given(st.binary(max_size=200) | st.text(alphabet='meter,price\n"=[]USD0.1', max_size=200).map(str.encode))
def test_whatever_is_in_a_file_is_a_sheet_or_an_error_with_a_place(content: bytes) -> None:
    for name in ("a.csv", "a.toml"):
        try:
            sheet = read_sheet(name, content)
        except SheetError as found:
            assert found.line >= 1 and found.column >= 0
        else:
            assert sheet.prices and all(price.meter in METERS and price.price >= 0 for price in sheet.prices)
