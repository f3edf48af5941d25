"""Sizes that matter as a registry grows: what its SKU includes, where a larger SKU costs less, and its cap. Pure."""

from dataclasses import dataclass

from services.growth.forecast import Forecast
from services.pricing.break_even import crossings
from services.pricing.estimates import GIB
from services.pricing.prices import Prices
from services.registries.skus import LIMITS, Sku, sku_of

_TIB = 2**40
_NO_SKU = "its SKU has no known limit"


@dataclass(frozen=True)
class Limit:
    """A size in bytes; None where there is none, or it is unknown: `why` says which."""

    name: str
    size: int | None
    why: str = ""


def limits_of(sku_name: str, prices: Prices | None, days: int) -> tuple[Limit, ...]:
    """The included storage, the break-even with the next SKU that costs less for storage alone (in a month of `days`),
    and the most that the SKU stores (https://learn.microsoft.com/azure/container-registry/container-registry-skus)."""
    sku = sku_of(sku_name)
    if sku is None:
        return tuple(Limit(name, None, _NO_SKU) for name in ("Included storage", "A larger SKU costs less", "Cap"))
    limits = LIMITS[sku]
    return (
        Limit("Included storage", limits.included_gib * GIB),
        _break_even(sku, prices, days),
        Limit(f"Cap of {sku}", limits.capacity_tib * _TIB),
    )


def _break_even(sku: Sku, prices: Prices | None, days: int) -> Limit:
    name = "A larger SKU costs less"
    if sku is Sku.PREMIUM:
        return Limit(name, None, "Premium is the largest SKU")
    if prices is None:
        return Limit(name, None, "prices are not known")
    try:
        found = crossings(prices, days)
    except ValueError as error:
        return Limit(name, None, str(error))
    larger = [one for one in found if one.below is sku and list(Sku).index(one.above) > list(Sku).index(sku)]
    if not larger:
        return Limit(name, None, "no larger SKU costs less for storage alone up to 2 TiB")
    first = min(larger, key=lambda one: one.gib)
    return Limit(f"{first.above} costs less", int(first.gib * GIB))


def lowered(ahead: Forecast, bytes_less: int) -> Forecast:
    """The forecast of what is that much smaller now, and grows on as before. Never negative."""
    points = tuple(
        type(one)(
            one.day, max(0, one.bytes - bytes_less), max(0, one.least - bytes_less), max(0, one.most - bytes_less)
        )
        for one in ahead.points
    )
    return Forecast(points, ahead.error, ahead.held_back)
