"""An estate of any size: what it holds is made when it is asked for, and is then as anything else of a sandbox."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.containerregistry import ArtifactManifestOrder
from hypothesis import given
from hypothesis import strategies as some

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.large.contents import images, stored_bytes, tags
from sandbox.large.places import registry_name, repository_name
from sandbox.large.size import Size, parse_size
from sandbox.server import Sandbox
from sandbox.storage.manifest import OCI_MANIFEST
from sandbox.storage.store import Store, timestamp
from tests.support.azure_clients import Arm
from tests.support.registry_clients import Registry, sdk

SIZE = Size(12, 3, 130)
NAME, REPOSITORY = registry_name(0), repository_name(1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def large(data: Path) -> Iterator[Sandbox]:
    with Sandbox.start(data, seed=SIZE.seed, clock=lambda: NOW) as running:
        yield running


def deferred(store: Store) -> int:
    """How many repositories have not been made."""
    ((count,),) = store.database.all("SELECT count(*) FROM deferred")
    return int(count)


def manifests(store: Store) -> int:
    ((count,),) = store.database.all("SELECT count(*) FROM manifests")
    return int(count)


def test_five_million_manifests_are_put_off(tmp_path: Path) -> None:
    with Sandbox.start(tmp_path, seed="estate:60:40:2000") as running:
        assert len(running.ready["registries"]) == 60
        assert deferred(running.store) == 60 * 40
        assert manifests(running.store) == 0


def test_only_the_repository_that_is_asked_for_is_made(large: Sandbox) -> None:
    with Registry(large.ready, NAME) as registry:
        named = registry("GET", "/acr/v1/_catalog").json()["repositories"]
        counted = registry("GET", f"/acr/v1/{REPOSITORY}").json()
        assert manifests(large.store) == 0
        listed = registry("GET", f"/acr/v1/{REPOSITORY}/_manifests?n=1000").json()["manifests"]
    assert named == [repository_name(number) for number in range(3)]
    assert len(listed) == counted["manifestCount"] == manifests(large.store) == 130
    assert counted["tagCount"] == sum(len(one.get("tags", ())) for one in listed) == 104
    assert deferred(large.store) == 12 * 3 - 1


def test_lists_come_in_pages_and_in_either_order(large: Sandbox) -> None:
    with sdk(large.ready, NAME) as registry:
        up, down = (
            [one.digest for one in registry.list_manifest_properties(REPOSITORY, order_by=order, results_per_page=50)]
            for order in (
                ArtifactManifestOrder.LAST_UPDATED_ON_ASCENDING,
                ArtifactManifestOrder.LAST_UPDATED_ON_DESCENDING,
            )
        )
        names = {one.name for one in registry.list_tag_properties(REPOSITORY)}
    assert len(set(up)) == 130
    assert up == down[::-1]
    assert len(names) == 104
    assert "1.129.0" in names
    pages = [one for one in large.requests if one.path.endswith("/_manifests")]
    assert len(pages) >= 2 * 3


def test_the_last_manifest_is_the_repositorys_last_update(large: Sandbox) -> None:
    """The interval of its images is that of its row."""
    with Registry(large.ready, NAME) as registry:
        told = registry("GET", f"/acr/v1/{REPOSITORY}").json()
        listed = registry("GET", f"/acr/v1/{REPOSITORY}/_manifests?n=1000").json()["manifests"]
        again = registry("GET", f"/acr/v1/{REPOSITORY}").json()
    times = sorted(one["createdTime"] for one in listed)
    assert (times[0], times[-1]) == (told["createdTime"], told["lastUpdateTime"])
    assert again == told


def test_the_bytes_that_are_billed_are_those_that_are_made(large: Sandbox) -> None:
    with Arm(large.ready) as arm:
        path = large.store.find_resource(REGISTRY_TYPE, NAME)["id"] + "/listUsages"
        before = arm("GET", path).json()["value"]
        with Registry(large.ready, NAME) as registry:
            for number in range(3):
                registry("GET", f"/acr/v1/{repository_name(number)}/_manifests")
        large.store.blobs.forget_sizes()
        assert manifests(large.store) == 3 * 130
        assert arm("GET", path).json()["value"] == before
    assert before[0]["currentValue"] > 130 * 3 * 1_000_000


@given(some.integers(1, 60), some.sampled_from(["contoso0001", "contoso0999"]), some.sampled_from(["a/b", "c"]))
def test_bytes_and_tags_are_known_before_anything_is_made(number: int, registry: str, repository: str) -> None:
    made = list(images(registry, repository, number, NOW.replace(year=2025), NOW))
    blobs = {blob for one in made for blob in one.blobs}
    assert sum(blob.size for blob in blobs) + sum(len(one.body) for one in made) == stored_bytes(
        registry, repository, number
    )
    assert len({one.tag for one in made if one.tag}) == tags(number)
    assert len({one.digest for one in made}) == number
    assert [one.at for one in made] == sorted(one.at for one in made)


def test_what_is_pushed_and_deleted_is_kept(data: Path) -> None:
    """In repositories whose contents were not there when the change was made."""
    untouched = repository_name(2)
    with Sandbox.start(data, seed=SIZE.seed) as running, Registry(running.ready, NAME) as registry:
        pushed = registry.push_image(REPOSITORY, "9.9.9")
        found = registry("GET", f"/acr/v1/{untouched}/_tags/1.0.0").json()["tag"]["digest"]
        assert registry("GET", f"/v2/{untouched}/manifests/1.0.0").status_code == 200
        assert registry("DELETE", f"/v2/{untouched}/manifests/{found}").status_code == 202
        assert registry("DELETE", f"/acr/v1/{repository_name(0)}").status_code == 202
    with Sandbox.start(data, seed=SIZE.seed) as running, Registry(running.ready, NAME) as registry:
        assert registry("GET", f"/acr/v1/{REPOSITORY}/_tags/9.9.9").json()["tag"]["digest"] == pushed
        assert registry("GET", f"/acr/v1/{REPOSITORY}").json()["manifestCount"] == 131
        assert registry("GET", f"/acr/v1/{untouched}/_tags/1.0.0").status_code == 404
        assert registry("GET", f"/acr/v1/{untouched}").json()["manifestCount"] == 129
        assert registry("GET", "/acr/v1/_catalog").json()["repositories"] == [REPOSITORY, untouched]
    assert deferred_of(data) == 12 * 3 - 3


def deferred_of(data: Path) -> int:
    store = Store(data)
    try:
        return deferred(store)
    finally:
        store.close()


def test_what_is_added_first_finds_the_contents_there(large: Sandbox) -> None:
    body = b'{"schemaVersion": 2, "config": {"digest": "sha256:0"}, "layers": []}'
    digest = large.store.add_manifest(NAME, REPOSITORY, body, OCI_MANIFEST, timestamp(NOW))
    found = large.store.get_repository(NAME, REPOSITORY)
    assert found
    assert found.manifests == 131
    assert found.updated == timestamp(NOW)
    listed = large.store.list_manifests(NAME, REPOSITORY)
    assert len(listed) == 131
    assert [one.created for one in listed if one.digest == digest] == [timestamp(NOW)]
    assert sum(one.created == timestamp(NOW) for one in listed) == 1


def test_a_lock_counts_before_and_after_the_contents_are_made(large: Sandbox) -> None:
    with Registry(large.ready, NAME) as registry:
        path = f"/acr/v1/{REPOSITORY}"
        assert registry("PATCH", path, json={"deleteEnabled": False}).status_code == 200
        assert registry("GET", path).json()["manifestCount"] == 130
        assert registry("DELETE", path).status_code == 405


def test_a_registry_that_is_deleted_leaves_nothing(large: Sandbox) -> None:
    path = large.store.find_resource(REGISTRY_TYPE, NAME)["id"]
    with Arm(large.ready) as arm:
        assert arm("DELETE", path).status_code == 202
    assert large.store.find_resource(REGISTRY_TYPE, NAME) is None
    assert deferred(large.store) == 11 * 3
    assert large.store.blobs.stored_bytes(NAME) == 0
    assert manifests(large.store) == 0


def test_the_same_size_and_time_give_the_same_bytes(tmp_path: Path) -> None:
    def contents(folder: str) -> list[tuple[object, ...]]:
        with Sandbox.start(tmp_path / folder, seed=SIZE.seed, clock=lambda: NOW) as running:
            running.store.list_manifests(NAME, REPOSITORY)
            sql = "SELECT digest, created, body FROM manifests ORDER BY digest"
            return running.store.database.all(sql)

    assert contents("one") == contents("two")


def test_resource_manager_has_ten_registries_a_subscription(large: Sandbox) -> None:
    with Arm(large.ready) as arm:
        found = [
            [one["name"] for one in arm("GET", f"/subscriptions/{one}/providers/{REGISTRY_TYPE}").json()["value"]]
            for one in large.ready["subscription_ids"]
        ]
    assert sorted(len(names) for names in found) == [0, 2, 10]
    assert {name for names in found for name in names} == {registry_name(number) for number in range(12)}


def test_one_may_read_there_and_write_as_in_any_registry(large: Sandbox) -> None:
    with Registry(large.ready, NAME, who="reader_client") as reader:
        assert reader("GET", f"/v2/{REPOSITORY}/manifests/1.0.0").status_code == 200
        path = f"/acr/v1/{REPOSITORY}/_tags/1.0.0"
        assert reader("DELETE", path).status_code in (401, 403)


@pytest.mark.parametrize(
    "text", ["500:40", "0:1:1", "1:0:1", "1:1:0", "2001:1:1", "1:1001:1", "1:1:10001", "a:b:c", ""]
)
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"REGISTRIES:REPOSITORIES|1 to"):
        parse_size(text)


def test_a_size_is_its_seed() -> None:
    assert parse_size("500:40:250") == parse_size("estate:500:40:250") == Size(500, 40, 250)
    assert parse_size(SIZE.seed) == SIZE
