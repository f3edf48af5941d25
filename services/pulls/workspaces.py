"""Log Analytics workspaces: where a registry's logs may go."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from services.arm.resources import list_resources
from services.arm.subscriptions import Subscription, list_in_each, list_subscriptions
from services.connection.answers import checked, read_entries
from services.connection.parallel import Partial
from services.connection.session import AzureSession


@dataclass(frozen=True)
class Workspace:
    """`retention_days`: how long its tables keep rows, None where it does not say. `by_resource`: whoever may read a
    registry may read that registry's logs in it."""

    id: str
    name: str
    location: str
    retention_days: int | None
    by_resource: bool


def list_workspaces(session: AzureSession, stop: Event | None = None) -> Partial[Workspace]:
    """The workspaces of all subscriptions, by name. Raises ServiceError where no subscription can be listed."""
    subscriptions = list_subscriptions(session)

    def list_one(subscription: Subscription) -> Partial[Workspace]:
        path = f"/subscriptions/{subscription.id}/providers/Microsoft.OperationalInsights/workspaces"
        title = f"Could not list the workspaces of {subscription.name}"
        return read_entries("workspaces", list_resources(session, path, title), _workspace)

    found = list_in_each(list_one, subscriptions.values, stop=stop)
    return Partial(found.values, (*subscriptions.refused, *found.refused), subscriptions.untried + found.untried)


def _workspace(document: Mapping[str, Any]) -> Workspace:
    properties = document.get("properties") or {}
    features = properties.get("features") or {}
    return checked(
        Workspace(
            document["id"],
            document["name"],
            document.get("location") or "",
            properties.get("retentionInDays"),
            features.get("enableLogAccessUsingOnlyResourcePermissions") is True,
        )
    )
