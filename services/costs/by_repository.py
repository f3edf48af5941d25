"""A registry's bill split by repository, so that teams can be charged their part.

The rule: by stored bytes. What only one repository has counts for it alone; what several have is split in proportion
to how much shared content each points to. Fees are split like storage.
The parts add up to the bill to the cent (largest remainders).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from services.images.storage import RegistryStorage
from services.pricing.money import CENT, cents


@dataclass(frozen=True)
class RepositoryCost:
    """A repository, or all below a prefix. `unique` bytes are its own; `part` is its share of the shared ones."""

    name: str
    unique: int
    part: Decimal
    amount: Decimal


def split_bill(bill: Decimal, storage: RegistryStorage) -> tuple[RepositoryCost, ...]:
    """The highest amount first. Empty if the registry stores nothing.

    Amounts are in cents, and their sum is the bill in cents.
    """
    pointed_to = sum(repository.shared for repository in storage.repositories)
    sizes = {
        repository.name: repository.unique
        + (Decimal(storage.shared) * repository.shared / pointed_to if pointed_to else Decimal(0))
        for repository in storage.repositories
    }
    in_all = sum(sizes.values(), Decimal(0))
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
    return tuple(sorted(found, key=lambda one: (-one.amount, one.name)))


def by_prefix(repositories: Iterable[RepositoryCost]) -> tuple[RepositoryCost, ...]:
    """Added up by prefix, up to and with the first slash: 'team/'. A name without a slash is its own group."""
    groups: defaultdict[str, list[RepositoryCost]] = defaultdict(list)
    for one in repositories:
        prefix, slash, _ = one.name.partition("/")
        groups[prefix + slash].append(one)
    found = [
        RepositoryCost(
            name,
            sum(one.unique for one in group),
            sum((one.part for one in group), Decimal(0)),
            sum((one.amount for one in group), Decimal(0)),
        )
        for name, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.amount, one.name)))
