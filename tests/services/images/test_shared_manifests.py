"""What one person has read is at hand for another: where the registry would show it to them, and there alone."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, update

from sandbox.identity.principals import READER
from sandbox.seeds.resources import assignment, custom_role
from sandbox.storage.store import Locks
from services.connection.data_plane import RegistryClient
from services.database.contents import ContentStore
from services.database.tables import contents
from services.images.platforms import read_indexes
from services.images.repositories import manifest_rows
from services.images.repository_contents import RepositoryContents, read_contents
from services.images.tag_list import read_tag_list
from services.images.tree import read_for_tree
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox


@pytest.fixture
def store(database: Engine) -> Iterator[ContentStore]:
    yield ContentStore(lambda: database)


def read(client: RegistryClient, store: ContentStore) -> RepositoryContents:
    (found,) = read_contents(client, [APP], {}, store=store).values
    return found


def manifest_reads(own: OwnSandbox) -> int:
    return sum(
        1 for one in own.sandbox.requests if one.method == "GET" and "/v2/" in one.path and "/manifests/" in one.path
    )


def test_a_second_person_asks_for_no_manifest_that_the_first_has_read(own: OwnSandbox, store: ContentStore) -> None:
    own.push_index("v1", numbers=range(1, 6))
    own.attach(own.push("v2", number=9)[0])
    first = read(own.client, store)
    own.sandbox.clear_requests()
    second = read(own.as_reader(), store)
    assert second == first
    assert len(second.manifests) == 8
    assert manifest_reads(own) == 0


def test_the_list_of_tags_asks_for_no_index_that_another_person_has_read(own: OwnSandbox, store: ContentStore) -> None:
    own.push_index("v1", numbers=range(1, 4))
    first = read_tag_list(own.client, APP, {}, store=store)
    own.sandbox.clear_requests()
    assert read_tag_list(own.as_reader(), APP, {}, store=store) == first
    assert manifest_reads(own) == 0


def test_trees_and_indexes_ask_for_no_manifest_that_another_person_has_read(
    own: OwnSandbox, store: ContentStore
) -> None:
    index = own.push_index("v1", numbers=range(1, 4))
    signature = own.attach(index)
    rows = manifest_rows(own.client, APP).values
    of_tree, indexes = (
        {one.digest for one in reading(own.client, APP, rows, store=store).values}
        for reading in (read_for_tree, read_indexes)
    )
    assert {index, signature} <= of_tree
    assert indexes == {index}
    reader = own.as_reader()
    assert manifest_rows(reader, APP).values == rows
    own.sandbox.clear_requests()
    assert {one.digest for one in read_for_tree(reader, APP, rows, store=store).values} == of_tree
    assert {one.digest for one in read_indexes(reader, APP, rows, store=store).values} == indexes
    assert manifest_reads(own) == 0


def test_a_digest_that_is_not_listed_for_a_person_is_not_shown(own: OwnSandbox, store: ContentStore) -> None:
    shown, _ = own.push("v1")
    hidden, _ = own.push("v2", number=2)
    assert read(own.client, store).manifests.keys() == {shown, hidden}
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, hidden, Locks(list=False), own.sandbox.state.stamp())
    found = read(own.as_reader(), store)
    assert found.manifests.keys() == {shown}
    assert found.hidden == 1


def test_what_is_locked_against_reading_is_not_shown_to_who_never_read_it(own: OwnSandbox, store: ContentStore) -> None:
    good, _ = own.push("v1")
    locked, _ = own.push("v2", number=2)
    read(own.client, store)
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, locked, Locks(read=False), own.sandbox.state.stamp())
    found = read(own.as_reader(), store)
    assert found.manifests.keys() == {good}
    assert [refusal.what for refusal in found.unread] == [locked]
    own.lock_repository(read=False)
    assert read(own.as_reader(), store).manifests == {}


def test_who_may_list_and_not_pull_is_refused_as_by_the_registry(own: OwnSandbox, store: ContentStore) -> None:
    digest, _ = own.push("v1")
    read(own.client, store)
    documents, now, registry = own.sandbox.store, own.sandbox.state.stamp(), own.registry()
    document = documents.get_resource(registry.id)
    assert document
    document["properties"]["roleAssignmentMode"] = "AbacRepositoryPermissions"
    documents.put_resource(document)
    role = custom_role("Lister", "", [registry.id], [], now)
    actions = ["Microsoft.ContainerRegistry/registries/repositories/metadata/read"]
    role["properties"]["permissions"][0]["dataActions"] = actions
    documents.put_resource(role)
    documents.put_resource(assignment(registry.id, role["name"], READER.object_id, "ServicePrincipal", now))
    found = read(own.as_reader(), store)
    assert [row.digest for row in found.rows] == [digest]
    assert found.manifests == {}
    assert [refusal.what for refusal in found.unread] == [digest]


def test_a_row_with_other_bytes_is_read_from_the_registry(
    own: OwnSandbox, store: ContentStore, database: Engine
) -> None:
    digest, raw = own.push("v1")
    first = read(own.client, store)
    with database.begin() as db:
        db.execute(update(contents).values(raw=raw.replace(b"config", b"conf1g")))
    own.sandbox.clear_requests()
    assert read(own.as_reader(), store) == first
    assert manifest_reads(own) == 1
    assert store.find([digest]) == {digest: raw}
