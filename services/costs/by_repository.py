"""A registry's bill split by repository, so that teams can be charged their part.

The rule: by stored bytes. What only one repository has counts for it alone; what several have is split in proportion
to how much shared content each points to. Fees are split like storage. What Azure reports as stored beyond what the
repositories list (layers that no manifest points to, what soft delete keeps) is a part of its own: uncounted.
The parts add up to the bill to the cent (largest remainders).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from services.images.storage import RegistryStorage
from services.pricing.money import CENT, ZERO, cents


@dataclass(frozen=True)
class RepositoryCost:
    """A repository, or all below a prefix. `unique` bytes are its own; `part` is its share of the shared ones.
    `counted` False: the stored bytes that no repository lists."""

    name: str
    unique: int
    part: Decimal
    amount: Decimal
    counted: bool = True


# No repository can have this name: theirs are in lower case.
UNCOUNTED = "Uncounted"


def split_bill(bill: Decimal, storage: RegistryStorage, stored_bytes: int | None = None) -> tuple[RepositoryCost, ...]:
    """The highest amount first. Empty if the registry stores nothing.

    `stored_bytes` is what Azure reports as stored: what `storage` lacks of it is `UNCOUNTED`. Amounts are in cents, and
    their sum is the bill in cents.
    """
    pointed_to = sum(repository.shared for repository in storage.repositories)
    sizes = {
        repository.name: repository.unique
        + (Decimal(storage.shared) * repository.shared / pointed_to if pointed_to else ZERO)
        for repository in storage.repositories
    }
    uncounted = max((stored_bytes or 0) - storage.total, 0)
    if uncounted:
        sizes[UNCOUNTED] = Decimal(uncounted)
    in_all = sum(sizes.values(), ZERO)
    if not in_all:
        return ()
    total = cents(bill)
    exact = {name: total * size / in_all for name, size in sizes.items()}
    amounts = {name: amount.quantize(CENT, ROUND_FLOOR) for name, amount in exact.items()}
    left = int((total - sum(amounts.values())) / CENT)
    by_remainder = sorted(exact, key=lambda name: (amounts[name] - exact[name], name))
    for name in by_remainder[:left]:
        amounts[name] += CENT
    found = [
        RepositoryCost(one.name, one.unique, sizes[one.name] - one.unique, amounts[one.name])
        for one in storage.repositories
    ]
    if uncounted:
        found.append(RepositoryCost(UNCOUNTED, uncounted, ZERO, amounts[UNCOUNTED], counted=False))
    return tuple(sorted(found, key=lambda one: (-one.amount, one.name)))


def by_prefix(repositories: Iterable[RepositoryCost]) -> tuple[RepositoryCost, ...]:
    """Added up by prefix, up to and with the first slash: 'team/'. A name without a slash is its own group."""
    groups: defaultdict[tuple[str, bool], list[RepositoryCost]] = defaultdict(list)
    for one in repositories:
        prefix, slash, _ = one.name.partition("/")
        groups[prefix + slash, one.counted].append(one)
    found = [
        RepositoryCost(
            name,
            sum(one.unique for one in group),
            sum((one.part for one in group), ZERO),
            sum((one.amount for one in group), ZERO),
            counted,
        )
        for (name, counted), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.amount, one.name)))
