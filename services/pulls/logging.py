"""Where a registry's logs go: its diagnostic settings, as Azure Monitor has them.

https://learn.microsoft.com/rest/api/monitor/diagnostic-settings, 2021-05-01-preview: no SDK has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.arm.resources import list_resources
from services.connection.answers import read_entries
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.registries.registry import Registry

REPOSITORY_EVENTS, LOGIN_EVENTS = "ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"
# Groups of categories; that `audit` has both of a registry's is not documented.
_GROUPS = ("alllogs", "audit")


@dataclass(frozen=True)
class DiagnosticSetting:
    """A diagnostic setting. `workspace_id`: the workspace that it sends to, "" where it sends elsewhere alone. `logs`:
    the enabled categories, or groups of them."""

    name: str
    workspace_id: str
    logs: tuple[str, ...]

    @property
    def sends_events(self) -> bool:
        """Whether it sends pulls, pushes and deletions to a workspace, where they can be queried."""
        sent = any(log == REPOSITORY_EVENTS or log.casefold() in _GROUPS for log in self.logs)
        return sent and bool(self.workspace_id)


def settings_id(registry: Registry) -> str:
    """The id of the collection of a registry's diagnostic settings."""
    return f"{registry.id}/providers/Microsoft.Insights/diagnosticSettings"


def list_settings(session: AzureSession, registry: Registry) -> Partial[DiagnosticSetting]:
    """The diagnostic settings of a registry, five at most. Raises ServiceError."""
    title = f"Could not read the diagnostic settings of {registry.name}"
    found = list_resources(session, settings_id(registry), title)
    return read_entries(f"diagnostic settings of {registry.name}", found, diagnostic_setting)


def diagnostic_setting(document: Mapping[str, Any]) -> DiagnosticSetting:
    """As Azure's document says. Raises ValueError and others for what is none."""
    properties = document["properties"]
    logs = tuple(
        str(log.get("category") or log.get("categoryGroup") or "")
        for log in properties.get("logs") or ()
        if log.get("enabled") is True
    )
    return DiagnosticSetting(str(document["name"]), str(properties.get("workspaceId") or ""), logs)
