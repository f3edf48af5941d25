"""Whoever answers: no answer is larger than it may be, decompressed too, and none keeps its reader waiting for ever."""

import gzip
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.core import PipelineClient
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from hypothesis import given
from hypothesis import strategies as st

from services.arm.resources import list_resources
from services.arm.subscriptions import list_subscriptions
from services.connection import transport
from services.connection.data_plane import LARGEST_MANIFEST, RegistryClient, path_of
from services.connection.errors import LimitExceeded, ServiceError, as_service_error
from services.connection.limits import ANSWER, DOWNLOAD, LARGEST_ANSWER, Limits, Patience
from services.connection.session import AzureSession
from services.connection.transport import BoundedTransport, pooled, retry_policy
from services.images.manifest_reading import read_manifest, read_raw
from services.images.repositories import get_repository, repository_names
from tests.support.canned import CLOUD, Answer, Canned, CannedRegistry, CannedSignIn, Credential, Sent
from tests.support.documents import OCI_MANIFEST
from tests.support.dripping import dripping
from tests.support.own_sandbox import OwnSandbox

BOMB = gzip.compress(bytes(8 * LARGEST_ANSWER))
TENANT = "4abb5e5e-0000-0000-0000-000000000000"

Read = Callable[[AzureSession, RegistryClient], Any]


def sign_in(wire: Canned) -> None:
    with as_service_error("Could not sign in"):
        options = {"transport": wire, "disable_instance_discovery": True}
        ClientSecretCredential(TENANT, "app", "secret", **options).get_token(CLOUD.resource_manager_scope)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda azure, _: list_subscriptions(azure), id="a list of the SDK"),
        pytest.param(
            lambda azure, _: list_resources(azure, "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/x"),
            id="a list of JSON",
        ),
        pytest.param(lambda azure, _: sign_in(azure._transport), id="sign-in"),
        pytest.param(lambda _, client: list(repository_names(client)), id="a registry's list"),
        pytest.param(lambda _, client: get_repository(client, "app"), id="the registry's SDK"),
        pytest.param(lambda _, client: read_manifest(client, "app", "v1"), id="a manifest"),
    ],
)
@pytest.mark.parametrize("status", [200, 404])
def test_what_is_small_only_while_it_is_compressed_is_given_up(
    registry: CannedRegistry, client: RegistryClient, monkeypatch: pytest.MonkeyPatch, read: Read, status: int
) -> None:
    wire, asked, tokens = CannedSignIn(), list[Sent](), registry.answer

    def bomb(sent: Sent) -> Answer:
        asked.append(sent)
        return Answer(status, BOMB, {"Content-Encoding": "gzip", "Content-Type": "application/json"})

    monkeypatch.setattr(wire, "answer", bomb)
    monkeypatch.setattr(registry, "answer", lambda sent: tokens(sent) if "/oauth2/" in sent.path else bomb(sent))
    azure = AzureSession(Credential(), CLOUD, wire)
    tracemalloc.start()
    try:
        with pytest.raises(ServiceError) as raised:
            read(azure, client)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raised.value.title.startswith("Could not")
    assert raised.value.code == "TooLarge" or status == 404
    assert peak < 4 * LARGEST_ANSWER
    assert len(asked) == 1


@pytest.mark.parametrize("compressed", [True, False])
def test_a_manifest_is_of_4_mib_at_most(registry: CannedRegistry, client: RegistryClient, compressed: bool) -> None:
    def manifest(size: int) -> Answer:
        body = b'{"schemaVersion": 2, "config": {}, "layers": []}'.ljust(size)
        headers = {"Content-Type": OCI_MANIFEST}
        if compressed:
            return Answer(200, gzip.compress(body), {**headers, "Content-Encoding": "gzip"})
        return Answer(200, body, headers)

    replies = (manifest(LARGEST_MANIFEST), manifest(LARGEST_MANIFEST + 1))
    registry.serve("GET", "/v2/app/manifests/v1", "repository:app:pull", *replies)
    raw, _ = read_raw(client, "app", "v1")
    assert len(raw) == LARGEST_MANIFEST
    with pytest.raises(ServiceError) as raised:
        read_raw(client, "app", "v1")
    assert (raised.value.title, raised.value.code) == ("Could not read the manifest app:v1", "TooLarge")
    assert "4 MiB" in raised.value.cause
    assert len(registry.calls()) == 2


