"""A budget planned and created: what it would replace is said, and nothing is replaced unseen."""

import json
import shlex
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.billing.costs import CUSTOMER_AGREEMENT
from services.arm.subscriptions import Subscription, list_subscriptions
from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.costs.budget_changes import BudgetSpec, apply_budget, body_of, plan_budget, read_budget_plan
from services.costs.budgets import Budget, read_budgets
from tests.support.own_sandbox import OwnSandbox

SPEC = BudgetSpec(
    "/subscriptions/s1/resourceGroups/rg",
    "registries",
    Decimal("120.50"),
    "Monthly",
    date(2026, 11, 1),
    True,
    ("a@contoso.com",),
)
BEFORE = Budget(
    "/x",
    "registries",
    "contoso",
    "/subscriptions/s1/resourceGroups/rg",
    Decimal(80),
    "EUR",
    "Quarterly",
    None,
    None,
    "everything",
)


@pytest.fixture
def wanted(own: OwnSandbox) -> tuple[AzureSession, BudgetSpec, Subscription]:
    session = own.session()
    registry = own.registry()
    (subscription,) = [one for one in list_subscriptions(session).values if one.id == registry.subscription_id]
    # Its offer is a free trial, which has no budgets.
    store, scope = own.sandbox.store, f"/subscriptions/{subscription.id}"
    document = store.get_resource(scope) or {}
    store.put_resource({**document, "_sandbox": {**document.get("_sandbox", {}), "offer": CUSTOMER_AGREEMENT}})
    return session, replace(SPEC, scope=f"/subscriptions/{subscription.id}"), subscription


def test_a_budget_is_created_and_read_back_with_its_filter_and_alerts(
    wanted: tuple[AzureSession, BudgetSpec, Subscription],
) -> None:
    session, spec, subscription = wanted
    plan = read_budget_plan(session, spec, subscription)
    assert (plan.before, plan.blockers, plan.warnings) == (None, (), ())
    assert apply_budget(session, plan, subscription) is Outcome.CREATED
    (found,) = [one for one in read_budgets(session, [subscription]).values if one.name == "registries"]
    assert (found.amount, found.grain) == (Decimal("120.5"), "Monthly")
    assert found.covers == "ResourceType is microsoft.containerregistry/registries"
    raw = session.consumption(subscription.id).budgets.get(spec.scope, spec.name).properties
    assert raw and raw.notifications
    assert {name: (one.threshold, one.contact_emails) for name, one in raw.notifications.items()} == {
        "Actual_GreaterThan_80_Percent": (80, ["a@contoso.com"]),
        "Forecasted_GreaterThan_100_Percent": (100, ["a@contoso.com"]),
    }


def test_one_that_exists_is_said_and_replaced_by_its_etag_alone(
    wanted: tuple[AzureSession, BudgetSpec, Subscription],
) -> None:
    session, spec, subscription = wanted
    apply_budget(session, read_budget_plan(session, spec, subscription), subscription)
    more = replace(spec, amount=Decimal(300))
    plan, other = (read_budget_plan(session, more, subscription) for _ in range(2))
    assert plan.warnings[0].startswith("registries exists: ")
    assert "120.50 monthly" in plan.warnings[0]
    assert apply_budget(session, plan, subscription) is Outcome.CHANGED
    with pytest.raises(ServiceError, match="changed or deleted since it was shown"):
        apply_budget(session, other, subscription)


def test_one_that_was_created_meanwhile_is_left_as_it_is(wanted: tuple[AzureSession, BudgetSpec, Subscription]) -> None:
    session, spec, subscription = wanted
    plan = read_budget_plan(session, spec, subscription)
    assert apply_budget(session, plan, subscription) is Outcome.CREATED
    with pytest.raises(ServiceError, match="since it was shown"):
        apply_budget(session, replace(plan, spec=replace(spec, amount=Decimal(1))), subscription)
    (found,) = [one for one in read_budgets(session, [subscription]).values if one.name == "registries"]
    assert found.amount == Decimal("120.5")


