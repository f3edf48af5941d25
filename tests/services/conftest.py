"""What the services' tests share: Azure from a table (see canned.py)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.connection.data_plane import RegistryClient
from services.connection.session import AzureSession
from services.database.engine import open_database
from tests.support.canned import CLOUD, Canned, CannedRegistry, Clock, Credential, connected
from tests.support.databases import own_database
from tests.support.postgres import MISSING, postgres, programs


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wire() -> Canned:
    """Azure Resource Manager from a table."""
    return Canned()


@pytest.fixture
def azure(wire: Canned) -> AzureSession:
    """A session at `wire`."""
    return AzureSession(Credential(), CLOUD, wire)


@pytest.fixture
def registry(clock: Clock) -> CannedRegistry:
    """A registry in Legacy mode that grants everything."""
    return CannedRegistry(clock)


@pytest.fixture
def client(registry: CannedRegistry) -> RegistryClient:
    """The client of `registry`."""
    return connected(registry)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that is not there yet (SQLite), or is empty (PostgreSQL)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'console.db'}"
    else:
        with own_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """The console's database, of both kinds."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()
