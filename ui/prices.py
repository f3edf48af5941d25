"""The prices that a cost view counts with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.price_snapshot import CURRENCY, snapshot
from services.prices import Prices


@dataclass(frozen=True)
class PriceBook:
    """The prices of several regions, all in `currency`, for a month of `days`."""

    currency: str
    days: int
    by_region: Mapping[str, Prices]

    def of(self, region: str) -> Prices:
        """The prices of one of the regions that were asked for. Raises KeyError."""
        return self.by_region[region]


def choose_prices(who: str, regions: Iterable[str]) -> PriceBook:  # noqa: ARG001
    """Draws what prices are to be counted with, and gives them."""
    return PriceBook(CURRENCY, 30, {region: snapshot(region) for region in regions})
