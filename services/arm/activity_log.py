"""Azure's own log of changes: what Resource Manager did by a correlation id, who asked for it, and how it ended.

It has nothing of a registry's data plane. Events come minutes after what they are about, and stay for 90 days.
https://learn.microsoft.com/rest/api/monitor/activity-logs/list
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.arm.resources import list_resources
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession

KEPT = timedelta(days=90)
# The clocks of two machines differ, and an operation goes on after its request.
_BEFORE, _AFTER = timedelta(minutes=15), timedelta(hours=1)
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_ASK_READER = "Reader on the subscription allows it: ask whoever has Owner or User Access Administrator there."


@dataclass(frozen=True)
class AzureEvent:
    """One event. `status` is Azure's (Started, Succeeded, Failed …), `caller` as Azure names them."""

    at: datetime
    operation: str
    status: str
    caller: str
    resource_id: str
    correlation_id: str


def read_events(
    session: AzureSession, subscription_id: str, correlation_id: str, begun: datetime, ended: datetime | None = None
) -> tuple[AzureEvent, ...]:
    """The events of a correlation id of a change that ran from `begun` to `ended`, the oldest first.

    Raises ServiceError: InvalidCorrelationId, AuthorizationFailed with who can grant it, and others.
    """
    title = "Could not read Azure's Activity Log"
    if not _ID.fullmatch(correlation_id):
        raise ServiceError(title, "Not a correlation id.", "It came from Azure: report it.", "InvalidCorrelationId")
    since, until = begun - _BEFORE, (ended or datetime.now(UTC)) + _AFTER
    wanted = (
        f"eventTimestamp ge '{_time(since)}' and eventTimestamp le '{_time(until)}' and "
        f"correlationId eq '{correlation_id}'"
    )
    values = f"/subscriptions/{subscription_id}/providers/Microsoft.Insights/eventtypes/management/values"
    try:
        found = list_resources(session, values, title, filter=wanted)
    except ServiceError as error:
        raise replace(error, remedy=_ASK_READER) if error.status == 403 else error from error
    with as_service_error(title):
        return tuple(sorted((_event(one) for one in found), key=lambda event: event.at))


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _event(one: Mapping[str, Any]) -> AzureEvent:
    return AzureEvent(
        datetime.fromisoformat(str(one["eventTimestamp"])),
        _value(one.get("operationName")),
        _value(one.get("status")),
        str(one.get("caller") or ""),
        str(one.get("resourceId") or ""),
        str(one.get("correlationId") or ""),
    )


def _value(member: Any) -> str:
    """Of a name that Azure also gives in the reader's language."""
    return str((member or {}).get("value") or "")
