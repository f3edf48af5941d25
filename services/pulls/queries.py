"""The queries of a registry's log of its repositories, and how one is sent.

https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerregistryrepositoryevents

Left out of pulls are those by this console, which reads manifests as pulls do, those that failed, and those by
Microsoft Defender's scanner. Microsoft documents no identity for the scanner (MicrosoftDocs/azure-docs#102952): it is
recognised where its user agent or identity has the word "defender". One that is not recognised counts as a pull, so
that its image is kept.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryError, LogsQueryPartialResult

from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession
from services.registries.registry import Registry

# How the user agent of the console begins.
OWN_AGENT = "acr-console/"
# Rows of a list; one more tells that there are more.
MOST_EVENTS = 10_000
_PROJECT = (
    "| project TimeGenerated, OperationName, Repository, Tag, Digest, Identity, CallerIpAddress, UserAgent, "
    "ResultDescription\n"
    f"| top {MOST_EVENTS + 1} by TimeGenerated desc"
)
# Each digest by the tag that was asked for, with its last pull and by whom.
PULLS = f"""ContainerRegistryRepositoryEvents
| where OperationName == "Pull" and ResultDescription !startswith "4" and ResultDescription !startswith "5"
| where UserAgent !startswith "{OWN_AGENT}"
| where UserAgent !contains "defender" and Identity !contains "defender"
| summarize Pulls30 = countif(TimeGenerated > ago(30d)), arg_max(TimeGenerated, Identity, UserAgent)\
 by Repository, Tag, Digest"""
# The first and the last event of any kind.
LOGGED = """ContainerRegistryRepositoryEvents
| summarize First = min(TimeGenerated), Last = max(TimeGenerated), Events = count()"""
CHANGES = f'ContainerRegistryRepositoryEvents\n| where OperationName != "Pull"\n{_PROJECT}'
EVENTS = f"ContainerRegistryRepositoryEvents\n{_PROJECT}"
_ASK_LOGS_ROLE = (
    "Log Analytics Reader on the workspace allows it; so does Reader on the registry where the workspace's access mode "
    "allows access by resource."
)
Row = Mapping[str, Any]


def run_query(session: AzureSession, registry: Registry, query: str, span: timedelta | None = None) -> list[Row]:
    """The rows of a query over a registry's logs of the last `span`, or of all: each column by its name. None where no
    workspace has a table of them.

    Raises ServiceError: InsufficientAccessError, and PartialError where Azure answered a part of the rows alone.
    """
    title = f"Could not read the logs of {registry.name}"
    try:
        with as_service_error(title):
            # A query is a POST that changes nothing: it can be sent again.
            found = session.logs().query_resource(registry.id, query, timespan=span, retry_on_methods=["POST"])
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
            raise ServiceError(
                title, error.cause, _ASK_LOGS_ROLE, error.code, error.status, error.request_id
            ) from error
        raise


def _has_no_table(error: BaseException | None) -> bool:
    """Whether Log Analytics knows no such table: none of the registry's events has reached a workspace."""
    model = error.model if isinstance(error, HttpResponseError) else None
    return isinstance(model, LogsQueryError) and "Failed to resolve table" in str(model.message)
