"""Long-running operations: kept in memory, since they needn't outlive the process.

An operation ends after a number of polls, not after a time: a frozen clock can't hold it up.
https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer
from sandbox.documents.errors import ArmError

_SUBSCRIPTION = "/subscriptions/{subscription}"
_REGISTRY_PROVIDER = _SUBSCRIPTION + "/providers/Microsoft.ContainerRegistry/locations/{location}"
# The SDKs read "Retry-After: 0" as none and then wait 30 seconds.
RETRY_AFTER = {"Retry-After": "1"}


@dataclass
class Operation:
    """`state` is what polls see until none are left; then it has succeeded, or ends with `failure`."""

    target: str
    state: str
    polls: int = 1
    failure: ArmError | None = None
    # The body of the last poll; deletions have none.
    result: Mapping[str, Any] | None = None

    def poll(self) -> bool:
        """Whether the operation is over; it ends after so many polls."""
        if self.polls == 0:
            return True
        self.polls -= 1
        return False


@dataclass
class Operations:
    """The operations of one running sandbox."""

    _running: dict[str, Operation] = field(default_factory=dict)

    def start(
        self,
        target: str,
        state: str,
        *,
        failure: ArmError | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> str:
        """A new operation; it ends an earlier one on the same resource."""
        for earlier in self._running.values():
            if earlier.target == target.lower():
                earlier.polls = 0
        operation_id = f"registries-{uuid.uuid4()}"
        self._running[operation_id] = Operation(target.lower(), state, failure=failure, result=result)
        return operation_id

    def get(self, operation_id: str) -> Operation:
        operation = self._running.get(operation_id)
        if operation is None:
            raise ArmError(404, "OperationNotFound", f"The operation '{operation_id}' was not found.")
        return operation

    def state_of(self, target: str) -> str | None:
        """The state of a resource whose operation is not over; reading it counts as a poll."""
        for operation in self._running.values():
            if operation.target == target.lower() and not operation.poll():
                return operation.state
        return None


def async_operation(call: Call, operation_id: str, location: str) -> dict[str, str]:
    """Headers of a PUT or PATCH that isn't finished."""
    path = f"{_subscription(call)}/providers/Microsoft.ContainerRegistry/locations/{location}"
    return {"Azure-AsyncOperation": _url(call, f"{path}/operationStatuses/{operation_id}"), **RETRY_AFTER}


def location_header(call: Call, operation_id: str, location: str) -> dict[str, str]:
    """Headers of a 202 whose end shows as a 200 at Location."""
    path = f"{_subscription(call)}/providers/Microsoft.ContainerRegistry/locations/{location}"
    return {"Location": _url(call, f"{path}/operationResults/{operation_id}"), **RETRY_AFTER}


def group_location_header(call: Call, operation_id: str) -> dict[str, str]:
    return {"Location": _url(call, f"{_subscription(call)}/operationresults/{operation_id}"), **RETRY_AFTER}


def routes(operations: Operations) -> list[Route]:
    def status(call: Call) -> Response:
        operation = operations.get(call.params["operation"])
        if not operation.poll():
            return answer({"status": operation.state}, headers=RETRY_AFTER)
        return answer({"status": "Succeeded"})

    def result(call: Call) -> Response:
        operation = operations.get(call.params["operation"])
        if not operation.poll():
            headers = {"Location": f"{call.url}{call.path}?api-version={call.query['api-version']}"}
            return answer({"status": operation.state}, 202, {**headers, **RETRY_AFTER})
        if operation.failure:
            raise operation.failure
        return answer(operation.result) if operation.result else Response(status_code=200)

    return [
        Route("GET", _REGISTRY_PROVIDER + "/operationStatuses/{operation}", status),
        Route("GET", _REGISTRY_PROVIDER + "/operationResults/{operation}", result),
        Route("GET", _SUBSCRIPTION + "/operationresults/{operation}", result),
    ]


def _subscription(call: Call) -> str:
    return f"/subscriptions/{call.params['subscription']}"


def _url(call: Call, path: str) -> str:
    return f"{call.url}{path}?api-version={call.query['api-version']}"
