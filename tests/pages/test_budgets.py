"""A budget created from the cost review: planned, created as typed, read back and recorded; refused or changed
meanwhile, nothing is sent or lost."""

from datetime import UTC, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.billing.budgets import BUDGET_TYPE
from sandbox.billing.costs import CUSTOMER_AGREEMENT
from services.jobs.jobs import list_jobs
from tests.support.app_test import REFUSED, Open, confirm_button, confirm_field, open_dialog, reopen, texts
from tests.support.own_sandbox import OwnSandbox
from ui.costs.budget_dialog import CREATE
from ui.elements import write_permission
from ui.loaders import bills
from ui.runtime import connection
from ui.runtime.database import database

REPLACE = "Replace budget"
MAILS = "team@contoso.com; finance@contoso.com"


@pytest.fixture
def opened(own: OwnSandbox, open_view: Open) -> AppTest:
    """The tab Budgets over a subscription whose offer has budgets."""
    store, scope = own.sandbox.store, subscription(own)
    document = store.get_resource(scope) or {}
    store.put_resource({**document, "_sandbox": {**document.get("_sandbox", {}), "offer": CUSTOMER_AGREEMENT}})
    connection.use(own.session())
    assert bills.recent_bills(connection.who()).finished.wait(30)
    at = open_view("cost_review.py", as_session=own.session(), show="Budgets")
    assert not at.exception
    return at


def subscription(own: OwnSandbox) -> str:
    return f"/subscriptions/{own.registry().subscription_id}"


def budgets(own: OwnSandbox) -> list[dict[str, Any]]:
    return own.sandbox.store.list_resources(BUDGET_TYPE, subscription(own))


def field(at: AppTest, label: str) -> Any:
    fields = (*at.text_input, *at.number_input, *at.selectbox, *at.toggle)
    return next(one for one in fields if one.label.startswith(label))


def filled(at: AppTest, **values: object) -> AppTest:
    """The dialog with these fields, by the beginning of their labels. AppTest closes a dialog with each run."""
    for label, value in values.items():
        reopen(at, CREATE)
        at.run()
        reopen(at, CREATE)
        field(at, label.replace("_", " ")).set_value(value)
    open_dialog(at, CREATE)
    assert not at.exception
    return at


def pressed(at: AppTest, label: str) -> AppTest:
    """The page after the plan's button was pressed in the open dialog."""
    reopen(at, CREATE)
    confirm_button(at, label).click().run()
    assert not at.exception
    return at


def recorded() -> list[tuple[str, str, str]]:
    return [(job.action, job.target, job.state) for job in list_jobs(database(), connection.who())]


def said(at: AppTest) -> str:
    shown = (*at.success, *at.warning, *at.error, *at.info)
    return "\n".join([*(str(one.value) for one in shown), texts(at)]).replace("\\", "")


def test_a_budget_is_created_as_it_was_typed_read_back_and_recorded(opened: AppTest, own: OwnSandbox) -> None:
    at = filled(opened, Name="team-acr", Amount=250.5, Renewed="Quarterly", **{"E-mail": MAILS}, Alert_at=65)
    assert not confirm_button(at, CREATE).disabled
    pressed(at, CREATE)
    (budget,) = budgets(own)
    properties = budget["properties"]
    assert (budget["name"], properties["amount"], properties["timeGrain"]) == ("team-acr", 250.5, "Quarterly")
    assert properties["timePeriod"]["startDate"] == f"{datetime.now(UTC).date().replace(day=1)}T00:00:00Z"
    assert properties["filter"]["dimensions"]["values"] == ["microsoft.containerregistry/registries"]
    told = {
        (one["thresholdType"], one["threshold"], one["operator"], one["enabled"], *one["contactEmails"])
        for one in properties["notifications"].values()
    }
    whom = ("GreaterThan", True, "team@contoso.com", "finance@contoso.com")
    assert told == {("Actual", 65, *whom), ("Forecasted", 100, *whom)}
    assert "Budget team-acr: created and verified." in said(at)
    assert [(action, state) for action, _, state in recorded()] == [(CREATE, "Completed")]
    # What was read before is read again: the page lists it.
    assert bills.recent_bills(connection.who()).finished.wait(30)
    listed = next(one.value for one in at.run().dataframe if one.value.columns[0] == "Budget")
    assert list(listed["Budget"]) == ["team-acr"]


