"""Azure Resource Graph: one query over the resources of all subscriptions, of which it has what the caller may read.

It lags behind Resource Manager by seconds to minutes: https://learn.microsoft.com/azure/governance/resource-graph
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession

# The most rows of a page.
PAGE = 1000
# More rows than an estate's apps: a list that does not end is none.
MOST_PAGES = 100
# A user has 15 queries in 5 seconds.
_LONGEST_WAIT_S = 15


def query_resources(
    session: AzureSession, query: str, title: str, *, sleep: Callable[[float], None] = time.sleep
) -> list[Any]:
    """All rows of a query, which orders them by a unique column, of any shape each.

    Waits for the caller's quota between pages. Raises ServiceError under `title`: as Azure refuses it, and Truncated
    where Azure does not send all rows.
    """
    rows: list[Any] = []
    token: str | None = None
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        page, headers = _page(session, query, token, title)
        if str(headers.get("x-ms-tenant-subscription-limit-hit", "")).casefold() == "true":
            raise _truncated(title, "Azure left out subscriptions: the query reaches more than it answers for.")
        if str(page.result_truncated).casefold().endswith("true"):
            raise _truncated(title, "Azure cut the list, and gives no next page.")
        rows += page.data
        token = page.skip_token
        if not token:
            if page.total_records is not None and len(rows) < page.total_records:
                raise _truncated(title, f"Azure sent {len(rows):,} of {page.total_records:,} rows.")
            return rows
        if token in seen:
            break
        seen.add(token)
        if str(headers.get("x-ms-user-quota-remaining", "")) == "0":
            sleep(_seconds(headers.get("x-ms-user-quota-resets-after", "")))
    raise _truncated(title, "The list does not end.")


def _page(session: AzureSession, query: str, token: str | None, title: str) -> tuple[Any, Mapping[str, str]]:
    with as_service_error(title):
        options = QueryRequestOptions(skip_token=token, top=PAGE, result_format="objectArray")
        found: Any = session.resource_graph().resources(
            QueryRequest(query=query, options=options),
            cls=lambda response, page, _: (page, response.http_response.headers),
            retry_on_methods=["GET", "POST"],  # A query is a POST that writes nothing.
        )
        page, headers = found
        if not isinstance(page.data, list):
            raise ValueError("the rows are no list")
        return page, headers


def _seconds(text: str) -> float:
    """The seconds of hh:mm:ss, at most `_LONGEST_WAIT_S`; that where it is none."""
    try:
        hours, minutes, seconds = map(float, text.split(":"))
    except ValueError:
        return _LONGEST_WAIT_S
    return min(max(3600 * hours + 60 * minutes + seconds, 0), _LONGEST_WAIT_S)


def _truncated(title: str, cause: str) -> ServiceError:
    return ServiceError(title, cause, "Try again in a minute, as somebody with fewer subscriptions.", "Truncated")
