from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.parallel import Refusal
from services.pricing.break_even import cheapest, cost_at, cost_by_regions, crossings
from services.pricing.estimates import estimate
from services.pricing.price_snapshot import snapshot
from services.pricing.prices import Prices
from services.pricing.sku_choice import Needs, choose_sku, lacks, needs_of, review_sku
from services.registries.registry import Access, Mode, Network, PrivateEndpoint, Usage
from services.registries.skus import FEATURES, LIMITS, PRICE_NOTE, Sku
from tests.services.pricing.test_estimates import price_lists
from tests.support.shell_lines import registry, replica

LIST = snapshot("eastus")
GIB = 2**30
SECRET = Network(False, "Deny", (), False, (PrivateEndpoint("/pe", "Approved"),), ("x.eastus.data.azurecr.io",))
OPEN = Network(True, "Allow", (), True, (), ())
PLAIN = Access(Mode.LEGACY, False, False, True, None, False)
REPLICA = replica("westus")
needs = st.builds(
    Needs,
    stored_gib=st.decimals(0, 200 * 1024, places=1),
    replicas=st.integers(0, 2),
    private_endpoints=st.integers(0, 2),
    connected=st.integers(0, 1),
    webhooks=st.integers(0, 501),
    tokens=st.integers(0, 600),
    reads=st.integers(0, 21_000),
    writes=st.integers(0, 4100),
    anonymous_pull=st.booleans(),
    customer_key=st.booleans(),
    restricted_network=st.booleans(),
    data_endpoints=st.booleans(),
    retention=st.booleans(),
)


def using(stored: int = 1, sku: str = "Premium", **changes: object):  # type: ignore[no-untyped-def]
    usages = (Usage("Size", stored * GIB, 500 * GIB, "Bytes"), Usage("Webhooks", 0, 500, "Count"))
    given = {"usages": usages, "replicas": (), "network": OPEN, "access": PLAIN, "location": "eastus", **changes}
    return replace(registry(sku=sku), **given)


def naive(sku: Sku, asked: Needs) -> bool:
    """Whether a SKU has all, from Microsoft's table read line by line."""
    table = {
        Sku.BASIC: (40, 2, 100, 10_000, 2000, False, False),
        Sku.STANDARD: (40, 10, 500, 10_000, 2000, True, False),
        Sku.PREMIUM: (100, 500, 50_000, 20_000, 4000, True, True),
    }
    tib, webhooks, tokens, reads, writes, anonymous, premium = table[sku]
    special = (
        asked.replicas
        or asked.private_endpoints
        or asked.connected
        or asked.customer_key
        or asked.restricted_network
        or asked.data_endpoints
        or asked.retention
    )
    return (
        asked.stored_gib <= tib * 1024
        and asked.webhooks <= webhooks
        and asked.tokens <= tokens
        and asked.reads <= reads
        and asked.writes <= writes
        and (anonymous or not asked.anonymous_pull)
        and (premium or not special)
    )


@given(needs, price_lists, st.integers(28, 31))
def test_what_is_recommended_suffices_and_nothing_cheaper_does(asked: Needs, prices: Prices, days: int) -> None:
    choice = choose_sku(asked, prices, days)
    enough = {sku: estimate(sku, asked.use, prices, days).total for sku in Sku if naive(sku, asked)}
    assert {option.sku for option in choice.options if not option.lacks} == set(enough)
    if not enough:
        assert choice.best is None and choice.reason.startswith("No SKU has all")
        return
    assert choice.best and choice.best.sku in enough
    assert choice.best.estimate.total == min(enough.values())
    assert choice.reason.startswith(choice.best.sku)
    # Never what a SKU lacks: that reads as a reason against it.
    assert "has no" not in choice.reason
    for option in choice.cheaper:
        assert option.lacks and not naive(option.sku, asked)