def test_one_of_a_resource_group_that_counts_all_is_az_s_own_command(opened: AppTest, own: OwnSandbox) -> None:
    group = own.registry().id.partition("/providers/")[0]
    at = filled(opened, Scope=group, Only_registries=False)
    assert "az consumption budget create --budget-name registries --category cost --amount 100.00" in said(at)
    pressed(at, CREATE)
    (budget,) = budgets(own)
    assert budget["id"].casefold() == f"{group}/providers/{BUDGET_TYPE}/registries".casefold()
    assert not budget["properties"].get("filter") and not budget["properties"].get("notifications")


def test_what_azure_refuses_is_said_and_recorded_and_nothing_is_there(opened: AppTest, own: OwnSandbox) -> None:
    at = filled(opened, Name="team-acr")
    own.break_({"method": "PUT", "path": "/budgets/", "status": 403})
    pressed(at, CREATE)
    assert "Could not create the budget team-acr" in said(at) and "403" in said(at)
    assert budgets(own) == []
    assert [(action, state) for action, _, state in recorded()] == [(CREATE, "Failed")]


def test_an_answer_that_is_lost_is_read_back(opened: AppTest, own: OwnSandbox) -> None:
    at = filled(opened, Name="team-acr")
    own.break_({"method": "PUT", "path": "/budgets/", "reset": True, "late": True, "times": 1})
    pressed(at, CREATE)
    assert "Budget team-acr: created and verified." in said(at)
    assert [one["name"] for one in budgets(own)] == ["team-acr"]


def another(own: OwnSandbox, amount: float) -> None:
    """Somebody else's budget of that name."""
    own.sandbox.store.put_resource(
        {
            "id": f"{subscription(own)}/providers/{BUDGET_TYPE}/team-acr",
            "name": "team-acr",
            "type": BUDGET_TYPE,
            "eTag": f'"{amount}"',
            "properties": {
                "category": "Cost",
                "amount": amount,
                "timeGrain": "Monthly",
                "timePeriod": {"startDate": "2026-01-01T00:00:00Z", "endDate": "2028-01-01T00:00:00Z"},
            },
        }
    )


def test_one_that_somebody_created_meanwhile_is_not_written_over(opened: AppTest, own: OwnSandbox) -> None:
    at = filled(opened, Name="team-acr")
    another(own, 700.0)
    pressed(at, CREATE)
    assert [one["properties"]["amount"] for one in budgets(own)] == [700.0]
    assert not own.writes() and recorded() == []


def test_one_that_exists_is_replaced_once_its_name_is_typed_as_it_was_shown(opened: AppTest, own: OwnSandbox) -> None:
    another(own, 700.0)
    at = filled(opened, Name="team-acr")
    assert "team-acr exists: USD 700.00 monthly of subscription casacloud. It is replaced" in said(at)
    assert confirm_button(at, REPLACE).disabled
    reopen(at, CREATE)
    confirm_field(at).set_value("team-acr")
    at.run()
    open_dialog(at, CREATE)
    # It was changed since it was shown.
    another(own, 900.0)
    reopen(at, CREATE)
    confirm_field(at).set_value("team-acr")
    pressed(at, REPLACE)
    assert [one["properties"]["amount"] for one in budgets(own)] == [900.0] and not own.writes()
    open_dialog(at, CREATE)
    reopen(at, CREATE)
    confirm_field(at).set_value("team-acr")
    at.run()
    reopen(at, CREATE)
    confirm_field(at).set_value("team-acr")
    pressed(at, REPLACE)
    (budget,) = budgets(own)
    assert budget["properties"]["amount"] == 100.0
    # Azure takes no other start.
    assert budget["properties"]["timePeriod"]["startDate"] == "2026-01-01T00:00:00Z"
    assert "Budget team-acr: changed and verified." in said(at)


def test_where_nothing_may_be_changed_none_is_created(
    opened: AppTest, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    at = filled(opened, Name="team-acr")
    assert confirm_button(at, CREATE).disabled
    assert not own.writes()
