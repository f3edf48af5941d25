"""The pages of Resource Manager's lists: as JSON in which no number is a float, or as the SDK's models.

As JSON where the SDK's operations make floats and a model of every row, and know no next page of a query.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from azure.core.paging import ItemPaged
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.transport import HttpResponse as OldHttpResponse
from azure.core.rest import HttpRequest, HttpResponse

from services.connection.answers import json_of, parse_json
from services.connection.limits import PageLinks
from services.connection.session import AzureSession

Model = TypeVar("Model")

# At a thousand rows per page, more than a console should read to find its registries.
PAGES_MOST = 500


class Sender(Protocol):
    """An SDK client: authenticates, sends and retries a request."""

    def send_request(self, request: HttpRequest, *, stream: bool = False, **options: Any) -> HttpResponse: ...


def pages(client: Sender, request: HttpRequest, server: str, most: int = 0) -> Iterator[dict[str, Any]]:
    """The answers to `request`, and to it again at the next page that each names, until one names none.

    A page is there until the next is asked for. No other origin than `server` is asked: the token goes along. 204 is
    the end. Raises azure-core's errors, LimitExceeded for pages without end, and ValueError for what is no answer.
    """
    links = PageLinks(most or PAGES_MOST)
    url = links.follow(request.url)
    while True:
        asked = HttpRequest(request.method, url, headers=dict(request.headers), content=request.content)
        # A query is a POST that writes nothing: it can be retried. As a stream, or azure-core would parse it too.
        response = client.send_request(asked, stream=True, retry_on_methods=["GET", "POST"])
        response.raise_for_status()
        if response.status_code == 204:
            return
        page = json_of(response, parse_float=Decimal)
        if not isinstance(page, dict):
            raise ValueError("a page of the list is no object")
        following = _next_page(page)
        yield page
        page.clear()  # Frees its memory before the next page.
        if not following:
            return
        url = _followed(links, following, server)


def entries_of(page: Mapping[str, Any], member: str = "value") -> list[Any]:
    """The entries of one page, of any shape each. Raises ValueError where the page has no list of them."""
    found = page.get(member)
    if not isinstance(found, list):
        raise ValueError(f"a page of the list has no {member!r}")
    return found


def items(
    session: AzureSession, list_pages: Callable[..., ItemPaged[Model]], *of: str, **options: str
) -> Iterator[Model]:
    """What an operation of the SDK lists, by the rules of `pages`: the SDK itself follows any link, its token with it.

    An entry may be None, or of a type that JSON has, where it is no object. Raises ValueError for an answer that is no
    list, which the SDK takes for an empty one.
    """
    links = PageLinks(PAGES_MOST)
    by_page: Any = list_pages(
        *of, **options, raw_response_hook=_require_list
    ).by_page()  # The SDK types it as an iterator, without the link that it has.
    for page in by_page:
        yield from page
        if following := by_page.continuation_token:
            _followed(links, following, session.endpoints.resource_manager)


def _require_list(answer: PipelineResponse[Any, Any]) -> None:
    response = answer.http_response
    if response.status_code == 200:
        # azure-core has two kinds of answers, and the SDKs of old use the first.
        page = parse_json(response.body() if isinstance(response, OldHttpResponse) else response.content)
        if not isinstance(page, dict):
            raise ValueError("a page of the list is no object")
        entries_of(page)


def _followed(links: PageLinks, following: str, server: str) -> str:
    if _origin(following) != _origin(server):
        raise ValueError("its next page is at another host")
    return links.follow(following)


def _next_page(page: dict[str, Any]) -> str:
    """Its URL: ARM's lists have it at the top, cost queries under `properties`, list prices as NextPageLink."""
    properties = page.get("properties")
    below = properties.get("nextLink") if isinstance(properties, dict) else None
    following = page.get("nextLink") or below or page.get("NextPageLink") or ""
    if not isinstance(following, str):
        raise ValueError("the link to its next page is no text")
    return following


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or 443