@pytest.mark.parametrize(
    ("asked", "best"),
    [
        (Needs(), Sku.BASIC),
        (Needs(stored_gib=Decimal(459)), Sku.BASIC),
        (Needs(stored_gib=Decimal(460)), Sku.BASIC),
        (Needs(stored_gib=Decimal(461)), Sku.PREMIUM),
        (Needs(anonymous_pull=True), Sku.STANDARD),
        (Needs(webhooks=3), Sku.STANDARD),
        (Needs(webhooks=11), Sku.PREMIUM),
        (Needs(tokens=101), Sku.STANDARD),
        (Needs(anonymous_pull=True, stored_gib=Decimal(401)), Sku.PREMIUM),
        (Needs(replicas=1), Sku.PREMIUM),
        (Needs(reads=10_001), Sku.PREMIUM),
        (Needs(stored_gib=Decimal(101 * 1024)), None),
    ],
)
def test_the_recommendation_at_list_prices(asked: Needs, best: Sku | None) -> None:
    found = choose_sku(asked, LIST, 30).best
    assert (found.sku if found else None) is best


def test_reasons_name_what_decided() -> None:
    choice = choose_sku(Needs(replicas=2, anonymous_pull=True), LIST, 30)
    # What Standard has too decides nothing.
    assert choice.reason == "Premium: uses 2 replicas"
    assert [option.sku for option in choice.cheaper] == [Sku.BASIC, Sku.STANDARD]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Needs(), "Basic is enough: uses 0 of 10 GiB, and no feature of a larger SKU"),
        (Needs(stored_gib=Decimal(3)), "Basic is enough: uses 3 of 10 GiB, and no feature of a larger SKU"),
        (
            Needs(stored_gib=Decimal(12) / 1024),
            "Basic is enough: uses 12 MiB of 10 GiB, and no feature of a larger SKU",
        ),
        (
            Needs(stored_gib=Decimal(95)),
            "Basic is enough: 85 GiB beyond its 10 GiB cost less than a larger SKU",
        ),
        (Needs(stored_gib=Decimal(600)), "Premium: 600 GiB cost less than with Basic or Standard"),
        (Needs(stored_gib=Decimal(600), anonymous_pull=True), "Premium: 600 GiB cost less than with Standard"),
        (Needs(anonymous_pull=True), "Standard: uses anonymous pull"),
        (Needs(webhooks=3), "Standard: uses 3 webhooks, more than the 2 of Basic"),
        (Needs(retention=True), "Premium: uses a retention policy"),
        (
            Needs(private_endpoints=1, restricted_network=True, data_endpoints=True),
            "Premium: uses 1 private endpoint, restricted access and data endpoints",
        ),
        (Needs(stored_gib=Decimal(101 * 1024)), "No SKU has all of this: use several registries"),
    ],
)
def test_a_reason_is_the_reason_for_what_is_recommended(asked: Needs, reason: str) -> None:
    assert choose_sku(asked, LIST, 30).reason == reason


def test_without_a_fee_nothing_is_compared() -> None:
    with pytest.raises(ValueError, match="no price for Basic"):
        choose_sku(Needs(), replace(LIST, registry_day={Sku.STANDARD: Decimal(1), Sku.PREMIUM: Decimal(2)}), 30)


def test_without_a_price_for_the_storage_that_is_needed_nothing_is_compared() -> None:
    free = replace(LIST, stored_gib={Sku.PREMIUM: Decimal("0.1")})
    with pytest.raises(ValueError, match=r"no price for the storage of Basic in eastus"):
        choose_sku(Needs(stored_gib=Decimal(11)), free, 30)
    found = choose_sku(Needs(stored_gib=Decimal(10)), free, 30).best
    assert found and found.sku is Sku.BASIC
    assert "no price for the storage" in review_sku(using(200), {"eastus": free}, 30).unknown
    for prices in (free, replace(LIST, registry_day={})):
        with pytest.raises(ValueError, match="no price for the"):
            crossings(prices, 30)
    lacking = replace(LIST, replica_day=None)
    found_review = review_sku(using(replicas=(REPLICA,)), {"eastus": lacking}, 30)
    assert (found_review.saving, found_review.unknown) == (None, "There is no price for Replica regions in eastus")


