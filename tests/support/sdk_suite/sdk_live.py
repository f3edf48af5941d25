"""Loaded by pytest before the SDK's tests: sends them to the sandbox that the environment names."""

import os
import sys
from typing import Any

import azure.containerregistry._helpers as sdk_helpers
import azure.identity
import azure.identity.aio
import pytest

AUTHORITY = os.environ["SANDBOX_AUTHORITY"]
# https://learn.microsoft.com/azure/container-registry/container-registry-disable-authentication-as-arm
AUDIENCE = "https://management.azure.com"

# One of their tests pushes a blob of 1024 of these: 16 MiB, in the client's own chunks, not 4 GiB.
sdk_helpers.DEFAULT_CHUNK_SIZE = 16 * 1024


@pytest.fixture(scope="session")
def test_proxy() -> None:
    """Their conftest asks for one."""


def _without_discovery(credential: Any) -> None:
    made = credential.__init__

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        # The sandbox is no authority that Microsoft's own list has.
        made(self, *arguments, **{"disable_instance_discovery": True, **options})

    credential.__init__ = init


for module in (azure.identity, azure.identity.aio):
    _without_discovery(module.ClientSecretCredential)

sys.path.insert(0, os.environ["SDK_TESTS"])
import testcase  # noqa: E402  theirs: only now can it be found

testcase.get_authority = lambda _endpoint: AUTHORITY
their_audience = testcase.get_audience
testcase.get_audience = lambda authority: AUDIENCE if authority == AUTHORITY else their_audience(authority)
testcase.is_public_endpoint = lambda _endpoint: True
