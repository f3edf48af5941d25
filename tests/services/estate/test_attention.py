"""What needs attention: the highest risk first, and what many registries share as one entry."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.aks.clusters import Cluster
from services.costs.budgets import Budget
from services.estate.attention import MOST_FULL, Attention, needs_attention, spent_budgets
from services.pull_checks.matrix import Answer, Pair
from services.pull_checks.private_link import NetworkPath
from services.registries.findings import Risk, findings_of
from services.registries.registry import Mode, Registry, Usage
from tests.services.estate.test_potential import PRICES
from tests.services.pull_checks.test_matrix import CLUSTER
from tests.support.shell_lines import registry

GIB = 2**30
OPEN, REFUSED, UNKNOWN = NetworkPath(True, "Open."), NetworkPath(False, "No rule."), NetworkPath(None, "Not read.")


def named(name: str, **changes: object) -> Registry:
    return registry(id=f"/{name}", name=name, **changes)


def full(name: str, stored: int, included: int = 10) -> Registry:
    return named(name, sku="Basic", usages=(Usage("Size", stored * GIB, included * GIB, "Bytes"),))


def pair(cluster: Cluster, on: Registry, by_roles: Answer, path: NetworkPath = OPEN) -> Pair:
    return Pair(cluster, on, by_roles, "Why.", path)


def entries(found: tuple[Attention, ...]) -> list[tuple[str, str]]:
    return [(one.title, one.detail) for one in found]


def test_nothing_is_wrong() -> None:
    assert needs_attention([registry()], [pair(CLUSTER, registry(), Answer.CAN)]) == ()


def test_a_finding_of_many_is_one_entry_behind_those_of_one() -> None:
    many = [named(f"contoso{number}", mode=Mode.LEGACY, admin_user=number < 2) for number in range(9)]
    alone = named("contosoopen", anonymous_pull=True)
    found = needs_attention([*many, alone], [])
    assert entries(found) == [
        ("Anonymous pull", "contosoopen"),
        ("Admin user on", "2 registries"),
        ("Legacy permissions", "9 registries"),
    ]
    assert [one.finding for one in found] == ["", "Admin user on", "Legacy permissions"]
    assert found[0].registry is alone


def test_the_fullest_registries_have_entries_of_their_own() -> None:
    found = needs_attention(
        [full("a", 9), full("b", 601), full("c", 5), full("d", 12), full("e", 30), full("f", 11)], []
    )
    assert entries(found) == [
        ("Over the included storage", "b, 601 of 10 GiB"),
        ("Over the included storage", "e, 30 of 10 GiB"),
        ("Over the included storage", "d, 12 of 10 GiB"),
        ("Over the included storage", "f, 11 of 10 GiB"),
        ("Nearly at included storage", "a, 9.0 of 10 GiB"),
    ]
    many = needs_attention([full(f"r{number}", 20 + number) for number in range(60)], [])
    assert len(many) == MOST_FULL + 1
    assert many[-1].detail == "57 more registries"


def test_a_usage_that_was_not_read_is_no_entry() -> None:
    assert needs_attention([named("a", usages=None)], []) == ()


def test_a_cluster_whose_role_is_of_no_use_is_high_risk() -> None:
    private = named("contosoprivate")
    found = needs_attention([], [pair(CLUSTER, private, Answer.CAN, REFUSED), pair(CLUSTER, registry(), Answer.CAN)])
    assert entries(found) == [("Network refuses pulls", "aks1 from contosoprivate")]
    assert (found[0].risk, found[0].cluster, found[0].registry) == (Risk.HIGH, CLUSTER, private)
    two = needs_attention([], [pair(CLUSTER, named(name), Answer.SOME, REFUSED) for name in ("a", "b")])
    assert entries(two) == [("Network refuses pulls", "aks1 from 2 registries")]
    assert two[0].registry is None


def test_what_is_unknown_of_a_cluster_is_no_entry() -> None:
    assert needs_attention([], [pair(CLUSTER, registry(), Answer.CAN, UNKNOWN)]) == ()
    unknown = [pair(CLUSTER, registry(), Answer.UNKNOWN), pair(CLUSTER, registry(), Answer.CANNOT)]
    assert needs_attention([], unknown) == ()


def test_a_cluster_that_nobody_attached_to_an_open_registry_is_no_entry() -> None:
    anonymous = named("contosopublic", anonymous_pull=True)
    assert needs_attention([], [pair(CLUSTER, anonymous, Answer.CAN, REFUSED)]) == ()


def test_a_running_cluster_without_any_registry_is_one_entry() -> None:
    pairs = [pair(CLUSTER, named(name), Answer.CANNOT) for name in ("a", "b")]
    assert entries(needs_attention([], pairs)) == [("No registry to pull from", "aks1")]
    assert needs_attention([], pairs, every_registry=False) == ()
    stopped = replace(CLUSTER, power="Stopped")
    assert needs_attention([], [pair(stopped, named(name), Answer.CANNOT) for name in ("a", "b")]) == ()


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "admin_user": st.booleans(),
                "anonymous_pull": st.booleans(),
                "mode": st.sampled_from(Mode),
                "sku": st.sampled_from(["Basic", "Standard", "Premium", "Classic"]),
                "usages": st.none() | st.integers(0, 200).map(lambda used: (Usage("Size", used, 100, "Bytes"),)),
            }
        ),
        max_size=8,
    )
)
def test_no_finding_is_lost_and_none_is_invented(drawn: list[dict[str, object]]) -> None:
    registries = [named(f"r{number}", **changes) for number, changes in enumerate(drawn)]
    found = needs_attention(registries, [])
    risks = [list(Risk).index(one.risk) for one in found]
    assert risks == sorted(risks)
    wrong = {finding.title for one in registries for finding in findings_of(one)}
    assert {one.title for one in found} == wrong
    for one in found:
        if one.registry:
            assert one.title in {finding.title for finding in findings_of(one.registry)}


def test_what_costs_most_is_the_first_of_medium_risk_with_its_cost() -> None:
    build = full("contosobuild", 601)
    stopped = [pair(CLUSTER, build, Answer.CANNOT)]
    found = needs_attention([build], stopped, prices={build.location: PRICES})
    assert entries(found)[:2] == [
        ("Over the included storage", "contosobuild, EUR 59 a month"),
        ("No registry to pull from", "aks1"),
    ]


def budget(name: str, spent: int | None, amount: int = 100) -> Budget:
    whole = Decimal(spent) if spent is not None else None
    return Budget(f"/{name}", name, "contoso", "/s", Decimal(amount), "EUR", "Monthly", whole, None, "all of it")


def test_a_budget_that_is_spent_is_of_high_risk_and_one_that_is_not_or_unknown_is_none() -> None:
    more = spent_budgets([budget("half", 50), budget("over", 108), budget("far over", 300), budget("unknown", None)])
    found = needs_attention([named("contosoopen", anonymous_pull=True)], [], more)
    assert entries(found) == [
        ("Over budget", "far over, EUR 300.00 of EUR 100.00"),
        ("Over budget", "over, EUR 108.00 of EUR 100.00"),
        ("Anonymous pull", "contosoopen"),
    ]
    assert found[1].budget == "/over" and "108 %" in found[1].reason