def test_what_a_registry_uses_is_found_with_its_evidence() -> None:
    access = replace(PLAIN, anonymous_pull=True, retention_days=7, customer_key=True)
    usages = (
        Usage("Size", 3 * GIB, 500 * GIB, "Bytes"),
        Usage("Webhooks", 4, 500, "Count"),
        Usage("Tokens", 2, 50_000, "Count"),
        Usage("ScopeMaps", 5, 50_000, "Count"),
    )
    found = needs_of(using(network=SECRET, access=access, usages=usages, replicas=(REPLICA,)), connected=1)
    assert found.needs == Needs(
        stored_gib=Decimal(3),
        replicas=1,
        private_endpoints=1,
        connected=1,
        webhooks=4,
        tokens=5,
        anonymous_pull=True,
        customer_key=True,
        restricted_network=True,
        data_endpoints=True,
        retention=True,
    )
    assert found.evidence == (
        "1 replica",
        "1 private endpoint",
        "1 connected registry",
        "4 webhooks",
        "tokens or scope maps: 5",
        "anonymous pull on",
        "customer-managed key",
        "public access restricted or off",
        "dedicated data endpoints",
        "retention policy on",
    )


def test_ip_rules_alone_restrict_a_network() -> None:
    found = needs_of(using(network=replace(OPEN, ip_rules=("203.0.113.0/24",)))).needs
    assert found and found.restricted_network


def test_a_premium_registry_that_uses_nothing_of_it_could_be_basic() -> None:
    found = review_sku(using(), {"eastus": LIST}, 30)
    assert found.choice and found.choice.best and found.choice.best.sku is Sku.BASIC
    assert found.saving == 45


def test_what_it_uses_blocks_the_cheaper_sku() -> None:
    found = review_sku(using(replicas=(REPLICA,)), {"eastus": LIST}, 30)
    assert found.saving == 0
    assert found.choice and found.choice.reason == "Premium: uses 1 replica"


def test_a_full_basic_registry_saves_by_becoming_premium() -> None:
    found = review_sku(using(600, "Basic"), {"eastus": LIST}, 30)
    assert found.choice and found.choice.best and found.choice.best.sku is Sku.PREMIUM
    assert found.saving == 4


def test_what_is_not_known_claims_no_saving() -> None:
    unread = (Refusal("usage", None),)  # type: ignore[arg-type]
    for given_registry, why in (
        (using(sku="Classic"), "retired"),
        (using(usages=None, unread=unread), "Could not be read: usage"),
        (using(replicas=None), "Could not be read"),
        (using(location="nowhere"), "No prices are known for nowhere"),
    ):
        found = review_sku(given_registry, {"eastus": LIST}, 30)
        assert (found.saving, found.choice, found.present) == (None, None, None)
        assert why in found.unknown
    no_fee = {"eastus": replace(LIST, registry_day={})}
    assert "no price for Basic" in review_sku(using(), no_fee, 30).unknown


def test_neither_zones_nor_content_trust_is_a_reason() -> None:
    assert not {"zone", "trust"} & {field.partition("_")[0] for field in Needs.__dataclass_fields__}
    features = {feature.name: feature for feature in FEATURES}
    assert {features["Zone redundancy"].of(sku) for sku in Sku} == {"yes"}
    assert features["Content trust"].premium == "withdrawn"


def test_the_table_has_todays_figures_with_their_source_and_what_the_guide_says() -> None:
    features = {feature.name: feature for feature in FEATURES}
    assert [features["Webhooks"].of(sku) for sku in Sku] == ["2", "10", "500"]
    assert [features["Storage included"].of(sku) for sku in Sku] == ["10 GiB", "100 GiB", "500 GiB"]
    assert [features["Storage at most"].of(sku) for sku in Sku] == ["40 TiB", "40 TiB", "100 TiB"]
    assert [features["Read requests a minute"].of(sku) for sku in Sku] == ["10,000", "10,000", "20,000"]
    assert "100 for Premium" in features["Webhooks"].guide
    assert "1.6666" in PRICE_NOTE and "2.33" in PRICE_NOTE
    for feature in FEATURES:
        assert feature.source.url.startswith("https://learn.microsoft.com/azure/container-registry/")


