"""Sizes that matter, and the forecast after a policy; prefixes add up to what their repositories own."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.growth.forecast import forecast
from services.growth.history import WHOLE, Snapshot, by_prefix, grown
from services.growth.limits import Limit, limits_of, lowered
from services.pricing.break_even import cost_at
from services.pricing.estimates import GIB
from services.pricing.price_snapshot import snapshot
from services.registries.skus import Sku

DAY = date(2026, 11, 29)
NAMES = st.sampled_from(["app", "team/app", "team/web", "team/web/api", "other/app"])


def test_the_break_even_is_where_the_larger_sku_begins_to_cost_less() -> None:
    prices = snapshot("eastus")
    included, even, cap = limits_of("Basic", prices, 30)
    assert included == Limit("Included storage", 10 * GIB) and cap == Limit("Cap of Basic", 40 * 2**40)
    assert even.name == "Premium costs less" and even.size
    at = Decimal(even.size) / GIB
    assert cost_at(Sku.BASIC, at + 1, prices, 30) > cost_at(Sku.PREMIUM, at + 1, prices, 30)
    assert cost_at(Sku.BASIC, at - 1, prices, 30) < cost_at(Sku.PREMIUM, at - 1, prices, 30)
    assert limits_of("premium", prices, 30)[2] == Limit("Cap of Premium", 100 * 2**40)


def test_what_is_not_known_has_its_reason() -> None:
    assert {one.size for one in limits_of("Classic", None, 30)} == {None}
    assert limits_of("Premium", None, 30)[1] == Limit("A larger SKU costs less", None, "Premium is the largest SKU")
    assert limits_of("Standard", None, 30)[1] == Limit("A larger SKU costs less", None, "prices are not known")


@given(st.integers(0, 2**45))
def test_the_forecast_after_a_policy_lies_as_much_lower(less: int) -> None:
    ahead = forecast({DAY + timedelta(days=number): (50 + number) * GIB for number in range(20)}, 100)
    assert ahead
    found = lowered(ahead, less)
    for before, after in zip(ahead.points, found.points, strict=True):
        assert after.day == before.day and after.bytes == max(0, before.bytes - less)
        assert 0 <= after.least <= after.bytes <= after.most


@given(st.dictionaries(st.tuples(st.integers(0, 40), NAMES), st.integers(0, 2**40)))
def test_prefixes_add_up_to_what_their_repositories_own(sizes: dict[tuple[int, str], int]) -> None:
    history = [Snapshot(DAY - timedelta(days=age), name, size, 7, 0, 1, 1) for (age, name), size in sizes.items()]
    history += [Snapshot(one.day, WHOLE, one.unique, 9, 0, 1, 1) for one in history]
    found = by_prefix(history)
    for day in {one.day for one in history}:
        own = {one.repository: one.unique for one in history if one.day == day and one.repository}
        sums = {one.repository: one.total for one in found if one.day == day and one.repository}
        assert set(sums) <= {"app", "team/", "other/"} and sum(sums.values()) == sum(own.values())
        assert sums.get("team/", 0) == sum(size for name, size in own.items() if name.startswith("team/"))
    assert [one for one in found if one.repository == WHOLE] == [one for one in history if one.repository == WHOLE]
    assert {one.repository for one in grown(found, 7)} <= {"app", "team/", "other/"}
