"""Log Analytics: one query over the logs of a resource, in whichever workspaces they are.

https://learn.microsoft.com/azure/azure-monitor/logs/api/overview
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryError, LogsQueryPartialResult

from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession

Row = Mapping[str, Any]


def query_logs(
    session: AzureSession, resource_id: str, title: str, query: str, span: timedelta | None, role: str
) -> list[Row]:
    """The rows of a query over the resource's logs of the last `span`, or of all: each column by its name. None where
    no workspace has a table of them.

    Raises ServiceError under `title`: InsufficientAccessError, with `role` as what allows it, and PartialError where
    Azure answered a part of the rows alone.
    """
    try:
        with as_service_error(title):
            # A query is a POST that changes nothing: it can be sent again.
            found = session.logs().query_resource(resource_id, query, timespan=span, retry_on_methods=["POST"])
            if isinstance(found, LogsQueryPartialResult):
                said = found.partial_error.message if found.partial_error else ""
                raise ServiceError(
                    title,
                    f"Azure answered only a part of the rows. {said}".strip(),
                    "Try again in a minute.",
                    "PartialError",
                )
            table = found.tables[0]
            return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    except ServiceError as error:
        if _has_no_table(error.__cause__):
            return []
        if error.status == 403:
            raise ServiceError(title, error.cause, role, error.code, error.status, error.request_id) from error
        raise


def _has_no_table(error: BaseException | None) -> bool:
    """Whether Log Analytics knows no such table: nothing of it has reached a workspace."""
    model = error.model if isinstance(error, HttpResponseError) else None
    return isinstance(model, LogsQueryError) and "Failed to resolve table" in str(model.message)
