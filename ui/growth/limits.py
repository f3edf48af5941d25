"""When a registry reaches what its SKU includes, where a larger SKU costs less, and its cap."""

from calendar import monthrange
from datetime import UTC, datetime

import pyarrow as pa

from services.growth.forecast import Forecast
from services.growth.limits import Limit, limits_of
from services.pricing.price_sheet import with_sheet
from services.pricing.prices import Prices
from services.pricing.retail_prices import CURRENCIES
from services.registries.registry import Registry
from ui.elements.columns import Sizes
from ui.elements.table import Cells, show_rows
from ui.loaders.prices import price_list
from ui.pricing.prices import sheet_in_use


def show_limits(who: str, registry: Registry, now: int, ahead: Forecast | None) -> None:
    """A table of the sizes with the days on which they are reached: as expected, at the earliest, at the latest."""
    today = datetime.now(UTC).date()
    found = limits_of(registry.sku, _prices(who, registry), monthrange(today.year, today.month)[1])
    show_rows(
        [_row(one, now, ahead) for one in found],
        "When sizes that matter are reached, by the forecast",
        columns={"Size": Sizes("Stored in the home region")},
        types=dict.fromkeys(("Expected", "Earliest", "Latest"), pa.date32()),
    )


def _row(limit: Limit, now: int, ahead: Forecast | None) -> Cells:
    expected, earliest, latest = ahead.reaches(limit.size) if ahead and limit.size is not None else (None, None, None)
    note = ""
    if limit.size is None:
        note = limit.why[:1].upper() + limit.why[1:]
    elif now >= limit.size:
        note, expected, earliest, latest = "Reached", None, None, None
    elif ahead is None:
        note = "Unknown: no forecast yet"
    elif expected is None:
        note = "Perhaps within a year" if earliest else "Not within a year"
    elif latest is None:
        note = "At the latest after a year"
    return {
        "Limit": limit.name, "Size": limit.size, "Expected": expected, "Earliest": earliest, "Latest": latest,
        "Note": note,
    }  # fmt: skip


def _prices(who: str, registry: Registry) -> Prices | None:
    """Those of the price sheet over list prices; None until they are read."""
    _, sheet = sheet_in_use()
    reading = price_list(who, sheet.currency if sheet else CURRENCIES[0], (registry.location,))
    reading.finished.wait(1)
    prices = reading.value.by_region.get(registry.location)
    return with_sheet(prices, sheet) if prices and sheet and reading.value.currency == sheet.currency else prices
