"""A server of Azure is signed in to by a token where the URL has no password."""

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential
from sqlalchemy import create_engine, make_url, text

from services.connection.errors import ServiceError
from services.database.azure_postgres import sign_in_by_token, token_scope
from services.database.engine import open_database


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("console@team.postgres.database.azure.com/console", "https://ossrdbms-aad.database.windows.net/.default"),
        ("console@Team.Postgres.Database.Azure.Com/console", "https://ossrdbms-aad.database.windows.net/.default"),
        ("c@t.postgres.database.usgovcloudapi.net/c", "https://ossrdbms-aad.database.usgovcloudapi.net/.default"),
        ("c@t.postgres.database.chinacloudapi.cn/c", "https://ossrdbms-aad.database.chinacloudapi.cn/.default"),
        ("console:secret@team.postgres.database.azure.com/console", ""),
        ("console@database.example.com/console", ""),
        ("console@team.postgres.database.azure.com.example.com/console", ""),
        ("console@/console", ""),
    ],
)
def test_the_token_is_for_servers_of_azure_alone(url: str, scope: str) -> None:
    assert token_scope(make_url(f"postgresql+psycopg://{url}")) == scope


class Tokens:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asked += scopes
        return AccessToken(f"token-{len(self.asked)}", 0)


def test_each_connection_brings_a_token(postgres_server: str) -> None:
    tokens, engine = Tokens(), create_engine(postgres_server)
    sign_in_by_token(engine, "scope", lambda: tokens)
    for number in (1, 2):
        with engine.connect() as db:
            db.execute(text("SELECT 1"))
            assert db.connection.driver_connection.info.password == f"token-{number}"
        engine.dispose()
    assert tokens.asked == ["scope", "scope"]


def test_an_identity_without_a_token_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ClientAuthenticationError("no managed identity here")

    monkeypatch.setattr(DefaultAzureCredential, "get_token", refuse)
    with pytest.raises(ServiceError, match="got no token for the database") as refused:
        open_database("postgresql+psycopg://console@team.postgres.database.azure.com/console")
    assert refused.value.code == "NoDatabase"
