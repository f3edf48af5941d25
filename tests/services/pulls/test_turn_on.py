"""Logging turned on: the diagnostic setting is planned, created once, read back, and refused with a reason."""

from dataclasses import replace

import pytest

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.connection.write_permission import leaves_access
from services.pulls.logging import LOGIN_EVENTS, REPOSITORY_EVENTS, DiagnosticSetting, list_settings
from services.pulls.pulls import read_pulls
from services.pulls.turn_on import LoggingPlan, apply_logging, cost_words, plan_logging
from services.pulls.workspaces import Workspace, list_workspaces
from tests.support.own_sandbox import OwnSandbox
from tests.support.shell_lines import registry as a_registry

LOGS = Workspace("/subscriptions/s1/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/logs", "logs",
                 "eastus", 30, by_resource=True)  # fmt: skip


def planned(own: OwnSandbox, *, logins: bool = False) -> LoggingPlan:
    own.make_workspace()
    workspace = list_workspaces(own.session()).values[0]
    return plan_logging(own.registry(), list_settings(own.session(), own.registry()), workspace, logins=logins)


def there(*settings: DiagnosticSetting) -> Partial[DiagnosticSetting]:
    return Partial(settings)


def test_it_is_created_as_planned_and_logs_from_then_on(own: OwnSandbox) -> None:
    plan = planned(own, logins=True)
    assert plan.blockers == ()
    assert apply_logging(own.session(), plan) == "created"
    found = list_settings(own.session(), own.registry()).values
    assert found == (DiagnosticSetting("acr-events", plan.workspace.id, (REPOSITORY_EVENTS, LOGIN_EVENTS)),)
    assert read_pulls(own.session(), own.registry()).logged is True


def test_a_lost_answer_is_read_back(own: OwnSandbox) -> None:
    plan = planned(own)
    own.break_({"method": "PUT", "path": "diagnosticSettings", "status": 500, "late": True})
    assert apply_logging(own.session(), plan) == "created"


@pytest.mark.parametrize("status", [403, 409, 429])
def test_a_refusal_leaves_it_off(own: OwnSandbox, status: int) -> None:
    plan = planned(own)
    own.break_({"method": "PUT", "path": "diagnosticSettings", "status": status, "retry_after": 900})
    with pytest.raises(ServiceError) as refused:
        apply_logging(own.session(), plan)
    assert refused.value.status == status
    assert list_settings(own.session(), own.registry()).values == ()


def test_a_reader_may_not(own: OwnSandbox) -> None:
    with pytest.raises(ServiceError) as refused:
        apply_logging(own.session(as_reader=True), planned(own))
    assert refused.value.code == "AuthorizationFailed"


def test_a_setting_that_came_meanwhile_stops_it(own: OwnSandbox) -> None:
    plan = planned(own)
    own.send_logs(plan.workspace.id, "of-another")
    with pytest.raises(ServiceError) as refused:
        apply_logging(own.session(), plan)
    assert refused.value.code == "ChangedMeanwhile"
    assert [one.name for one in list_settings(own.session(), own.registry()).values] == ["of-another"]


def test_what_forbids_it_and_what_to_know() -> None:
    on = DiagnosticSetting("diag", LOGS.id.upper(), (REPOSITORY_EVENTS,))
    elsewhere = DiagnosticSetting("acr-events", "/other", (REPOSITORY_EVENTS,))
    plan = plan_logging(a_registry(), there(on), LOGS, logins=False)
    assert plan.blockers == ("diag sends them to logs already.",)
    plan = plan_logging(a_registry(), there(elsewhere), LOGS, logins=False)
    assert (plan.blockers, plan.setting.name) == ((), "acr-events-2")
    five = [replace(elsewhere, name=str(number)) for number in range(5)]
    assert "the most that Azure allows" in plan_logging(a_registry(), there(*five), LOGS, logins=False).blockers[0]
    refusal = Refusal("x", ServiceError("x", "x", "x"))
    assert plan_logging(a_registry(), Partial((), (refusal,)), LOGS, logins=False).blockers
    closed = plan_logging(a_registry(), there(), replace(LOGS, by_resource=False), logins=False)
    assert "only for those with a role on the workspace itself" in closed.warnings[0]


def test_the_same_as_code() -> None:
    plan = plan_logging(a_registry(), there(), LOGS, logins=True)
    assert plan.commands[0].startswith(
        "az monitor diagnostic-settings create --name acr-events --resource /subscriptions/"
    )
    for part in ("scope: registry", f"workspaceId: '{LOGS.id}'", f"'{REPOSITORY_EVENTS}'", f"'{LOGIN_EVENTS}'"):
        assert part in plan.bicep


def test_the_cost_is_an_estimate_or_unknown() -> None:
    assert "A million pulls and pushes are about 1.0 GB" in cost_words(None)
    assert "not known here" in cost_words(None)
    assert "2,000 pulls and pushes in the last 30 days: about 2 MB a month" in cost_words(2000)


def test_an_operator_may_send_it_and_no_logs_elsewhere() -> None:
    path = f"{a_registry().id}/providers/Microsoft.Insights/diagnosticSettings/acr-events"
    assert leaves_access("PUT", path, '{"properties": {"workspaceId": "/w", "logs": []}}')
    assert not leaves_access("PUT", path, '{"properties": {"storageAccountId": "/s", "logs": []}}')
    assert not leaves_access("DELETE", path, "")
