"""What repositories hold is read when a page asks for it, each manifest once, and is at hand for others then."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from sandbox.server import Sandbox
from services.connection.parallel import Partial
from services.connection.session import AzureSession, connect_sandbox
from services.images.repository_contents import RepositoryContents
from tests.support.own_sandbox import REGISTRY, OwnSandbox, own_sandbox
from ui.loaders import contents as whole
from ui.runtime import connection


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def hub(sandbox: Sandbox, session: AzureSession) -> str:
    connection.use(session)
    return str(sandbox.ready["registries"]["contosohub"])


def read(login_server: str) -> Partial[RepositoryContents]:
    reading = whole.registry(connection.who(), login_server)
    assert reading.finished.wait(30)
    assert reading.error is None
    return reading.value


def manifest_reads(sandbox: Sandbox) -> int:
    return sum(1 for request in sandbox.requests if request.method == "GET" and "/manifests/" in request.path)


def test_nothing_is_read_until_a_page_asks_for_it(sandbox: Sandbox, hub: str) -> None:
    who = connection.who()
    sandbox.clear_requests()
    assert whole.last_count(who, hub) is None
    assert whole.known_blobs(who, hub) == {}
    assert list(sandbox.requests) == []


def test_what_was_read_is_counted_and_at_hand(sandbox: Sandbox, hub: str) -> None:
    contents = read(hub)
    found = whole.last_count(connection.who(), hub)
    assert found and found.contents is contents
    assert found.storage.complete
    assert found.storage.total == sandbox.store.blobs.stored_bytes("contosohub")


def test_every_known_blob_is_one_that_its_repository_has(sandbox: Sandbox, hub: str) -> None:
    read(hub)
    blobs = whole.known_blobs(connection.who(), hub)
    assert len(blobs) > 100
    for digest, repository in blobs.items():
        assert sandbox.store.blobs.size("contosohub", repository, digest, stored=False) is not None


def test_manifests_stay_known_when_contents_are_read_anew(sandbox: Sandbox, hub: str) -> None:
    first = read(hub)
    sandbox.clear_requests()
    whole.forget(connection.who(), hub)
    assert whole.last_count(connection.who(), hub) is None
    assert read(hub).values == first.values
    assert manifest_reads(sandbox) == 0


def test_a_process_that_begins_asks_for_no_manifest_that_another_has_read(sandbox: Sandbox, hub: str) -> None:
    first = read(hub)
    st.cache_resource.clear()
    sandbox.clear_requests()
    assert read(hub).values == first.values
    assert manifest_reads(sandbox) == 0


def test_what_is_read_anew_takes_the_place_of_what_was_read(hub: str) -> None:
    read(hub)
    whole.registry.clear(connection.who(), hub)
    contents = read(hub)
    found = whole.last_count(connection.who(), hub)
    assert found and found.contents is contents


def test_what_one_identity_has_read_is_not_at_hand_for_another(hub: str, reader_session: AzureSession) -> None:
    read(hub)
    connection.use(reader_session)
    assert whole.last_count(connection.who(), hub) is None
    assert whole.known_blobs(connection.who(), hub) == {}


def test_a_stop_leaves_what_is_in_and_says_that_it_is_not_all(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        _push_many(own)
        own.break_({"method": "GET", "path": "/v2/team/app/manifests/.*", "delay_ms": 50})
        connection.use(connect_sandbox(own.sandbox.ready))
        reading = whole.registry(connection.who(), own.sandbox.ready["registries"][REGISTRY])
        while reading.what != "manifests":
            assert not reading.finished.wait(0.01)
        reading.stop.set()
        assert reading.finished.wait(30)
        found = whole.last_count(connection.who(), own.sandbox.ready["registries"][REGISTRY])
        assert found and not found.storage.complete
        assert sum(repository.untried for repository in found.contents.values) > 0


def _push_many(own: OwnSandbox) -> None:
    for number in range(1, 80):
        own.push(number=number)


def names_of(sandbox: Sandbox, *names: str) -> dict[str, str]:
    return {str(sandbox.ready["registries"][name]): name for name in names}


def test_all_are_measured_one_after_the_other_and_what_refuses_is_not(sandbox: Sandbox, hub: str) -> None:
    who = connection.who()
    assert whole.measuring(who) is None
    whole.measure_all(who, names_of(sandbox, "contosoci", "contososecure", "contosohub"))
    reading = whole.measuring(who)
    assert reading
    assert reading.finished.wait(60)
    assert [refusal.what for refusal in reading.lacks] == ["contososecure"]
    found = whole.measurements(who)
    assert set(found) == set(names_of(sandbox, "contosoci", "contosohub"))
    assert found[str(sandbox.ready["registries"]["contosoci"])].untagged["ci/cache"] > 0
    whole.forget(who, hub)
    assert set(whole.measurements(who)) == set(names_of(sandbox, "contosoci"))


def test_a_stop_leaves_no_measurement_of_what_was_not_read_whole(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        _push_many(own)
        own.break_({"method": "GET", "path": "/v2/team/app/manifests/.*", "delay_ms": 50})
        connection.use(connect_sandbox(own.sandbox.ready))
        who = connection.who()
        server = own.sandbox.ready["registries"][REGISTRY]
        whole.measure_all(who, {server: REGISTRY})
        reading, one = whole.measuring(who), whole.registry(who, server)
        assert reading
        while one.what != "manifests":
            assert not one.finished.wait(0.01)
        reading.stop.set()
        assert reading.finished.wait(30)
        assert whole.measurements(who) == {}
        own.break_()
        whole.measure_all(who, {server: REGISTRY})
        again = whole.measuring(who)
        assert again is not reading
        assert again
        assert again.finished.wait(30)
        assert whole.measurements(who)[server].unread == ""


def test_a_look_at_many_registries_drops_nothing_that_was_read(hub: str) -> None:
    read(hub)
    who = connection.who()
    for number in range(3 * whole.MOST_COUNTS):
        assert whole.last_count(who, f"unread{number}.azurecr.io") is None
    assert whole.last_count(who, hub) is not None
