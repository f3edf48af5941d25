"""What the services' tests share: Azure from a table (see canned.py)."""

from collections.abc import Iterator

import pytest

from sandbox.storage.store import Store
from services.connection.data_plane import RegistryClient
from services.connection.session import AzureSession
from tests.support.canned import CLOUD, Canned, CannedRegistry, Clock, Credential, connected


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


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Where the sandbox keeps what registries have. A module's random cases share it, each clears it away."""
    opened = Store(tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()
