"""List prices cached on disk for a day: cost pages open at once, and offline they show what was read last."""

import json
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.pricing.price_snapshot import CURRENCY, snapshot
from services.pricing.prices import Prices
from services.pricing.retail_prices import Row, prices_of, read_price_rows

MAX_AGE = timedelta(days=1)


@dataclass(frozen=True)
class PriceList:
    """Prices by region, all in `currency`: USD if only the snapshot is available.

    `error`: why some or all prices are out of date or missing.
    """

    currency: str
    by_region: Mapping[str, Prices]
    error: ServiceError | None = None


@dataclass(frozen=True)
class _Cached:
    at: datetime
    rows: list[Row]


def list_prices(
    session: AzureSession,
    folder: Path,
    currency: str,
    regions: Collection[str],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> PriceList:
    """The prices of the regions: from the cache if younger than a day, else from the API (one request for all), else
    from an older cache, else from the snapshot. Each Prices names its source. Never raises ServiceError: see `error`.
    """
    host = urlsplit(session.endpoints.retail_prices).hostname or "none"
    file = folder / "prices" / f"{host}-{currency}.json"
    kept = _load(file)
    old = [region for region in regions if region not in kept or not timedelta(0) <= now() - kept[region].at < MAX_AGE]
    error = None
    if old:
        try:
            rows = read_price_rows(session, currency, old)
            prices_of(rows, currency, now())  # Rows that are no prices are not cached.
            for region in old:
                kept[region] = _Cached(now(), [row for row in rows if row["armRegionName"] == region])
            _save(file, kept)
        except ServiceError as refused:
            error = refused
    found: dict[str, Prices] = {}
    for region in regions:
        if region in kept:
            in_force = prices_of(kept[region].rows, currency, now())
            found |= {name: replace(prices, at=kept[region].at) for name, prices in in_force.items()}
    if not found or currency == CURRENCY:
        return PriceList(CURRENCY, {region: found.get(region) or snapshot(region) for region in regions}, error)
    return PriceList(currency, found, error)


def _load(file: Path) -> dict[str, _Cached]:
    """The cached rows; empty if the file is missing or invalid, whatever is in it: the API is asked again then."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        found = {region: _Cached(datetime.fromisoformat(kept["at"]), kept["rows"]) for region, kept in document.items()}
        for kept in found.values():
            prices_of(kept.rows, "", kept.at)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ServiceError):
        return {}
    return found


def _save(file: Path, kept: Mapping[str, _Cached]) -> None:
    """Writes the file atomically. A folder that can't be written to only means no cache."""
    document = {region: {"at": one.at.isoformat(), "rows": one.rows} for region, one in kept.items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(document, default=str), encoding="utf-8")
        unfinished.replace(file)
    except OSError:
        return
