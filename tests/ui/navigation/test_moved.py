"""Old links to the inventory's filters, which stood at the first page's address."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from ui.navigation.moved import MovedInventory


def location_of(address: str, root: str = "") -> str:
    """Where a request for this address is sent on to; "" where it is answered."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    path, _, query = address.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": root,
        "query_string": query.encode(),
        "headers": [],
    }
    asyncio.run(MovedInventory(PlainTextResponse("a page"))(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert sent[0]["status"] == (307 if "location" in headers else 200)
    return headers.get("location", "")


@pytest.mark.parametrize(
    "query",
    ["search=hub", "sku=Basic&sku=Premium", "embed=true&finding=Admin%20user+on", "subscription=%2e%2e%2Fx", "search="],
)
def test_filters_at_the_first_page_lead_to_the_inventory(query: str) -> None:
    assert location_of(f"/?{query}") == f"inventory?{query}"


@pytest.mark.parametrize("address", ["/", "/?embed=true", "/matrix?search=hub", "/inventory?sku=Basic", "/?searched=x"])
def test_other_addresses_are_answered(address: str) -> None:
    assert location_of(address) == ""


def test_a_query_leads_to_no_other_host() -> None:
    assert location_of("/?search=x&next=//evil.example") == "inventory?search=x&next=//evil.example"


def test_below_a_prefix_it_stays_there() -> None:
    assert location_of("/acr/?sku=Basic", root="/acr") == "inventory?sku=Basic"
