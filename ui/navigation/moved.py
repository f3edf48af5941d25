"""The address that the inventory had: that of the first page."""

from urllib.parse import parse_qsl

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.navigation.inventory_filters import PARAMETERS
from ui.navigation.pages import INVENTORY


class MovedInventory:
    """Sends the browser on to the inventory where the first page is asked for with the inventory's filters.

    By HTTP, before a page runs: one that leads on to another would leave an entry in the browser's history.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"").decode("latin-1")
        first_page = scope["type"] == "http" and scope["path"] == f"{scope.get('root_path', '')}/"
        if first_page and any(name in PARAMETERS for name, _ in parse_qsl(query, keep_blank_values=True)):
            await RedirectResponse(f"{INVENTORY.url_path}?{query}")(scope, receive, send)
        else:
            await self.app(scope, receive, send)