def test_one_of_an_earlier_month_keeps_its_start_and_ends_later(
    wanted: tuple[AzureSession, BudgetSpec, Subscription],
) -> None:
    session, spec, subscription = wanted
    old = replace(spec, start=date(2025, 3, 1))
    apply_budget(session, read_budget_plan(session, old, subscription), subscription)
    plan = read_budget_plan(session, replace(spec, amount=Decimal(7)), subscription)
    assert (plan.spec.start, plan.spec.end) == (date(2025, 3, 1), date(2028, 11, 1))
    assert apply_budget(session, plan, subscription) is Outcome.CHANGED
    again = read_budget_plan(session, replace(spec, start=date(2026, 1, 1)), subscription)
    assert (again.spec.start, again.spec.end) == (date(2025, 3, 1), date(2028, 11, 1))


def test_azure_takes_no_other_start(wanted: tuple[AzureSession, BudgetSpec, Subscription]) -> None:
    session, spec, subscription = wanted
    apply_budget(session, read_budget_plan(session, spec, subscription), subscription)
    plan = read_budget_plan(session, spec, subscription)
    with pytest.raises(ServiceError, match="Start date of budgets cannot be updated"):
        apply_budget(session, replace(plan, spec=replace(spec, start=date(2026, 12, 1))), subscription)


@pytest.mark.parametrize("other", [{}, {"threshold": 95}, {"mails": ("A@contoso.com",)}, {"end": date(2030, 1, 1)}])
def test_a_refused_replacement_is_refused_however_little_it_changes(
    own: OwnSandbox, wanted: tuple[AzureSession, BudgetSpec, Subscription], other: dict[str, object]
) -> None:
    session, spec, subscription = wanted
    apply_budget(session, read_budget_plan(session, spec, subscription), subscription)
    reader, more = own.session(as_reader=True), replace(spec, **other)  # type: ignore[arg-type]
    with pytest.raises(ServiceError) as error:
        apply_budget(reader, read_budget_plan(reader, more, subscription), subscription)
    assert error.value.status == 403


def test_a_reader_is_refused(own: OwnSandbox, wanted: tuple[AzureSession, BudgetSpec, Subscription]) -> None:
    _, spec, subscription = wanted
    session = own.session(as_reader=True)
    with pytest.raises(ServiceError) as error:
        apply_budget(session, read_budget_plan(session, spec, subscription), subscription)
    assert error.value.status == 403


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "two words"}, "1 to 63 letters"),
        ({"name": ""}, "1 to 63 letters"),
        ({"amount": Decimal(0)}, "more than 0"),
        ({"mails": ("nobody",)}, "Not an e-mail address: nobody."),
        ({"mails": tuple(f"a{number}@contoso.com" for number in range(51))}, "at most 50"),
    ],
)
def test_what_azure_would_refuse_is_no_plan(change: dict[str, object], words: str) -> None:
    (blocker,) = plan_budget(replace(SPEC, **change), None).blockers  # type: ignore[arg-type]
    assert words in blocker


def test_without_an_address_nobody_is_told_and_that_is_said() -> None:
    assert plan_budget(replace(SPEC, mails=()), None).warnings == (
        "Nobody is told: without an address the budget only shows in Azure and here.",
    )


def test_the_line_is_that_of_az_where_it_can_say_the_same() -> None:
    whole = replace(SPEC, only_registries=False, mails=())
    assert plan_budget(whole, None).commands == (
        "az consumption budget create --budget-name registries --category cost --amount 120.50 --time-grain monthly "
        "--start-date 2026-11-01 --end-date 2028-11-01 --resource-group rg --subscription s1",
    )
    (line,) = plan_budget(SPEC, BEFORE, '"tag"').commands
    words = shlex.split(line)
    assert words[:4] == ["az", "rest", "--method", "put"]
    assert json.loads(words[-1]) == body_of(SPEC, '"tag"')
    assert json.loads(words[-1])["eTag"] == '"tag"'


@given(st.booleans(), st.lists(st.sampled_from(["a@b.c", "d@e.f"]), unique=True), st.sampled_from(["", '"x"']))
def test_the_line_never_drops_a_filter_an_alert_or_an_etag(only: bool, mails: list[str], e_tag: str) -> None:
    spec = replace(SPEC, only_registries=only, mails=tuple(mails))
    (line,) = plan_budget(spec, BEFORE if e_tag else None, e_tag).commands
    if "budget create" in line:
        assert not (only or mails or e_tag)
    else:
        assert json.loads(shlex.split(line)[-1]) == body_of(spec, e_tag)
