"""The pages of a long answer about costs, as JSON in which no number is a float.

Asked with `send_request` and not by the SDK's operations: those make floats and a model of every row, and know no next
page of a query.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest, HttpResponse

# At a thousand rows a page, more than a console should read to find its registries.
PAGES_MOST = 500


class Sender(Protocol):
    """An SDK's client: signs a request in, tries it again, and sends it."""

    def send_request(self, request: HttpRequest, *, stream: bool = False, **options: Any) -> HttpResponse: ...


def pages(client: Sender, request: HttpRequest, resource_manager: str) -> Iterator[dict[str, Any]]:
    """The answers to `request`, and to it again at what each names as `nextLink`, there or under `properties`.

    A page is there until the next is asked for. No other origin than `resource_manager` is asked: the token goes along.
    204 is the end. Raises azure-core's errors, and ValueError for what is no answer.
    """
    url = request.url
    for _ in range(PAGES_MOST):
        asked = HttpRequest(request.method, url, headers=dict(request.headers), content=request.content)
        # A query is a POST that writes nothing: it may be sent again. As a stream, or azure-core would parse it too.
        response = client.send_request(asked, stream=True, retry_on_methods=["GET", "POST"])
        response.raise_for_status()
        if response.status_code == 204:
            return
        page = json.loads(response.read(), parse_float=Decimal)
        following = page.get("nextLink") or page.get("properties", {}).get("nextLink")
        yield page
        page.clear()  # The next page takes this one's memory.
        if not following:
            return
        if urlsplit(following)[:2] != urlsplit(resource_manager)[:2]:
            raise ValueError("its next page is at another host")
        url = following
    raise ValueError(f"it has more than {PAGES_MOST} pages: the subscription has too many other resources")
