"""Prices and a month's estimate: against worked figures, cases by hand, and a second, plainer arithmetic."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.estimates import Estimate, Part, Use, difference_words, estimate, estimate_of, gib, use_of
from services.pricing.price_snapshot import snapshot
from services.pricing.prices import Prices, Tier, discounted, tiered
from services.registries.registry import Usage
from services.registries.skus import LIMITS, Sku, sku_of
from tests.support.shell_lines import registry, replica

LIST = snapshot("eastus")
GIB = 2**30
sizes = st.decimals(0, 5000, places=3)
prices = st.decimals(0, 10, places=4)
days = st.integers(28, 31)
uses = st.builds(
    Use,
    stored_gib=sizes,
    replicas=st.integers(0, 5),
    task_seconds=st.decimals(0, 100_000, places=0),
    connected=st.integers(0, 3),
)
price_lists = st.builds(
    lambda fees, stored, replica, tasks: replace(
        LIST,
        registry_day=dict(zip(Sku, fees, strict=True)),
        stored_gib=dict(zip(Sku, stored, strict=True)),
        replica_day=replica[0],
        replica_gib=replica[1],
        connected_day=replica[2],
        task_second=(Tier(Decimal(0), Decimal(0)), Tier(Decimal(6000), tasks)),
    ),
    st.tuples(prices, prices, prices),
    st.tuples(prices, prices, prices),
    st.tuples(prices, prices, prices),
    prices,
)


def total(sku: Sku, stored: str, month: int = 30, **more: int) -> Decimal:
    return estimate(sku, Use(Decimal(stored), **more), LIST, month).total


@pytest.mark.parametrize(
    ("sku", "stored", "month", "amount"),
    [
        # 0.1666, 0.6666 and 1.6666 a day.
        (Sku.BASIC, "0", 30, "4.998"),
        (Sku.STANDARD, "0", 30, "19.998"),
        (Sku.PREMIUM, "0", 30, "49.998"),
        (Sku.PREMIUM, "0", 31, "51.6646"),
        (Sku.BASIC, "10", 28, "4.6648"),
        (Sku.BASIC, "10", 29, "4.8314"),
        # 15 GiB over the included 10: the worked example of Microsoft's page, at 0.10 a month instead of 0.003 a day.
        (Sku.BASIC, "25", 30, "6.498"),
        (Sku.STANDARD, "100", 30, "19.998"),
        (Sku.STANDARD, "100.5", 30, "20.048"),
        # Where Premium becomes cheaper than Basic.
        (Sku.BASIC, "459", 30, "49.898"),
        (Sku.BASIC, "460", 30, "49.998"),
        (Sku.BASIC, "461", 30, "50.098"),
        (Sku.PREMIUM, "459", 30, "49.998"),
        (Sku.PREMIUM, "461", 30, "49.998"),
        (Sku.PREMIUM, "500", 30, "49.998"),
        (Sku.PREMIUM, "501", 30, "50.098"),
        # From 500 GiB on: 4 less than Basic, 10 less than Standard.
        (Sku.BASIC, "2048", 30, "208.798"),
        (Sku.STANDARD, "2048", 30, "214.798"),
        (Sku.PREMIUM, "2048", 30, "204.798"),
    ],
)
def test_fee_and_storage_by_hand(sku: Sku, stored: str, month: int, amount: str) -> None:
    assert total(sku, stored, month) == Decimal(amount)


def test_replicas_cost_their_fee_and_all_that_is_stored_again() -> None:
    found = estimate(Sku.PREMIUM, Use(Decimal(600), replicas=3), LIST, 30)
    assert found.of(Part.FEE) == Decimal("49.998")
    assert found.of(Part.STORAGE) == Decimal(10)
    assert found.of(Part.REPLICAS) == 3 * (Decimal("49.998") + Decimal(60))
    assert found.total == Decimal("49.998") * 4 + 10 + 180


def test_builds_are_free_up_to_6000_seconds() -> None:
    def builds(seconds: int) -> Decimal:
        return estimate(Sku.BASIC, Use(Decimal(0), task_seconds=Decimal(seconds)), LIST).of(Part.BUILDS)

    assert [builds(seconds) for seconds in (0, 6000, 6001, 16_000)] == [0, 0, Decimal("0.0001"), 1]


def test_what_a_sku_has_not_costs_nothing_there() -> None:
    assert total(Sku.BASIC, "5", replicas=4, connected=2) == total(Sku.BASIC, "5")


def test_a_total_that_lacks_a_price_is_the_least_that_it_costs() -> None:
    empty, alone, two = (estimate(Sku.PREMIUM, Use(Decimal(1), replicas), LIST) for replicas in (0, 0, 2))
    assert empty.words == "USD 50.00"
    assert difference_words(empty, alone) == "the same"
    assert difference_words(empty, two) == "USD 100.19 more"
    assert difference_words(two, empty) == "USD 100.19 less"
    unpriced = estimate(Sku.PREMIUM, Use(Decimal(1), 2), replace(LIST, replica_day=None))
    assert unpriced.words == "at least USD 50.20 (no price for Replica regions)"
    for pair in ((empty, unpriced), (unpriced, empty)):
        assert difference_words(*pair) == "the difference is unknown, as there is no price for Replica regions"
    assert difference_words(unpriced, unpriced) == "the same"


def test_what_has_no_price_is_said() -> None:
    found = estimate(Sku.PREMIUM, Use(Decimal(1), 1, Decimal(1), 2), LIST)
    assert found.unpriced == ("Connected registries",)
    bare = replace(LIST, registry_day={}, replica_day=None, replica_gib=None, task_second=())
    found = estimate(Sku.PREMIUM, Use(Decimal(1), 1, Decimal(1), 2), bare)
    assert set(found.unpriced) == {
        "Premium registry",
        "Replica regions",
        "Storage in replicas",
        "Connected registries",
        "ACR Tasks",
    }
    assert found.total == 0


@pytest.mark.parametrize("month", [0, 27, 32, 365])
def test_no_month_is_so_long(month: int) -> None:
    with pytest.raises(ValueError, match="28 to 31 days"):
        estimate(Sku.BASIC, Use(Decimal(0)), LIST, month)


@pytest.mark.parametrize("given_use", [{"stored_gib": Decimal(-1)}, {"replicas": -1}, {"connected": -1}])
def test_nothing_negative_is_used(given_use: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match="negative"):
        Use(**{"stored_gib": Decimal(0), **given_use})


def naive(sku: Sku, use: Use, listed: Prices, month: int) -> Decimal:
    """The same in other words: unit by unit."""
    cost = listed.registry_day[sku] * month
    if use.stored_gib > LIMITS[sku].included_gib:
        cost += (use.stored_gib - LIMITS[sku].included_gib) * listed.stored_gib[sku]
    if sku == Sku.PREMIUM:
        for _ in range(use.replicas):
            cost += (listed.replica_day or 0) * month + use.stored_gib * (listed.replica_gib or 0)
        cost += use.connected * month * (listed.connected_day or 0)
    return cost + max(use.task_seconds - 6000, Decimal(0)) * listed.task_second[1].price


@given(st.sampled_from(Sku), uses, price_lists, days)
def test_an_estimate_is_what_a_plainer_arithmetic_says(sku: Sku, use: Use, listed: Prices, month: int) -> None:
    found = estimate(sku, use, listed, month)
    assert found.total == naive(sku, use, listed, month)
    assert found.total == sum(line.amount for line in found.lines)
    assert all(line.amount >= 0 for line in found.lines)
    assert sum(found.of(part) for part in Part) == found.total


@given(st.sampled_from(Sku), uses, price_lists, days, sizes)
def test_no_more_costs_less(sku: Sku, use: Use, listed: Prices, month: int, more: Decimal) -> None:
    def cost(**changes: object) -> Decimal:
        return estimate(sku, replace(use, **changes), listed, month).total  # type: ignore[arg-type]

    assert cost(stored_gib=use.stored_gib + more) >= cost()
    assert cost(replicas=use.replicas + 1) >= cost()
    assert cost(task_seconds=use.task_seconds + more) >= cost()
    assert cost(connected=use.connected + 1) >= cost()


@given(st.sampled_from(Sku), uses, price_lists, days, st.decimals(0, 100, places=2))
def test_a_discount_is_off_everything(sku: Sku, use: Use, listed: Prices, month: int, percent: Decimal) -> None:
    full, less = (estimate(sku, use, one, month) for one in (listed, discounted(listed, percent)))
    assert less.total == full.total * (100 - percent) / 100
    assert 0 <= less.total <= full.total


@pytest.mark.parametrize("percent", ["-0.01", "100.01"])
def test_an_absurd_discount_is_refused(percent: str) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        discounted(LIST, Decimal(percent))


def test_tiers_are_told_by_where_they_begin_whatever_their_order() -> None:
    tiers = (Tier(Decimal(100), Decimal(1)), Tier(Decimal(0), Decimal(3)), Tier(Decimal(200), Decimal("0.5")))
    for order in (tiers, tiers[::-1]):
        assert [tiered(order, Decimal(at)) for at in (0, 50, 100, 150, 250)] == [0, 150, 300, 350, 425]
    assert tiered((), Decimal(5)) == 0
    assert tiered((Tier(Decimal(10), Decimal(1)),), Decimal(5)) == 0


def test_what_a_registry_uses_is_what_azure_tells() -> None:
    size = Usage("Size", 25 * GIB, 10 * GIB, "Bytes")
    known = registry(sku="Basic", usages=(size,), replicas=())
    assert use_of(known) == Use(Decimal(25))
    found = estimate_of(known, LIST, 30)
    assert isinstance(found, Estimate) and found.total == Decimal("6.498")
    replicated = registry(sku="Premium", usages=(size,), replicas=(replica("westus"),))
    assert use_of(replicated) == Use(Decimal(25), 1)


def test_what_could_not_be_read_is_not_estimated() -> None:
    size = Usage("Size", 1, 1, "Bytes")
    for unknown in (
        registry(sku="Basic", usages=None, replicas=()),
        registry(sku="Premium", usages=(size,), replicas=None),
        registry(sku="Classic", usages=(size,), replicas=()),
    ):
        assert estimate_of(unknown, LIST, 30) is None


def test_bytes_are_gib_exactly() -> None:
    assert gib(GIB * 3 // 2) == Decimal("1.5")


def test_skus_are_known_in_any_case() -> None:
    assert [sku_of(name) for name in ("basic", "PREMIUM", "Classic", "")] == [Sku.BASIC, Sku.PREMIUM, None, None]
