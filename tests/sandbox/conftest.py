"""A sandbox of its own for each test that changes it."""

import pytest

from sandbox.server import Sandbox
from tests.sandbox.registry_clients import Registry


@pytest.fixture
def sandbox(tmp_path):
    with Sandbox.start(tmp_path / "data", seed="walkthrough") as running:
        yield running


@pytest.fixture
def registry(sandbox):
    """casaacr01 by plain requests, signed in as the console."""
    with Registry(sandbox.ready, "casaacr01") as session:
        yield session
