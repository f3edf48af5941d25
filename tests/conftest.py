import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.pipeline.transport import RequestsTransport
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from sandbox.server import Sandbox
from services.connection.session import AzureSession, connect_sandbox
from services.connection.write_permission import ALLOWED
from services.database.engine import open_database
from tests.support.databases import own_database
from tests.support.own_sandbox import OwnSandbox, own_sandbox
from tests.support.postgres import MISSING, postgres, programs
from ui.elements import write_permission

# What is drawn at random: 100 cases of a property, other ones each time; the same ones each time in `.ci/run`, so that
# what fails there is the change; 1,000, or PROPERTY_CASES, in `make test-long`. A slow machine is no failure.
settings.register_profile("default", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None, print_blob=True)
settings.register_profile(
    "long", settings.get_profile("default"), max_examples=int(os.environ.get("PROPERTY_CASES", "1000"))
)
settings.load_profile("default")


@pytest.fixture(scope="session", autouse=True)
def short_waits() -> Iterator[None]:
    """The SDKs wait a hundredth of what they would before they try or look again: the sandbox's operations end after
    so many looks, not after a time. Tests that a wait is heeded have a transport of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestsTransport, "sleep", lambda _transport, seconds: time.sleep(seconds / 100))
        yield


@pytest.fixture(scope="session", autouse=True)
def on_this_machine() -> Iterator[None]:
    """Pages run as for a browser on this machine: AppTest has no connection that the application could judge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_permission, "current", lambda: ALLOWED)
        yield


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A running Azure with the estate in it, shared by the tests that change nothing."""
    with Sandbox.start(tmp_path_factory.mktemp("sandbox"), "estate") as running:
        yield running


@pytest.fixture(scope="session")
def session(sandbox: Sandbox) -> AzureSession:
    """The console's own identity: Owner nearly everywhere."""
    return connect_sandbox(sandbox.ready)


@pytest.fixture(scope="session")
def reader_session(sandbox: Sandbox) -> AzureSession:
    """An identity that is Reader at one subscription."""
    return connect_sandbox(sandbox.ready, as_reader=True)


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSandbox]:
    """A sandbox of this test's own, to write to and to break."""
    with own_sandbox(tmp_path_factory.mktemp("own")) as own:
        yield own


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
