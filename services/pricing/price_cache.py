"""List prices, kept on disk for a day: cost views open at once, and a closed network shows what was read last."""

import json
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.pricing.price_snapshot import CURRENCY, snapshot
from services.pricing.prices import Prices
from services.pricing.retail_prices import Row, prices_of, read_price_rows

KEPT = timedelta(days=1)


@dataclass(frozen=True)
class PriceList:
    """Prices by region, all in `currency`: another than asked for where only the snapshot is there.

    `error` says why some or all of them are older than they should be, or are missing.
    """

    currency: str
    by_region: Mapping[str, Prices]
    error: ServiceError | None = None


@dataclass(frozen=True)
class _Kept:
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
    """What the regions' meters cost: as read within the last day, else from the API (one request for all of them), else
    as read last, else from the snapshot. Each Prices says which. Never raises ServiceError: its error says why.
    """
    host = urlsplit(session.endpoints.retail_prices).hostname or "none"
    file = folder / "prices" / f"{host}-{currency}.json"
    kept = _load(file)
    old = [region for region in regions if region not in kept or not timedelta(0) <= now() - kept[region].at < KEPT]
    error = None
    if old:
        try:
            rows = read_price_rows(session, currency, old)
            prices_of(rows, currency, now())  # What can't be read as prices is not kept.
            for region in old:
                kept[region] = _Kept(now(), [row for row in rows if row["armRegionName"] == region])
            _save(file, kept)
        except ServiceError as refused:
            error = refused
    found: dict[str, Prices] = {}
    for region in regions:
        if region in kept:
            found |= prices_of(kept[region].rows, currency, kept[region].at)
    if not found or currency == CURRENCY:
        return PriceList(CURRENCY, {region: found.get(region) or snapshot(region) for region in regions}, error)
    return PriceList(currency, found, error)


def _load(file: Path) -> dict[str, _Kept]:
    """What is on disk; nothing where it can't be read, whatever it is: it is read from the API again then."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        found = {region: _Kept(datetime.fromisoformat(kept["at"]), kept["rows"]) for region, kept in document.items()}
        for kept in found.values():
            prices_of(kept.rows, "", kept.at)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ServiceError):
        return {}
    return found


def _save(file: Path, kept: Mapping[str, _Kept]) -> None:
    """In one move, so that no reader finds half of it. A folder that can't be written to costs only the cache."""
    document = {region: {"at": one.at.isoformat(), "rows": one.rows} for region, one in kept.items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(document, default=str), encoding="utf-8")
        half.replace(file)
    except OSError:
        return
