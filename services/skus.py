"""What Basic, Standard and Premium have today, each figure with its source and the date when it was read there."""

from dataclasses import dataclass
from enum import StrEnum


class Sku(StrEnum):
    """The SKUs that a registry can be created with, the smallest first. Classic is retired and has no price here."""

    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"


def sku_of(name: str) -> Sku | None:
    """The SKU that ARM calls `name`; None for Classic and for what this console does not know."""
    return next((sku for sku in Sku if sku.casefold() == name.casefold()), None)


@dataclass(frozen=True)
class Limits:
    """`included_gib` is paid with the fixed fee; beyond it each GiB costs, up to `capacity_tib`."""

    included_gib: int
    capacity_tib: int
    webhooks: int
    tokens: int


# https://learn.microsoft.com/azure/container-registry/container-registry-skus#registry-features-and-limits
LIMITS = {
    Sku.BASIC: Limits(10, 40, 2, 100),
    Sku.STANDARD: Limits(100, 40, 10, 500),
    Sku.PREMIUM: Limits(500, 100, 500, 50_000),
}
