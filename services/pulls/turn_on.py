"""Logging of a registry's events turned on: one diagnostic setting that sends them to a workspace."""

from collections.abc import Callable
from dataclasses import dataclass

from services.arm.resources import get_resource, put_resource
from services.commands.iac_strings import bicep_string
from services.commands.monitor import create_diagnostic_setting
from services.connection.answers import checked
from services.connection.changes import Outcome, changed, refused, write
from services.connection.errors import as_service_error, says_not_found
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.pulls.logging import (
    LOGIN_EVENTS,
    REPOSITORY_EVENTS,
    DiagnosticSetting,
    diagnostic_setting,
    list_settings,
    settings_id,
)
from services.pulls.workspaces import Workspace
from services.registries.registry import Registry
from services.wording import counted

# Azure allows so many settings of one resource.
MOST_SETTINGS = 5
NAME = "acr-events"
# What a row of the table takes, by its columns. Azure bills what it takes in.
BYTES_A_ROW = 1000
PRICE_UNKNOWN = (
    "Azure bills each GB that the workspace takes in, and its retention beyond 31 days. The price depends on the "
    "workspace's region and tier, and is not known here: see azure.microsoft.com/pricing/details/monitor."
)


@dataclass(frozen=True)
class LoggingPlan:
    """A diagnostic setting to be created. Nothing is sent while there are `blockers`. `bicep` is the same as code."""

    registry: Registry
    workspace: Workspace
    setting: DiagnosticSetting
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]
    bicep: str


def plan_logging(
    registry: Registry, there: Partial[DiagnosticSetting], workspace: Workspace, *, logins: bool
) -> LoggingPlan:
    """The setting that sends pushes, pulls and deletions, and sign-ins too where `logins`, to the workspace. Pure."""
    names = {one.name.casefold() for one in there.values}
    name = next(one for one in (NAME, *(f"{NAME}-{number}" for number in range(2, 99))) if one.casefold() not in names)
    logs = (REPOSITORY_EVENTS, LOGIN_EVENTS) if logins else (REPOSITORY_EVENTS,)
    blockers = [
        f"{one.name} sends them to {workspace.name} already."
        for one in there.values
        if one.sends_events and one.workspace_id.casefold() == workspace.id.casefold()
    ]
    if len(there.values) >= MOST_SETTINGS:
        blockers.append(f"{registry.name} has {MOST_SETTINGS} diagnostic settings, the most that Azure allows.")
    if not there.complete:
        blockers.append("Not every diagnostic setting could be read.")
    warnings = []
    if not workspace.by_resource:
        warnings.append(f"{workspace.name} is readable only for those with a role on the workspace itself.")
    line = create_diagnostic_setting(name, registry.id, workspace.id, logs)
    setting = DiagnosticSetting(name, workspace.id, logs)
    return LoggingPlan(
        registry, workspace, setting, tuple(blockers), tuple(warnings), (line,), _as_bicep(registry, setting)
    )


def cost_words(events: int | None) -> str:
    """What logging costs a month, by the pulls and pushes of the last 30 days; None where these are not known."""
    if events is None:
        return f"A million pulls and pushes are about {_volume(1_000_000)} (estimate). {PRICE_UNKNOWN}"
    return (
        f"{counted(events, 'pull or push', 'pulls and pushes')} in the last 30 days: about {_volume(events)} a month "
        f"(estimate). {PRICE_UNKNOWN}"
    )


def _volume(events: int) -> str:
    """What they take, in the units by which Azure bills: a GB is 10^9 bytes."""
    megabytes = events * BYTES_A_ROW / 1e6
    return f"{megabytes / 1000:,.1f} GB" if megabytes >= 100 else f"{max(megabytes, 1):,.0f} MB"


def apply_logging(
    session: AzureSession, plan: LoggingPlan, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Creates the setting as planned: CREATED, or NOT_CONFIRMED where it does not show.

    Raises ServiceError where nothing was created: refused by the plan, by Azure, or since settings have changed.
    """
    title = f"Could not turn on logging of {plan.registry.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    there = list_settings(session, plan.registry)
    again = plan_logging(plan.registry, there, plan.workspace, logins=LOGIN_EVENTS in plan.setting.logs)
    if again != plan:
        raise changed(title, " ".join(again.blockers) or "The diagnostic settings have changed since they were shown.")
    report("turning on")
    setting, path = plan.setting, f"{settings_id(plan.registry)}/{plan.setting.name}"
    body = {
        "properties": {
            "workspaceId": setting.workspace_id,
            "logs": [{"category": log, "enabled": True} for log in setting.logs],
        }
    }

    def read() -> DiagnosticSetting:
        document = get_resource(session, path)
        with as_service_error(title):
            return checked(diagnostic_setting(document))

    found = write(title, lambda: put_resource(session, path, body), read, lambda now: _is(now, setting), says_not_found)
    return Outcome.CREATED if found else Outcome.NOT_CONFIRMED


def _is(now: DiagnosticSetting, wanted: DiagnosticSetting) -> bool:
    return now.workspace_id.casefold() == wanted.workspace_id.casefold() and set(now.logs) == set(wanted.logs)


def _as_bicep(registry: Registry, setting: DiagnosticSetting) -> str:
    """Deployed to the registry's resource group."""
    logs = [f"      {{ category: {bicep_string(log)}, enabled: true }}" for log in setting.logs]
    lines = [
        "resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {",
        f"  name: {bicep_string(registry.name)}",
        "}",
        "",
        "resource events 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {",
        f"  name: {bicep_string(setting.name)}",
        "  scope: registry",
        "  properties: {",
        f"    workspaceId: {bicep_string(setting.workspace_id)}",
        "    logs: [",
        *logs,
        "    ]",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"
