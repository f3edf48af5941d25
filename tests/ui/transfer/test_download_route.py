"""The download route: who has a ticket gets that archive, whole and of known length; nobody else gets anything."""

import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import anyio
import pytest
import requests
import uvicorn
from anyio import fail_after, to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

from services.sign_in.store import SignIn
from services.transfer.download import Archive, plan_archive
from tests.services.transfer.test_download import Shelf, noise
from tests.support.asgi import ask
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.runtime import connection
from ui.runtime.own_headers import SIGNED_IN
from ui.transfer import download_route


@pytest.fixture
def own(own: OwnSandbox) -> OwnSandbox:
    connection.use(own.session())
    return own


@pytest.fixture
def archive(own: OwnSandbox) -> Archive:
    image = Shelf(own).image("v1", layers=(noise(3_000_000), b"layer"))
    return plan_archive(own.client, APP, image["digest"], tag="v1")


@pytest.fixture
def server() -> Iterator[str]:
    """The route behind compression, as Streamlit has it."""
    app = Starlette(routes=[download_route.ROUTE], middleware=[Middleware(GZipMiddleware)])
    listening = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    thread.join()
    listening.close()


def get(url: str, method: str = "GET") -> requests.Response:
    return requests.request(method, url, headers={"Accept-Encoding": "gzip"}, timeout=30)


def test_the_archive_comes_whole_under_its_name_and_with_its_length(
    own: OwnSandbox, archive: Archive, server: str
) -> None:
    path = download_route.mint(connection.who(), own.client.login_server, archive)
    answer = get(server + path)
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content) == archive.size
    assert answer.headers["Content-Disposition"] == 'attachment; filename="team-app-v1.tar"'
    assert answer.headers["Cache-Control"] == "no-store"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        for member in tar:
            if member.name.startswith("blobs"):
                content = tar.extractfile(member)
                assert content and hashlib.sha256(content.read()).hexdigest() == member.name[-64:]


def test_a_head_tells_the_length_and_reads_nothing(own: OwnSandbox, archive: Archive, server: str) -> None:
    path = download_route.mint(connection.who(), own.client.login_server, archive)
    own.sandbox.clear_requests()
    answer = get(server + path, "HEAD")
    assert (answer.status_code, int(answer.headers["Content-Length"])) == (200, archive.size)
    assert own.sandbox.requests == []


@pytest.mark.parametrize("ticket", ["", "none", "..%2f..%2fetc%2fpasswd", "a" * 5000, "<b>"])
def test_an_unknown_ticket_is_not_found(own: OwnSandbox, server: str, ticket: str) -> None:  # noqa: ARG001
    answer = get(f"{server}/download/{ticket}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_ticket_is_valid_for_some_minutes(
    own: OwnSandbox, archive: Archive, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(download_route, "monotonic", lambda: now)
    path = download_route.mint(connection.who(), own.client.login_server, archive)
    now += download_route.VALID_S - 1
    assert [get(server + path, "HEAD").status_code for _ in range(2)] == [200, 200]
    now += 1
    assert get(server + path, "HEAD").status_code == 404
    download_route.mint(connection.who(), own.client.login_server, archive)
    assert path.rpartition("/")[2] not in download_route._tickets


def test_a_ticket_counts_for_who_got_it_alone(own: OwnSandbox, archive: Archive, server: str) -> None:
    path = download_route.mint(connection.who(), own.client.login_server, archive)
    connection.use(own.session(as_reader=True))
    assert get(server + path).status_code == 404


def test_tickets_can_not_be_guessed_and_do_not_pile_up(own: OwnSandbox, archive: Archive) -> None:
    paths = [
        download_route.mint(connection.who(), own.client.login_server, archive) for _ in range(download_route.MOST + 5)
    ]
    assert len(set(paths)) == len(paths)
    assert min(len(path) for path in paths) >= len("/download/") + 32
    assert len(download_route._tickets) == download_route.MOST
    assert paths[-1].rpartition("/")[2] in download_route._tickets


def test_a_stream_that_breaks_is_no_whole_download(own: OwnSandbox, archive: Archive, server: str) -> None:
    path = download_route.mint(connection.who(), own.client.login_server, archive)
    stored = next(member for member in archive.members if member.content is None and member.size == 5)
    own.sandbox.store.blobs.delete(REGISTRY, stored.digest)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(server + path)


def test_a_download_that_waits_for_its_registry_takes_no_thread_of_other_requests() -> None:
    pieces = iter([b"one", b"", b"two"])

    async def read() -> list[bytes]:
        others = to_thread.current_default_thread_limiter()
        others.total_tokens = 1
        async with others:  # None is left.
            with fail_after(30):
                return [piece async for piece in download_route._in_own_threads(pieces)]

    assert anyio.run(read) == [b"one", b"", b"two"]


def test_a_ticket_serves_the_person_alone_that_it_was_issued_to(own: OwnSandbox, archive: Archive) -> None:
    path = download_route.mint(connection.who(), own.client.login_server, archive)
    account = own.session().identity.key
    for who, status in ((account, 200), ("tenant/another", 404)):

        async def as_person(scope: Scope, receive: Receive, send: Send, who: str = who) -> None:
            signed_in = {SIGNED_IN: SignIn("id", who, "login", datetime.now(UTC))}
            await Starlette(routes=[download_route.ROUTE])({**scope, **signed_in}, receive, send)

        assert ask(as_person, path, method="HEAD").status == status
