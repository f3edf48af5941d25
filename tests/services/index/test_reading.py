"""The index against the registry: brought up to date it is as one built anew, and what could not be read stays."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from sandbox.storage.store import Locks, Store, timestamp
from services.database.contents import ContentStore
from services.index.index_jobs import targets_of
from services.index.reading import RegistryIndexed, index_registry, index_repository
from services.index.store import CHANGED, IndexStore, IndexTarget, ReadRepository
from tests.support.databases import sqlite
from tests.support.documents import OCI_LAYER, OCI_MANIFEST
from tests.support.index_samples import index_as_values
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from tests.support.registries_at_random import FIRST, Pushes, registries

DRAWN = "drawnregistry"
AZURE = "sandbox/tenant"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "anew").mkdir()
    with sqlite(tmp_path / "anew") as engine:
        yield engine


def target(own: OwnSandbox, name: str = REGISTRY) -> IndexTarget:
    return targets_of([own.registry(name)])[0]


def index(own: OwnSandbox, engine: Engine, name: str = REGISTRY, *, everything: bool = False) -> RegistryIndexed:
    one = target(own, name)
    client = own.session().registry(one.login_server)
    return index_registry(IndexStore(engine, AZURE), client, one, everything=everything)


class _Clock:
    """A minute between two changes."""

    def __init__(self) -> None:
        self._now: datetime = FIRST

    def stamp(self) -> str:
        self._now += timedelta(minutes=1)
        return timestamp(self._now)


def push(store: Store, drawn: tuple[Pushes, ...], clock: _Clock) -> None:
    for pushes in drawn:
        for pushed in pushes.manifests:
            store.add_manifest(DRAWN, pushes.name, pushed.body, pushed.media_type, clock.stamp(), locks=pushed.locks)
        for tagged in pushes.tags:
            store.add_tag(DRAWN, pushes.name, tagged.name, tagged.digest, clock.stamp(), locks=tagged.locks)


def delete(store: Store, choice: int, clock: _Clock) -> None:
    """A tag, a manifest or a repository, as `choice` has it."""
    names = store.list_repositories(DRAWN)
    if not names:
        return
    name = names[choice % len(names)]
    tags, manifests = store.list_tags(DRAWN, name), store.list_manifests(DRAWN, name)
    if choice % 7 == 0 or not manifests:
        store.delete_repository(DRAWN, name)
    elif choice % 3 and tags:
        store.delete_tag(DRAWN, name, tags[choice % len(tags)].name, clock.stamp())
    else:
        store.delete_manifest(DRAWN, name, manifests[choice % len(manifests)].digest, clock.stamp())


def hide(store: Store, choice: int, clock: _Clock) -> None:
    """A manifest or a tag is locked against listing, or a manifest against reading."""
    names = store.list_repositories(DRAWN)
    if not names:
        return
    name = names[choice % len(names)]
    tags, manifests = store.list_tags(DRAWN, name), store.list_manifests(DRAWN, name)
    if choice % 2 and tags:
        store.set_tag_locks(DRAWN, name, tags[0].name, Locks(list=False), clock.stamp())
    elif manifests:
        locks = Locks(list=False) if choice % 3 else Locks(read=False)
        store.set_manifest_locks(DRAWN, name, manifests[-1].digest, locks, clock.stamp())


CHANGES = st.lists(
    st.one_of(
        registries(unreadable=True).map(lambda drawn: ("push", drawn)),
        st.integers(0, 1000).map(lambda choice: ("delete", choice)),
        st.integers(0, 1000).map(lambda choice: ("hide", choice)),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=registries(unreadable=True), changes=CHANGES)
def test_brought_up_to_date_it_is_as_one_built_anew(
    own: OwnSandbox, database: Engine, other: Engine, first: tuple[Pushes, ...], changes: list[tuple[str, object]]
) -> None:
    store, clock = own.sandbox.store, _Clock()
    if not own.sandbox.ready["registries"].get(DRAWN):
        own.make_registry(DRAWN)
    for name in store.list_repositories(DRAWN):
        store.delete_repository(DRAWN, name)
    index(own, database, DRAWN)
    push(store, first, clock)
    index(own, database, DRAWN)
    hidden = False
    for kind, what in changes:
        if kind == "push":
            push(store, what, clock)  # type: ignore[arg-type]
        elif kind == "delete":
            delete(store, what, clock)  # type: ignore[arg-type]
        else:
            hide(store, what, clock)  # type: ignore[arg-type]
            hidden = True
        index(own, database, DRAWN)
    # A lock alone changes no last update: then everything is read.
    found = index(own, database, DRAWN, everything=hidden)
    assert found.complete
    for name in IndexStore(other, AZURE).repositories(1):
        IndexStore(other, AZURE).remove_repository(1, name)
    index(own, other, DRAWN)
    assert index_as_values(database) == index_as_values(other)


def test_what_has_not_changed_is_not_read_again(own: OwnSandbox, database: Engine) -> None:
    own.push_index("v1")
    first = index(own, database)
    assert first.changed == len(own.sandbox.store.list_repositories(REGISTRY)) and first.same == 0
    own.sandbox.clear_requests()
    second = index(own, database)
    assert (second.changed, second.same) == (0, first.changed)
    paths = [request.path for request in own.sandbox.requests if request.path.startswith(("/acr/", "/v2/"))]
    assert len(paths) == 1 + first.changed  # The catalogue, and the attributes of each.
    own.push("v2", number=7)
    own.sandbox.clear_requests()
    third = index(own, database)
    assert (third.changed, third.same) == (1, first.changed - 1)
    read = [
        request.path for request in own.sandbox.requests if "/v2/" in request.path and "/manifests/" in request.path
    ]
    assert len(read) == 1  # The new manifest alone: the others are known.


def test_a_repository_that_was_changed_is_brought_up_to_date_by_itself(
    own: OwnSandbox, database: Engine, other: Engine
) -> None:
    own.push_index("v1")
    own.push("v2", number=3)
    index(own, database)
    store, one = IndexStore(database, AZURE), target(own)
    client = own.session().registry(one.login_server)
    own.remove("v2")
    own.push("v3", number=9)
    (number,) = store.mark_changed(one.login_server, APP, FIRST)
    own.sandbox.clear_requests()
    assert index_repository(store, client, number, APP).changed == 1
    paths = [request.path for request in own.sandbox.requests if request.path.startswith(("/acr/", "/v2/"))]
    assert paths and all(APP in path for path in paths)
    index(own, other)
    assert index_as_values(database) == index_as_values(other)
    own.sandbox.store.delete_repository(REGISTRY, APP)
    assert index_repository(store, client, number, APP).removed == 1
    assert APP not in store.repositories(number)


def test_a_mark_stays_until_the_repository_was_read_again(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    store, one = IndexStore(database, AZURE), target(own)
    assert store.mark_changed(one.login_server, APP, FIRST) == ()
    index(own, database)
    (number,) = store.mark_changed(one.login_server, APP, FIRST)
    store.mark_changed(one.login_server, "just-made", FIRST)
    own.break_({"path": f"/acr/v1/{APP}/_manifests", "status": 403})
    client = own.session().registry(one.login_server)
    assert index_repository(store, client, number, APP).refused
    assert store.repositories(number)[APP].counts == CHANGED
    own.break_()
    found = index(own, database)
    assert (found.changed, found.removed) == (1, 1)  # Though nothing of it has changed; the other is none.
    assert all(known.counts != CHANGED for known in store.repositories(number).values())


def test_a_repository_of_a_registry_that_was_never_compared_to_its_end_is_marked(
    own: OwnSandbox, database: Engine
) -> None:
    own.push("v1")
    store, one = IndexStore(database, AZURE), target(own)
    number = store.add_registry(one)
    client = own.session().registry(one.login_server)
    assert index_repository(store, client, number, APP).changed == 1
    assert store.mark_changed(one.login_server, "elsewhere", FIRST) == ()
    assert store.mark_changed(one.login_server, APP, FIRST) == (number,)
    assert {name: known.counts for name, known in store.repositories(number).items()} == {APP: CHANGED}


def test_what_was_read_before_a_change_leaves_its_mark(
    own: OwnSandbox, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.push("v1")
    index(own, database)
    store, one = IndexStore(database, AZURE), target(own)
    client = own.session().registry(one.login_server)
    number = store.add_registry(one)
    write = store.write_repository

    def change_first(registry: int, read: ReadRepository) -> None:
        own.push("v2", number=2)
        store.mark_changed(one.login_server, APP, datetime.now(UTC))
        write(registry, read)

    monkeypatch.setattr(store, "write_repository", change_first)
    assert index_repository(store, client, number, APP).changed == 1
    assert store.repositories(number)[APP].counts == CHANGED
    monkeypatch.undo()
    assert index_repository(store, client, number, APP).changed == 1
    assert store.repositories(number)[APP].counts != CHANGED

    # One that began before another, and ends after it.
    def read_again_first(registry: int, read: ReadRepository) -> None:
        monkeypatch.undo()
        assert index_repository(store, client, number, APP).changed == 1
        write(registry, read)

    monkeypatch.setattr(store, "write_repository", read_again_first)
    assert index_repository(store, client, number, APP).changed == 1
    assert store.repositories(number)[APP].counts == CHANGED
    assert index(own, database).changed == 1
    assert store.repositories(number)[APP].counts != CHANGED


def test_a_refused_catalogue_removes_nothing_and_is_said(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    index(own, database)
    before = index_as_values(database)
    own.break_({"path": "/acr/v1/_catalog", "status": 403})
    found = index(own, database)
    assert not found.complete
    assert found.refused[0].what == "The catalogue"
    assert index_as_values(database) == before


def test_a_repository_is_removed_only_where_the_registry_says_that_it_is_gone(
    own: OwnSandbox, database: Engine
) -> None:
    own.push("v1")
    index(own, database)
    names = set(IndexStore(database, AZURE).repositories(1))
    # Not in the catalogue, and there all the same: as in ABAC mode, for who may not list it.
    own.sandbox.store.set_repository_locks(REGISTRY, APP, Locks(list=False))
    assert index(own, database).removed == 0
    own.sandbox.store.delete_repository(REGISTRY, APP)
    assert index(own, database).removed == 1
    assert set(IndexStore(database, AZURE).repositories(1)) == names - {APP}


def test_a_manifest_that_is_none_does_not_stop_the_others(own: OwnSandbox, database: Engine) -> None:
    digest, _ = own.push("v1")
    blob = {"mediaType": OCI_LAYER, "digest": "none", "size": 1}
    broken = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blob, "layers": [blob]}
    own.sandbox.store.add_manifest(REGISTRY, APP, json.dumps(broken).encode(), OCI_MANIFEST, own.sandbox.state.stamp())
    found = index(own, database)
    assert found.complete
    assert IndexStore(database, AZURE).repositories(1)[APP].unread == 1
    assert index(own, database).changed == 0
    assert digest in IndexStore(database, AZURE).known_manifests([digest])


def test_a_registry_created_again_under_its_name_is_another(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    index(own, database)
    one = target(own)
    again = IndexTarget(one.id, one.name, one.login_server, datetime.now(FIRST.tzinfo))
    number = IndexStore(database, AZURE).add_registry(again)
    assert IndexStore(database, AZURE).repositories(number) == {}
    values = index_as_values(database)
    assert len(values["registries"]) == 1
    assert values["digests"] == [] and values["manifests"] == []


def test_what_processes_have_read_is_not_read_from_the_registry(own: OwnSandbox, database: Engine) -> None:
    own.push_index("v1")
    shared = ContentStore(lambda: database)
    one, store = target(own), IndexStore(database, AZURE)
    client = own.session().registry(one.login_server)
    index_registry(store, client, one, shared=shared)
    for name in store.repositories(1):
        store.remove_repository(1, name)
    own.sandbox.clear_requests()
    index_registry(store, client, one, shared=shared)
    assert not [request for request in own.sandbox.requests if "/v2/" in request.path]
