"""What a clean-up would free, and what that saves: never more than is billed, and unknown where something is unread."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.estate.potential import Measurement, clean_up_potential, measure, saving_of
from services.images.storage import RegistryStorage, RepositoryStorage
from services.pricing.estimates import estimate_of
from services.pricing.prices import Prices, PriceSource
from services.registries.registry import Registry, Replication, Usage
from services.registries.skus import Sku
from tests.support.shell_lines import registry

GIB = 2**30
AT = datetime(2026, 11, 1, tzinfo=UTC)
PRICES = Prices(
    "westeurope",
    "EUR",
    {sku: Decimal(1) for sku in Sku},
    {sku: Decimal("0.10") for sku in Sku},
    Decimal(1),
    Decimal("0.10"),
    (),
    Decimal(1),
    PriceSource.API,
    AT,
)


def named(name: str, gib: float, sku: str = "Basic", **changes: object) -> Registry:
    included = {"Basic": 10, "Standard": 100, "Premium": 500}.get(sku, 0)
    used = (Usage("Size", int(gib * GIB), included * GIB, "Bytes"),)
    server = f"{name}.azurecr.io"
    return registry(**{"id": f"/{name}", "name": name, "login_server": server, "sku": sku, "usages": used, **changes})


def replica(region: str) -> Replication:
    return Replication(region, region, False, "Succeeded", "Ready", None, True)


def found(of: Registry, **untagged: int) -> dict[str, Measurement]:
    return {of.login_server: Measurement(of.login_server, AT, {name: gib * GIB for name, gib in untagged.items()})}


def test_only_what_is_over_the_included_storage_is_saved() -> None:
    assert saving_of(named("a", 30), 5 * GIB, PRICES).amount == Decimal("0.50")
    assert saving_of(named("a", 12), 5 * GIB, PRICES).amount == Decimal("0.20")
    within = saving_of(named("a", 8), 5 * GIB, PRICES)
    assert (within.amount, within.why) == (0, "Within the included storage")


def test_each_replica_saves_from_the_first_byte() -> None:
    geo = named("a", 20, "Premium", replicas=(replica("eastus"), replica("northeurope")))
    assert saving_of(geo, 5 * GIB, PRICES).amount == Decimal("1.00")


def test_what_is_not_known_is_no_zero() -> None:
    for of, prices, why in (
        (named("a", 30, usages=None), PRICES, "Its usage or its replicas could not be read"),
        (named("a", 30, "Classic"), PRICES, "Classic has no price"),
        (named("a", 30), None, "No price of its region is known"),
        (named("a", 30), replace(PRICES, stored_gib={}), "No price for Storage beyond the included"),
    ):
        saving = saving_of(of, GIB, prices)
        assert (saving.amount, saving.why) == (None, why)


def test_the_biggest_waste_is_first_over_all_registries() -> None:
    a, b = named("a", 30), named("b", 40)
    potential = clean_up_potential([a, b], {**found(a, app=2, base=9), **found(b, web=5)}, {"westeurope": PRICES})
    assert [(one.registry.name, one.repository) for one in potential.waste] == [
        ("a", "base"),
        ("b", "web"),
        ("a", "app"),
    ]
    assert potential.bytes == 16 * GIB
    assert [(one.amount, one.currency) for one in potential.savings] == [(Decimal("1.60"), "EUR")]
    assert potential.measured == 2


def test_a_registry_that_was_not_read_whole_is_unknown_with_its_reason() -> None:
    storage = RegistryStorage(10, 0, (RepositoryStorage("app", 10, 10, 0, 7, (), unread=2),), missing=1)
    a = named("a", 30)
    measured = measure(a.login_server, storage, AT)
    assert measured.untagged == {}
    potential = clean_up_potential([a], {a.login_server: measured}, {"westeurope": PRICES})
    assert potential.waste == ()
    assert potential.measured == 0
    assert potential.unread == ((a, "Not read: 1 repository, 2 manifests"),)


def test_savings_that_are_unknown_are_said_beside_the_sum() -> None:
    a, b = named("a", 30), named("b", 40, location="moon")
    potential = clean_up_potential([a, b], {**found(a, app=2), **found(b, web=5)}, {"westeurope": PRICES})
    assert [(one.amount, one.why) for one in potential.savings] == [
        (Decimal("0.20"), ""),
        (None, "unknown for 1 registry"),
    ]


@given(
    st.sampled_from(["Basic", "Standard", "Premium"]),
    st.integers(0, 2000),
    st.integers(0, 3),
    st.lists(st.integers(1, 50), max_size=5),
)
def test_a_clean_up_never_saves_more_than_the_storage_costs(
    sku: str, gib: int, replicas: int, untagged: list[int]
) -> None:
    regions = tuple(replica(f"region{number}") for number in range(replicas if sku == "Premium" else 0))
    of = named("a", gib, sku, replicas=regions)
    whole = saving_of(of, sum(untagged) * GIB, PRICES).amount
    parts = [saving_of(of, one * GIB, PRICES).amount for one in untagged]
    costs = estimate_of(of, PRICES, 30)
    fees = estimate_of(replace(of, usages=(Usage("Size", 0, 0, "Bytes"),)), PRICES, 30)
    assert whole is not None
    assert costs
    assert fees
    assert 0 <= whole <= costs.total - fees.total
    assert sum((part or Decimal(0)) for part in parts) >= whole


def test_what_is_stored_and_in_no_listing_is_said() -> None:
    build, other, unread = named("build", 601), named("other", 3), named("unread", 601)
    measured = {
        build.login_server: measure(build.login_server, RegistryStorage(GIB, 0, ()), AT),
        other.login_server: measure(other.login_server, RegistryStorage(2 * GIB, 0, ()), AT),
        unread.login_server: measure(unread.login_server, RegistryStorage(GIB, 0, (), missing=1), AT),
    }
    potential = clean_up_potential([other, build, unread], measured, {})
    assert potential.unlisted == ((build, 600 * GIB),)