def test_a_download_is_of_any_size(registry: CannedRegistry, client: RegistryClient) -> None:
    path = path_of("/v2/{repository}/blobs/{digest}", repository="app", digest="sha256:" + "0" * 64)
    registry.serve("GET", path, "repository:app:pull", Answer(200, bytes(LARGEST_ANSWER + 1)))
    assert sum(map(len, client.blob(path).iter_raw())) == LARGEST_ANSWER + 1


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SIZED = HEAD + b"Content-Length: 9999\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SQUEEZED = HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9999\r\n\r\n" + gzip.compress(b"x")[:10]


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        pytest.param(b"", b"H", id="status line"),
        pytest.param(HEAD, b"a", id="header"),
        pytest.param(SIZED, b" ", id="body"),
        pytest.param(CHUNKED, b"1\r\n \r\n", id="chunks"),
        pytest.param(CHUNKED + b"1;", b"a", id="length of a chunk"),
        pytest.param(SQUEEZED, b"\0", id="compressed"),
        pytest.param(SIZED, b"", id="silence"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_comes_a_byte_at_a_time_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beginning: bytes, drop: bytes, stream: bool
) -> None:
    monkeypatch.setattr(transport, "ANSWER", Limits(LARGEST_ANSWER, 0.3))
    with dripping(tmp_path, beginning, drop) as (host, ca_file):
        client: Any = PipelineClient(
            f"https://{host}", policies=[retry_policy()], transport=pooled(BoundedTransport, ca_file)
        )
        with pytest.raises(ServiceError) as raised, as_service_error("Could not read it"):
            client.send_request(HttpRequest("GET", f"https://{host}/"), stream=stream).read()
    assert (raised.value.title, raised.value.code) == ("Could not read it", "TooSlow")
    assert raised.value.cause == "The answer was not complete after 0.3 s."


def test_a_download_that_stalls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "DOWNLOAD", Limits(None, 0.3, 1024))
    with dripping(tmp_path, SIZED, b"a") as (host, ca_file):
        client = AzureSession(Credential(), replace(CLOUD, ca_file=ca_file)).registry(host)
        with pytest.raises(ServiceError) as raised, as_service_error("Could not read it"):
            for _ in client.blob("/").iter_raw():
                pass
    assert (raised.value.code, raised.value.cause) == ("TooSlow", "Less than 1 KiB came in 0.3 s.")


def test_a_registry_that_drips_is_an_error_on_the_way_of_the_console(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.push("v1")
    list(repository_names(own.client))
    monkeypatch.setattr(transport, "ANSWER", Limits(LARGEST_ANSWER, 0.3))
    own.break_({"path": "_catalog", "drip_ms": 100})
    with pytest.raises(ServiceError) as raised:
        list(repository_names(own.client))
    assert raised.value.title.startswith("Could not list the repositories of ")
    assert raised.value.code == "TooSlow"


waits = st.lists(st.tuples(st.floats(0, 200), st.integers(0, 300_000)))


@given(waits)
def test_an_answer_gets_its_time_once(found: list[tuple[float, int]]) -> None:
    patience = Patience(ANSWER)
    for seconds, came in found:
        patience.waited(seconds, came)
    slow = sum(seconds for seconds, _ in found) >= ANSWER.wait_s
    assert is_over(patience) == slow


@given(waits)
def test_a_download_gets_its_time_anew_for_what_it_brings(found: list[tuple[float, int]]) -> None:
    patience = Patience(DOWNLOAD)
    since, size = 0.0, 0
    for seconds, came in found:
        patience.waited(seconds, came)
        since, size = since + seconds, size + came
        if size >= 256 * 1024:
            since, size = 0.0, 0
        assert is_over(patience) == (since >= 60)


def is_over(patience: Patience) -> bool:
    try:
        return patience.left <= 0
    except LimitExceeded as error:
        assert error.code == "TooSlow"
        return True
