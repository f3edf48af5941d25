"""A team's own prices, which override list prices: from a CSV or TOML file, by Azure's names of the meters.

CSV, with these columns in any order; sku and region only if a price is not the same for all:

    meter,sku,region,currency,price
    Premium Registry Unit,,,EUR,1.21
    Data Stored,Premium,westeurope,EUR,0.07

TOML says the same:

    currency = "EUR"
    [[price]]
    meter = "Premium Registry Unit"
    price = 1.21
"""

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from services.pricing.prices import Prices, PriceSource, Tier
from services.registries.skus import Sku, sku_of

METERS = (
    *(f"{sku} Registry Unit" for sku in Sku),
    "Data Stored",
    "Premium Registry Replication Unit",
    "Premium GB Registry Replication Data Stored",
    "Task vCPU Duration",
    "Premium Connected registry",
)
FIELDS = ("meter", "sku", "region", "currency", "price")
# More than any registry-day, GiB-month or vCPU-second costs in any currency.
HIGHEST_PRICE = Decimal(1_000_000)
LARGEST_FILE = 1024 * 1024


class SheetError(ValueError):
    """An error in a price sheet, with its line and column, counted from 1. Column 0: the whole line."""

    def __init__(self, line: int, column: int, what: str) -> None:
        place = f"Line {line}, column {column}" if column else f"Line {line}"
        super().__init__(f"{place}: {what}")
        self.line, self.column, self.what = line, column, what


@dataclass(frozen=True)
class SheetPrice:
    """`sku` None, `region` "": all of them. `price` is for one unit of the meter: a day, a GiB-month, a second."""

    meter: str
    sku: Sku | None
    region: str
    price: Decimal


@dataclass(frozen=True)
class PriceSheet:
    """Prices in one currency."""

    currency: str
    prices: tuple[SheetPrice, ...]


@dataclass(frozen=True)
class _Cell:
    """A value and its position."""

    text: str
    line: int
    column: int


def read_sheet(name: str, content: bytes) -> PriceSheet:
    """The sheet in a file of that name. Raises SheetError."""
    if len(content) > LARGEST_FILE:
        raise SheetError(1, 0, "the file is larger than 1 MiB: too large for a price sheet")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise SheetError(line, exc.start - content.rfind(b"\n", 0, exc.start), "the file is not UTF-8") from exc
    rows = _toml(text) if name.casefold().endswith(".toml") else _csv(text)
    return _sheet(list(rows))


def _csv(text: str) -> Iterator[Mapping[str, _Cell]]:
    lines = text.splitlines()
    reader = csv.reader(lines, strict=True)
    try:
        names = [name.strip().casefold() for name in next(reader, [])]
        for position, name in enumerate(names):
            if name not in FIELDS:
                column = _columns(lines[0], names)[position]
                raise SheetError(1, column, f"there is no column {name!r}; there are {', '.join(FIELDS)}")
        for missing in [name for name in ("meter", "price", "currency") if name not in names]:
            raise SheetError(1, 0, f"the column {missing!r} is missing")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            line = reader.line_num
            columns = _columns(lines[line - 1], row)
            if len(row) > len(names):
                raise SheetError(line, columns[len(names)], "there are more values than columns")
            yield {
                name: _Cell(cell.strip(), line, column)
                for name, cell, column in zip(names, row, columns, strict=False)
                if cell.strip()
            }
    except csv.Error as exc:
        raise SheetError(reader.line_num, 0, str(exc)) from exc


def _columns(line: str, cells: list[str]) -> list[int]:
    """Where each cell of a line begins."""
    columns, at = [], 0
    for cell in cells:
        found = line.find(cell, at)
        columns.append(max(found, at) + 1)
        at = max(found, at) + len(cell)
    return columns


def _toml(text: str) -> Iterator[Mapping[str, _Cell]]:
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as exc:
        place = re.search(r"line (\d+), column (\d+)", str(exc))
        line, column = (int(place[1]), int(place[2])) if place else (text.count("\n") + 1, 0)
        raise SheetError(line, column, str(exc).partition(" (at ")[0]) from exc
    places = list(_places(text))
    entries = document.get("price")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SheetError(1, 0, "there is no [[price]] in it")

    def cell(entry: int, name: str, value: object) -> _Cell:
        line, column = next((place[2:] for place in places if place[:2] == (entry, name)), (1, 0))
        if name not in FIELDS and not (entry < 0 and name == "price"):
            raise SheetError(line, column, f"there is no {name!r}; there are {', '.join(FIELDS)}")
        return _Cell(str(value).strip(), line, column)

    everywhere = {name: cell(-1, name, value) for name, value in document.items() if name != "price"}
    for number, entry in enumerate(entries):
        own = {name: cell(number, name, value) for name, value in entry.items()}
        yield everywhere | own


