"""What could be saved a month: by another SKU, and by deleting untagged manifests where they were counted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from services.pricing.estimates import Line, Part, Use, estimate, gib
from services.pricing.money import ZERO, cents
from services.pricing.prices import Prices
from services.pricing.sku_choice import SkuReview, choose_sku, review_sku
from services.registries.registry import Registry


@dataclass(frozen=True)
class RegistrySaving:
    """What one registry could save a month, in the prices' currency. None: unknown.

    `by_sku`: with the recommended SKU. `by_storage`: besides that, without its `untagged` bytes, so that the two add
    up. Storage within what the SKU includes costs nothing, and deleting it saves nothing.
    """

    review: SkuReview
    by_sku: Decimal | None
    by_storage: Decimal | None
    untagged: int | None

    @property
    def beyond_gib(self) -> Decimal:
        """GiB beyond what the present SKU includes, without those that `by_storage` counts as untagged. 0 where it is
        unknown."""
        over = sum((line.quantity for line in self._storage), ZERO)
        return max(over - gib(self.untagged or 0), ZERO)

    @property
    def beyond(self) -> Decimal:
        """What `beyond_gib` cost a month with the present SKU. It is no part of `total`: how much of it could be
        deleted is unknown."""
        over = sum((line.quantity for line in self._storage), ZERO)
        return sum((line.amount for line in self._storage), ZERO) * self.beyond_gib / over if over else ZERO

    @property
    def _storage(self) -> tuple[Line, ...]:
        lines = self.review.present.lines if self.review.present else ()
        return tuple(line for line in lines if line.part is Part.STORAGE)

    @property
    def total(self) -> Decimal:
        """The sum of what is known."""
        return (self.by_sku or ZERO) + (self.by_storage or ZERO)


def registry_saving(review: SkuReview, untagged: int | None, prices: Mapping[str, Prices], days: int) -> RegistrySaving:
    """`untagged`: bytes that no tag leads to, None where the registry was not counted. `prices` by region."""
    best, needs = review.choice.best if review.choice else None, review.found.needs
    if review.saving is None or review.present is None or needs is None or untagged is None:
        return RegistrySaving(review, review.saving, None, untagged)
    found, left = prices[review.registry.location], max(needs.stored_gib - gib(untagged), ZERO)
    if best:
        fewer = choose_sku(replace(needs, stored_gib=left), found, days).best
        after = min(best.estimate.total, fewer.estimate.total) if fewer else best.estimate.total
        by_storage = review.present.total - review.saving - after
    else:
        used = needs.use
        by_storage = (
            review.present.total
            - estimate(
                review.present.sku, Use(left, used.replicas, used.task_seconds, used.connected), found, days
            ).total
        )
    return RegistrySaving(review, review.saving, max(by_storage, ZERO), untagged)


@dataclass(frozen=True)
class Savings:
    """Of all registries. `amount` is at least what could be saved where any registry's
    SKU is unknown (`sku_unknown`), or its manifests were not all read (`uncounted`).

    `cheaper` have a cheaper SKU. `untagged` have untagged storage that costs a cent or more, `with_untagged` those that
    have any, the most bytes first. `beyond` pay for storage beyond the included that is no part of `amount`. The
    others begin with the largest amount.
    """

    by_sku: Decimal
    by_storage: Decimal
    cheaper: tuple[RegistrySaving, ...]
    untagged: tuple[RegistrySaving, ...]
    with_untagged: tuple[RegistrySaving, ...]
    beyond: tuple[RegistrySaving, ...]
    sku_unknown: int
    uncounted: int
    registries: int

    @property
    def amount(self) -> Decimal | None:
        """None where nothing is known of any registry."""
        known = self.registries - self.sku_unknown or self.registries - self.uncounted
        return self.by_sku + self.by_storage if known or not self.registries else None


def add_savings(found: Iterable[RegistrySaving]) -> Savings:
    """The sums, and which registries have a part in them."""
    found = sorted(found, key=lambda one: (-one.total, one.review.registry.name))
    return Savings(
        by_sku=sum((one.by_sku or ZERO for one in found), ZERO),
        by_storage=sum((one.by_storage or ZERO for one in found), ZERO),
        cheaper=tuple(one for one in found if one.by_sku),
        untagged=tuple(
            sorted((one for one in found if cents(one.by_storage or ZERO)), key=lambda one: -(one.by_storage or ZERO))
        ),
        with_untagged=tuple(sorted((one for one in found if one.untagged), key=lambda one: -(one.untagged or 0))),
        beyond=tuple(sorted((one for one in found if cents(one.beyond)), key=lambda one: -one.beyond)),
        sku_unknown=sum(1 for one in found if one.by_sku is None),
        uncounted=sum(1 for one in found if one.untagged is None),
        registries=len(found),
    )


def savings_of(
    registries: Iterable[Registry], prices: Mapping[str, Prices], untagged: Mapping[str, int], days: int = 30
) -> Savings:
    """Of these registries, in a month of `days`. `prices` by region; `untagged`: bytes that no tag leads to, by login
    server, of the registries that were measured."""
    return add_savings(
        registry_saving(
            review_sku(registry, prices, days),
            untagged.get(registry.login_server) if registry.login_server else None,
            prices,
            days,
        )
        for registry in registries
    )
