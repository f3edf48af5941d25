"""What a clean-up would free: untagged bytes by repository over all registries, and what they cost a month. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.images.storage import RegistryStorage
from services.pricing.estimates import GIB, Use, estimate, gib, use_of
from services.pricing.money import ZERO
from services.pricing.prices import Prices
from services.registries.registry import Registry
from services.registries.skus import sku_of
from services.wording import counted


@dataclass(frozen=True)
class Measurement:
    """A registry's untagged bytes by repository, without those that have none, read `at`.

    `listed`: the bytes of all images in its listings, None where not all was read. `unread`: why they are unknown, ""
    where all was read: what was not read may refer to what seems untagged.
    """

    login_server: str
    at: datetime
    untagged: Mapping[str, int]
    unread: str = ""
    listed: int | None = None


@dataclass(frozen=True)
class Saving:
    """What a month costs less. `amount` None: unknown; `why` says why it is unknown, or nothing."""

    amount: Decimal | None
    currency: str
    why: str = ""


@dataclass(frozen=True)
class Waste:
    """The untagged bytes of one repository, and what is saved if only they are deleted."""

    registry: Registry
    repository: str
    bytes: int
    saving: Saving


@dataclass(frozen=True)
class Potential:
    """`waste` of all measured registries, the most bytes first. `saving`: of all of it, a Saving a currency.

    `measured` counts the registries whose bytes are known; `unread` has the others that were tried, with the reason.
    `unlisted`: registries whose usage is far above what their listings count, with the difference, the most first.
    """

    waste: tuple[Waste, ...]
    bytes: int
    savings: tuple[Saving, ...]
    measured: int
    unread: tuple[tuple[Registry, str], ...]
    unlisted: tuple[tuple[Registry, int], ...] = ()


def measure(login_server: str, storage: RegistryStorage, at: datetime) -> Measurement:
    """What was read of a registry, as `Measurement`."""
    if not storage.complete:
        parts = (
            counted(storage.missing, "repository", "repositories") if storage.missing else "",
            counted(number, "manifest") if (number := sum(one.unread for one in storage.repositories)) else "",
            f"{counted(number, 'manifest')} not listed"
            if (number := sum(one.hidden for one in storage.repositories))
            else "",
        )
        return Measurement(login_server, at, {}, f"Not read: {', '.join(part for part in parts if part)}")
    untagged = {one.name: one.untagged for one in storage.repositories if one.untagged}
    return Measurement(login_server, at, untagged, listed=storage.total)


def saving_of(registry: Registry, freed: int, prices: Prices | None, days: int = 30) -> Saving:
    """What a month of `days` costs less with `freed` bytes less in the registry and each of its replicas."""
    sku, use = sku_of(registry.sku), use_of(registry)
    if sku is None:
        return Saving(None, "", f"{registry.sku} has no price")
    if use is None:
        return Saving(None, "", "Its usage or its replicas could not be read")
    if prices is None:
        return Saving(None, "", "No price of its region is known")
    less = Use(max(use.stored_gib - gib(freed), ZERO), use.replicas)
    before, after = estimate(sku, use, prices, days), estimate(sku, less, prices, days)
    if before.unpriced or after.unpriced:
        return Saving(None, prices.currency, f"No price for {', '.join(before.unpriced or after.unpriced)}")
    amount = before.total - after.total
    return Saving(amount, prices.currency, "" if amount else "Within the included storage")


def clean_up_potential(
    registries: Iterable[Registry],
    measured: Mapping[str, Measurement],
    prices: Mapping[str, Prices],
    days: int = 30,
) -> Potential:
    """What is known of these registries. `measured`: by login server; `prices`: by region."""
    waste: list[Waste] = []
    savings: list[Saving] = []
    unread: list[tuple[Registry, str]] = []
    unlisted: list[tuple[Registry, int]] = []
    known = 0
    for registry in registries:
        found = measured.get(registry.login_server)
        if found is None:
            continue
        if found.unread:
            unread.append((registry, found.unread))
            continue
        known += 1
        stored = registry.stored_bytes
        if stored is not None and found.listed is not None and far_above(stored, found.listed):
            unlisted.append((registry, stored - found.listed))
        price = prices.get(registry.location)
        if found.untagged:
            savings.append(saving_of(registry, sum(found.untagged.values()), price, days))
        waste += [
            Waste(registry, name, untagged, saving_of(registry, untagged, price, days))
            for name, untagged in found.untagged.items()
        ]
    waste.sort(key=lambda one: (-one.bytes, one.registry.name, one.repository))
    unlisted.sort(key=lambda one: (-one[1], one[0].name))
    size = sum(one.bytes for one in waste)
    return Potential(tuple(waste), size, _added(savings), known, tuple(unread), tuple(unlisted))


def far_above(stored: int, listed: int) -> bool:
    """Whether Azure reports far more `stored` than the `listed` manifests add up to.

    More than twice as much, by 1 GiB or more: usage is some hours old, so that less says nothing.
    """
    return stored > 2 * listed and stored - listed >= GIB


def _added(savings: Iterable[Saving]) -> tuple[Saving, ...]:
    """A sum for each currency; those that are unknown as one without an amount, which says how many they are."""
    sums: dict[str, Decimal] = {}
    unknown = 0
    for saving in savings:
        if saving.amount is None:
            unknown += 1
        else:
            sums[saving.currency] = sums.get(saving.currency, ZERO) + saving.amount
    found = [Saving(amount, currency) for currency, amount in sorted(sums.items())]
    if unknown:
        found.append(Saving(None, "", f"unknown for {counted(unknown, 'registry', 'registries')}"))
    return tuple(found)
