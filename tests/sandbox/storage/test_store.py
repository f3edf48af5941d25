"""The store: documents by id and place, transactions, and what a registry's contents add up to."""

import json

import pytest

from sandbox.storage.manifest import OCI_MANIFEST
from sandbox.storage.store import Locks, Store

AT = "2026-01-01T00:00:00.0000000Z"


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


def document(path, kind="Some/things"):
    return {"id": path, "type": kind, "name": path.rsplit("/", 1)[-1], "value": "Grün"}


def manifest(number, *layers):
    parts = [{"digest": f"sha256:{name:064}", "size": size} for name, size in (("c" + str(number), 10), *layers)]
    return json.dumps({"schemaVersion": 2, "config": parts[0], "layers": parts[1:]}).encode()


def test_documents_are_found_by_id_in_any_case_and_keep_their_own(store):
    store.put_resource(document("/Subscriptions/A/resourceGroups/One"))
    assert store.get_resource("/subscriptions/a/RESOURCEGROUPS/one")["id"] == "/Subscriptions/A/resourceGroups/One"
    assert store.find_resource("some/THINGS", "ONE")["value"] == "Grün"
    assert store.delete_resource("/SUBSCRIPTIONS/a/resourcegroups/one")
    assert not store.delete_resource("/subscriptions/a/resourcegroups/one")


def test_a_list_holds_whole_path_segments_in_order(store):
    for path in ("/s/a/rg10/x", "/s/a/rg1/y", "/s/a/rg1", "/s/a/rg1-x/z", "/s/a"):
        store.put_resource(document(path))
    store.put_resource(document("/s/a/rg1/other", "Other/things"))
    assert [d["id"] for d in store.list_resources("some/things", "/S/A/RG1/")] == ["/s/a/rg1", "/s/a/rg1/y"]
    assert len(store.list_resources(under="/s/a")) == 6
    assert len(store.list_resources("Some/Things", "/")) == 5


def test_a_transaction_is_all_or_nothing_and_an_inner_one_joins_it(store):
    with pytest.raises(ZeroDivisionError), store.transaction():
        with store.transaction():
            store.put_resource(document("/a"))
        store.add_tag("r", "app", "v1", "sha256:0", AT)
        _ = 1 / 0
    assert store.list_resources() == []
    assert store.list_repositories("r") == []
    with store.transaction():
        store.put_resource(document("/b"))
    assert store.get_resource("/b") is not None


def test_registries_are_one_in_any_case_and_apart_from_each_other(store):
    store.add_manifest("Reg", "app", manifest(1), OCI_MANIFEST, AT)
    assert store.list_repositories("REG") == ["app"]
    assert store.list_repositories("other") == []


def test_shared_layers_count_once_until_nobody_needs_them(store):
    bodies = [manifest(1, ("base", 1000), ("one", 50)), manifest(2, ("base", 1000), ("two", 70))]
    digests = [store.add_manifest("r", f"app{i}", body, OCI_MANIFEST, AT) for i, body in enumerate(bodies)]
    assert store.blobs.stored_bytes("r") == 2 * 10 + 1000 + 50 + 70 + sum(map(len, bodies))
    store.delete_manifest("r", "app0", digests[0], AT)
    assert store.blobs.stored_bytes("r") == 10 + 1000 + 70 + len(bodies[1])
    store.delete_registry_data("R")
    assert store.blobs.stored_bytes("r") == 0


def test_a_manifest_of_two_repositories_counts_once_until_nobody_has_it(store):
    body = manifest(1, ("base", 1000))
    digest = store.add_manifest("r", "app", body, OCI_MANIFEST, AT)
    store.add_manifest("r", "copy", body, OCI_MANIFEST, AT)
    assert store.blobs.stored_bytes("r") == 10 + 1000 + len(body)
    store.delete_manifest("r", "app", digest, AT)
    assert store.blobs.stored_bytes("r") == 10 + 1000 + len(body)
    store.delete_manifest("r", "copy", digest, AT)
    assert store.blobs.stored_bytes("r") == 0


def test_a_manifest_pushed_again_keeps_its_birth(store):
    later = AT.replace("00:00:00", "00:00:09")
    for at in (AT, later):
        digest = store.add_manifest("r", "app", manifest(1), OCI_MANIFEST, at)
        store.add_tag("r", "app", "v1", digest, at)
    found, tag, repository = (
        store.get_manifest("r", "app", digest),
        store.get_tag("r", "app", "v1"),
        store.get_repository("r", "app"),
    )
    for item in (found, tag, repository):
        assert (item.created, item.updated) == (AT, later)
    assert (repository.manifests, repository.tags) == (1, 1)


@pytest.mark.parametrize("off", ["delete", "write", "read", "list"])
def test_locks_come_back_as_they_went(store, off):
    locks = Locks(**{off: False})
    store.add_repository("r", "app", AT, locks)
    assert store.repository_locks("r", "app") == store.get_repository("r", "app").locks == locks
    assert locks.deletable == (off not in ("delete", "write"))
    assert store.repository_is_locked("r", "app") == (off in ("delete", "write"))
