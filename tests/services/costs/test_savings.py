"""What could be saved: the parts add up, are never negative, and what is not known is counted as such."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.costs.savings import RegistrySaving, add_savings, registry_saving
from services.pricing.price_snapshot import snapshot
from services.pricing.sku_choice import review_sku
from tests.services.pricing.test_sku_choice import GIB, REPLICA, using

LIST = {"eastus": snapshot("eastus")}


def saving(untagged_gib: int | None, stored_gib: int, sku: str = "Premium", **changes: object) -> RegistrySaving:
    review = review_sku(using(stored_gib, sku, **changes), LIST, 30)
    return registry_saving(review, None if untagged_gib is None else untagged_gib * GIB, LIST, 30)


def test_untagged_storage_within_the_included_saves_nothing() -> None:
    found = saving(50, 100, replicas=(REPLICA,), usages=using(100).usages)
    # In its replica it is billed from the first GiB.
    assert found.by_storage == Decimal("5.0")
    assert saving(5, 9, "Basic").by_storage == 0


def test_a_cheaper_sku_and_deleted_storage_are_not_counted_twice() -> None:
    # 600 GiB on Basic cost 5 + 59 USD; Premium is 50 + 10; without 200 GiB, Basic is 5 + 39.
    found = saving(200, 600, "Basic")
    assert (found.by_sku, found.by_storage) == (Decimal("4.0"), Decimal("16.0"))
    assert found.total == Decimal("20.0")


def test_storage_beyond_the_included_is_no_saving_and_what_is_untagged_of_it_counts_once() -> None:
    # 590 GiB beyond the 10 of Basic, at USD 0.10.
    unread, read = saving(None, 600, "Basic"), saving(200, 600, "Basic")
    assert (unread.beyond_gib, unread.beyond, unread.total) == (590, Decimal(59), Decimal(4))
    assert (read.beyond_gib, read.beyond) == (390, Decimal(39))
    assert saving(700, 600, "Basic").beyond == saving(None, 9, "Basic").beyond == 0
    found = add_savings([unread, saving(None, 9, "Basic")])
    assert (found.beyond, found.amount) == ((unread,), Decimal(4))


def test_untagged_storage_that_costs_less_than_a_cent_is_no_part_and_the_most_bytes_are_first() -> None:
    small = registry_saving(review_sku(using(12, "Basic"), LIST, 30), 2**20, LIST, 30)
    included = saving(5, 9, "Basic")
    found = add_savings([small, included])
    assert found.untagged == ()
    assert found.with_untagged == (included, small)


def test_what_is_unknown_is_counted_and_not_added() -> None:
    unread = replace(using(10), usages=None)
    parts = [
        saving(0, 5, "Standard"),
        saving(None, 5, "Standard"),
        registry_saving(review_sku(unread, LIST, 30), None, LIST, 30),
    ]
    found = add_savings(parts)
    assert (found.sku_unknown, found.uncounted, found.registries) == (1, 2, 3)
    assert found.amount == found.by_sku == Decimal(30)
    assert add_savings(parts[2:]).amount is None


@given(st.sampled_from(["Basic", "Standard", "Premium"]), st.integers(0, 5000), st.integers(0, 6000), st.integers(0, 2))
def test_no_saving_is_negative_or_more_than_it_costs(sku: str, stored: int, untagged: int, replicas: int) -> None:
    found = saving(untagged, stored, sku, replicas=(REPLICA,) * (replicas if sku == "Premium" else 0))
    assert found.by_sku is not None
    assert found.by_storage is not None
    assert found.review.present
    assert min(found.by_sku, found.by_storage) >= 0
    assert found.total <= found.review.present.total
    more = saving(untagged + 10, stored, sku, replicas=(REPLICA,) * (replicas if sku == "Premium" else 0))
    assert more.total >= found.total