def test_standard_is_never_the_cheapest_for_storage() -> None:
    for size in range(0, 41 * 1024, 64):
        choice = choose_sku(Needs(stored_gib=Decimal(size)), LIST, 30)
        assert choice.best and choice.best.sku is not Sku.STANDARD


@pytest.mark.parametrize(
    ("days", "standard", "basic"), [(28, 380, 430), (29, 390, 445), (30, 400, 460), (31, 410, 475)]
)
def test_crossings_depend_on_the_days(days: int, standard: int, basic: int) -> None:
    found = crossings(LIST, days)
    assert [(one.gib, one.below, one.above) for one in found] == [
        (standard, Sku.STANDARD, Sku.PREMIUM),
        (basic, Sku.BASIC, Sku.PREMIUM),
    ]
    assert {one.amount for one in found} == {cost_at(Sku.PREMIUM, Decimal(1), LIST, days)}


@pytest.mark.parametrize(("days", "size"), [(28, 430), (29, 445), (30, 460), (31, 475)])
def test_which_sku_costs_least_depends_on_the_days_and_the_prices(days: int, size: int) -> None:
    assert cheapest(LIST, days) == ((0, Sku.BASIC), (size, Sku.PREMIUM))
    halved = replace(LIST, registry_day=LIST.registry_day | {Sku.PREMIUM: LIST.registry_day[Sku.PREMIUM] / 2})
    assert cheapest(halved, days)[1][0] < size
    assert cheapest(replace(LIST, registry_day=dict.fromkeys(Sku, Decimal(1))), days) == (
        (0, Sku.BASIC),
        (10, Sku.STANDARD),
        (100, Sku.PREMIUM),
    )


@given(price_lists, st.integers(28, 31), st.decimals(1, 2047, places=0))
def test_what_costs_least_does_so_everywhere_in_its_range(prices: Prices, days: int, size: Decimal) -> None:
    least = next(sku for start, sku in reversed(cheapest(prices, days)) if start <= size)
    lowest = min(cost_at(sku, size, prices, days) for sku in Sku)
    assert cost_at(least, size, prices, days) - lowest < Decimal("1e-15")


@given(price_lists, st.integers(28, 31))
def test_between_two_crossings_the_same_sku_is_cheaper(prices: Prices, days: int) -> None:
    found = crossings(prices, days)
    for one in found:
        # Exact but for what 28 digits can't hold.
        below, above = (cost_at(sku, one.gib, prices, days) for sku in (one.below, one.above))
        assert abs(below - above) < Decimal("1e-15")
    for first, second in ((Sku.BASIC, Sku.STANDARD), (Sku.BASIC, Sku.PREMIUM), (Sku.STANDARD, Sku.PREMIUM)):
        mine = sorted(one.gib for one in found if {one.below, one.above} == {first, second})
        for left, right in pairwise([Decimal(0), *mine, Decimal(2048)]):
            inside = [left + (right - left) * Decimal(part) / 100 for part in (7, 50, 93)]
            signs = {
                (gap > 0) - (gap < 0)
                for at in inside
                if abs(gap := cost_at(first, at, prices, days) - cost_at(second, at, prices, days)) > Decimal("1e-15")
            }
            assert len(signs) < 2


def test_each_region_costs_as_much_again() -> None:
    found = cost_by_regions(Decimal(100), LIST, 30, most=3)
    assert found == (Decimal("49.998"), Decimal("109.996"), Decimal("169.994"))


def test_what_a_sku_lacks_is_a_sentence() -> None:
    asked = Needs(Decimal(200 * 1024), webhooks=501, tokens=60_000, reads=30_000, writes=5000)
    assert list(lacks(Sku.PREMIUM, asked)) == [
        "Premium holds at most 100 TiB.",
        "Premium has at most 500 webhooks: 501 are needed.",
        "Premium has at most 50,000 tokens: 60,000 are needed.",
        "Premium has at most 20,000 read requests a minute: 30,000 are needed.",
        "Premium has at most 4,000 write requests a minute: 5,000 are needed.",
    ]
    assert LIMITS[Sku.PREMIUM].capacity_tib == 100
