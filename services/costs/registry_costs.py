"""One figure a registry for lists: what it costs this month, and in the month before. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.costs.review import Review


@dataclass(frozen=True)
class RegistryCost:
    """What a registry costs in the reviewed month, by its end. `before`: the cost of the month before, None where
    unknown. `estimated`: `amount` is at list prices, as no bill has the registry."""

    amount: Decimal
    currency: str
    before: Decimal | None
    estimated: bool

    @property
    def change(self) -> Decimal | None:
        return None if self.before is None else self.amount - self.before


def registry_costs(review: Review) -> Mapping[str, RegistryCost]:
    """Registry id in lower case → its cost; without those whose cost is unknown. One that was billed in two currencies
    is there in the one that is billed now."""
    order = {currency: place for place, currency in enumerate(review.currencies)}
    lines = sorted(review.lines, key=lambda line: order.get(line.currency, len(order)), reverse=True)
    return {
        line.registry_id.casefold(): RegistryCost(
            line.figure, line.currency, line.before, line.cost is None and line.forecast is None
        )
        for line in lines
        if line.figure is not None
    }