def _places(text: str) -> Iterator[tuple[int, str, int, int]]:
    """Entry (-1: before the first), key, line, and column of its value, for files with one key per line."""
    entry = -1
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[\s*price\s*\]\]", line):
            entry += 1
        elif found := re.match(r"\s*([\w-]+)\s*=\s*", line):
            yield entry, found[1], number, found.end() + 1


def _sheet(rows: list[Mapping[str, _Cell]]) -> PriceSheet:
    if not rows:
        raise SheetError(1, 0, "the file has no prices")
    currency = ""
    found: dict[tuple[str, Sku | None, str], SheetPrice] = {}
    for row in rows:
        first = next(iter(row.values()))
        for missing in [name for name in ("meter", "price", "currency") if name not in row]:
            raise SheetError(first.line, 0, f"{missing} is missing")
        said = row["currency"]
        if not re.fullmatch(r"[A-Z]{3}", said.text):
            raise SheetError(said.line, said.column, f"{said.text!r} is no currency: write three capitals, such as USD")
        if currency and said.text != currency:
            raise SheetError(said.line, said.column, f"{said.text} beside {currency}: a sheet has one currency")
        currency = said.text
        price = _price(row)
        key = (price.meter, price.sku, price.region)
        if key in found:
            raise SheetError(first.line, 0, f"{price.meter} has a price for the same SKU and region already")
        found[key] = price
    return PriceSheet(currency, tuple(found.values()))


def _price(row: Mapping[str, _Cell]) -> SheetPrice:
    meter = row["meter"]
    name = next((known for known in METERS if known.casefold() == meter.text.casefold()), None)
    if name is None:
        raise SheetError(meter.line, meter.column, f"there is no meter {meter.text!r}; there are {', '.join(METERS)}")
    sku = None
    if said := row.get("sku"):
        sku = sku_of(said.text)
        if sku is None or name != "Data Stored":
            reason = f"{said.text!r} is no SKU" if sku is None else f"{name} is of one SKU only: leave it empty"
            raise SheetError(said.line, said.column, reason)
    amount = row["price"]
    try:
        price = Decimal(amount.text)
    except InvalidOperation as exc:
        hint = ": write a point, not a comma" if "," in amount.text else ""
        raise SheetError(amount.line, amount.column, f"{amount.text!r} is no number{hint}") from exc
    if not price.is_finite() or not 0 <= price <= HIGHEST_PRICE:
        raise SheetError(amount.line, amount.column, f"a price is between 0 and {HIGHEST_PRICE:,}, not {amount.text}")
    region = row["region"].text.casefold().replace(" ", "") if "region" in row else ""
    return SheetPrice(name, sku, region, price)


def with_sheet(prices: Prices, sheet: PriceSheet) -> Prices:
    """`prices` overridden by the sheet's: those for the region win over those for all regions.

    Raises ValueError where the sheet is in another currency.
    """
    if sheet.currency != prices.currency:
        raise ValueError(f"The price sheet is in {sheet.currency}, the prices in {prices.currency}")
    mine = sorted((price for price in sheet.prices if price.region in ("", prices.region)), key=lambda one: one.region)

    def own(meter: str, listed: Decimal | None, sku: Sku | None = None) -> Decimal | None:
        fitting = [price for price in mine if price.meter == meter and price.sku in (None, sku)]
        # The last is the most specific: for this region, and for this SKU.
        fitting.sort(key=lambda price: (price.region != "", price.sku is not None))
        return fitting[-1].price if fitting else listed

    def by_sku(listed: Mapping[Sku, Decimal], meter: str) -> dict[Sku, Decimal]:
        found = {sku: own(meter.format(sku=sku), listed.get(sku), sku) for sku in Sku}
        return {sku: price for sku, price in found.items() if price is not None}

    if not mine:
        return prices
    second = own("Task vCPU Duration", None)
    return replace(
        prices,
        registry_day=by_sku(prices.registry_day, "{sku} Registry Unit"),
        stored_gib=by_sku(prices.stored_gib, "Data Stored"),
        replica_day=own("Premium Registry Replication Unit", prices.replica_day),
        replica_gib=own("Premium GB Registry Replication Data Stored", prices.replica_gib),
        # Free tiers stay free.
        task_second=prices.task_second
        if second is None
        else tuple(Tier(tier.above, second if tier.price else tier.price) for tier in prices.task_second)
        or (Tier(Decimal(0), second),),
        connected_day=own("Premium Connected registry", prices.connected_day),
        source=PriceSource.SHEET,
    )
