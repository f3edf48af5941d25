"""List prices kept in the database for a day, for everyone: cost pages open at once, and where the API is out of reach
they show what was read last. Prices are public: the API asks nobody who they are."""

import json
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from sqlalchemy import Engine, select

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.database.engine import put_rows, reading, writing
from services.database.tables import list_prices as kept_prices
from services.pricing.price_snapshot import CURRENCY, snapshot
from services.pricing.prices import Prices
from services.pricing.retail_prices import Row, prices_of, read_price_rows

MAX_AGE = timedelta(days=1)
_LOG = logging.getLogger(__name__)


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
    database: Callable[[], Engine],
    currency: str,
    regions: Collection[str],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> PriceList:
    """The prices of the regions: from the cache if younger than a day, else from the API (one request for all), else
    from an older cache, else from the snapshot. Each Prices names its source. Never raises ServiceError: see `error`.
    """
    host = urlsplit(session.endpoints.retail_prices).hostname or "none"
    kept = _load(database, host, currency)
    old = [region for region in regions if region not in kept or not timedelta(0) <= now() - kept[region].at < MAX_AGE]
    error = None
    if old:
        try:
            rows = read_price_rows(session, currency, old)
            prices_of(rows, currency, now())  # Rows that are no prices are not cached.
            read = {region: _Cached(now(), [row for row in rows if row["armRegionName"] == region]) for region in old}
            kept |= read
            _save(database, host, currency, read)
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


def _load(database: Callable[[], Engine], source: str, currency: str) -> dict[str, _Cached]:
    """By region, the rows that are kept; none where the database can't be read. What is no price list is left out: the
    API is asked again then."""
    asked = select(kept_prices).where(kept_prices.c.source == source, kept_prices.c.currency == currency)
    found: dict[str, _Cached] = {}
    try:
        with reading(database(), "The prices that are kept could not be read") as db:
            rows = db.execute(asked).all()
    except ServiceError as error:
        _LOG.warning("%s", error)
        return {}
    for row in rows:
        with suppress(ValueError, TypeError, KeyError, AttributeError, ServiceError):
            kept = _Cached(row.read, json.loads(row.rows, parse_float=Decimal))
            prices_of(kept.rows, "", kept.at)
            found[row.region] = kept
    return found


def _save(database: Callable[[], Engine], source: str, currency: str, read: Mapping[str, _Cached]) -> None:
    """A database that can't be written to only means that the API is asked again."""
    rows = [
        {
            "source": source, "currency": currency, "region": region, "read": one.at,
            "rows": json.dumps(one.rows, default=str),
        }
        for region, one in read.items()
    ]  # fmt: skip
    try:
        with writing(database(), "The prices could not be kept") as db:
            put_rows(db, kept_prices, rows)
    except ServiceError as error:
        _LOG.warning("%s", error)
