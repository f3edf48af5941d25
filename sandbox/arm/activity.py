"""Resource Manager's Activity Log: what changed something, by whom, and how it ended. Nothing of the data plane.

https://learn.microsoft.com/rest/api/monitor/activity-logs/list
"""

from __future__ import annotations

import re
from collections import deque
from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.arm.call import Call, Route
from sandbox.documents.errors import ArmError

MOST = 5000
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_PATH = "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"
_TIMES = r"eventTimestamp ge '([^']+)'(?: and eventTimestamp le '([^']+)')?"
# The patterns that Azure allows, of which the resource provider's is not there.
_FILTER = re.compile(rf"{_TIMES}(?: and (correlationId|resourceUri|resourceGroupName) eq '([^']+)')?")


class ActivityLog:
    """The newest events of a running sandbox."""

    def __init__(self) -> None:
        self._events: deque[dict[str, Any]] = deque(maxlen=MOST)

    def add(self, call: Call, action: str, status: int, correlation_id: str) -> None:
        """Adds what a request did, or why it failed; what only reads, and what is of no subscription, is no event."""
        subscription = _SUBSCRIPTION.match(call.path)
        if subscription is None or action.lower().endswith("/read"):
            return
        ended = "Succeeded" if status in (200, 204) else "Accepted" if status < 300 else "Failed"
        self._events.append(
            {
                "eventTimestamp": call.now(),
                "operationName": {"value": action, "localizedValue": action},
                "status": {"value": ended, "localizedValue": ended},
                "subStatus": {"value": str(status), "localizedValue": str(status)},
                "caller": call.caller.name,
                "resourceId": call.path,
                "correlationId": correlation_id,
                "subscriptionId": subscription[1],
                "level": "Error" if status >= 400 else "Informational",
            }
        )

    def routes(self) -> list[Route]:
        """The list, which is filtered by time at least."""
        return [
            Route(
                "GET", _PATH, self._list, "Microsoft.Insights/eventtypes/values/read", "/subscriptions/{subscription}"
            )
        ]

    def _list(self, call: Call) -> Response:
        asked = _FILTER.fullmatch(call.query.get("$filter", ""))
        if call.query.get("api-version") != "2015-04-01" or asked is None:
            message = "The $filter of the request is not valid: it needs a start time, and allows few patterns."
            raise ArmError(400, "BadRequest", message)
        since, until, member, value = asked.groups()
        try:
            first, last = datetime.fromisoformat(since), datetime.fromisoformat(until) if until else call.state.clock()
        except ValueError as error:
            raise ArmError(400, "BadRequest", "A time of the $filter is not valid.") from error
        events = [
            event
            for event in self._events
            if event["subscriptionId"].lower() == call.params["subscription"].lower()
            and first <= datetime.fromisoformat(event["eventTimestamp"]) <= last
            and (not member or _matches(event, member, value))
        ]
        return JSONResponse({"value": list(reversed(events))})


def _matches(event: dict[str, Any], member: str, value: str) -> bool:
    if member == "correlationId":
        return bool(event["correlationId"] == value)
    path = event["resourceId"].lower()
    if member == "resourceGroupName":
        return f"/resourcegroups/{value.lower()}/" in f"{path}/"
    return bool(f"{path}/".startswith(f"{value.lower()}/"))
