"""A registry's bill shared out to its repositories, so that teams can be given theirs.

The rule: by the bytes that each holds. What is in no other repository counts whole; what several hold is split between
them in proportion to how much of such content each points to. Fees are shared like storage: they are paid for it.
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


def share_out(bill: Decimal, storage: RegistryStorage) -> tuple[RepositoryCost, ...]:
    """The dearest first. Empty where the registry stores nothing: then there is nobody to give the bill to.

    Amounts are in cents, and their sum is the bill in cents.
    """
    pointed_to = sum(repository.shared for repository in storage.repositories)
    held = {
        repository.name: repository.unique
        + (Decimal(storage.shared) * repository.shared / pointed_to if pointed_to else Decimal(0))
        for repository in storage.repositories
    }
    in_all = sum(held.values(), Decimal(0))
    if not in_all:
        return ()
    whole = cents(bill)
    exact = {name: whole * size / in_all for name, size in held.items()}
    amounts = {name: amount.quantize(CENT, ROUND_FLOOR) for name, amount in exact.items()}
    left = int((whole - sum(amounts.values())) / CENT)
    by_remainder = sorted(exact, key=lambda name: (amounts[name] - exact[name], name))
    for name in by_remainder[:left]:
        amounts[name] += CENT
    found = [
        RepositoryCost(one.name, one.unique, held[one.name] - one.unique, amounts[one.name])
        for one in storage.repositories
    ]
    return tuple(sorted(found, key=lambda one: (-one.amount, one.name)))


def by_prefix(repositories: Iterable[RepositoryCost]) -> tuple[RepositoryCost, ...]:
    """Added up by what stands before the first slash, which it keeps: 'team/'. What has none stays by itself."""
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
