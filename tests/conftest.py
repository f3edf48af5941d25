from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox
from services.connection.session import AzureSession, connect_sandbox


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
