"""A sandbox for each test that changes repositories; one on the estate for each module about Resource Manager."""

import pytest

from sandbox.server import Sandbox
from tests.support.azure_clients import Arm
from tests.support.registry_clients import Registry


@pytest.fixture
def sandbox(tmp_path):
    with Sandbox.start(tmp_path / "data", seed="walkthrough") as running:
        yield running


@pytest.fixture
def registry(sandbox):
    """casaacr01 by plain requests, signed in as the console."""
    with Registry(sandbox.ready, "casaacr01") as session:
        yield session


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Sandbox.start(tmp_path_factory.mktemp("estate"), seed="estate") as sandbox:
        yield sandbox


@pytest.fixture
def arm(running):
    """Resource Manager by plain requests, as the console."""
    with Arm(running.ready) as session:
        yield session
