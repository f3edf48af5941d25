"""A snapshot of list prices, for when the Retail Prices API can't be reached. US dollars, public cloud.

Basic and Premium as the API gave them for eastus (2026-10-05) and eastus2 (2026-10-01); no public region was found to
differ. Storage in replicas, and Standard, are of the same autumn; those of connected registries are unknown.
"""

from datetime import UTC, datetime
from decimal import Decimal

from services.pricing.prices import Prices, PriceSource, Tier
from services.registries.skus import Sku

TAKEN = datetime(2026, 10, 1, tzinfo=UTC)
CURRENCY = "USD"


def snapshot(region: str) -> Prices:
    """The snapshot, as the prices of `region`."""
    return Prices(
        region=region,
        currency=CURRENCY,
        registry_day={Sku.BASIC: Decimal("0.1666"), Sku.STANDARD: Decimal("0.6666"), Sku.PREMIUM: Decimal("1.6666")},
        stored_gib=dict.fromkeys(Sku, Decimal("0.10")),
        replica_day=Decimal("1.6666"),
        replica_gib=Decimal("0.10"),
        task_second=(Tier(Decimal(0), Decimal(0)), Tier(Decimal(6000), Decimal("0.0001"))),
        connected_day=None,
        source=PriceSource.SNAPSHOT,
        at=TAKEN,
    )
