"""Azure Database for PostgreSQL without a password: each connection brings a token of the console's own identity."""

from collections.abc import Callable
from typing import Any

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.engine import URL

# Of the servers of each cloud: the end of their names → the scope of the tokens that they take.
_SCOPES = {
    ".postgres.database.azure.com": "https://ossrdbms-aad.database.windows.net/.default",
    ".postgres.database.chinacloudapi.cn": "https://ossrdbms-aad.database.chinacloudapi.cn/.default",
    ".postgres.database.usgovcloudapi.net": "https://ossrdbms-aad.database.usgovcloudapi.net/.default",
}


def token_scope(url: URL) -> str:
    """The scope of the token that takes the place of the URL's password; "" where it has one, or is no such server."""
    if url.password is not None:
        return ""
    host = (url.host or "").lower()
    return next((scope for end, scope in _SCOPES.items() if host.endswith(end)), "")


def sign_in_by_token(
    engine: Engine, scope: str, make_credential: Callable[[], TokenCredential] = DefaultAzureCredential
) -> None:
    """Gives each new connection of `engine` a token for its password. azure-identity keeps it until it nearly ends."""
    credential = make_credential()

    @event.listens_for(engine, "do_connect")
    def use_token(_dialect: Dialect, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        parameters["password"] = credential.get_token(scope).token
