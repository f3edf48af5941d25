"""What takes the bytes: each content once, the parts add up to the whole, and what is foretold is what is freed."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sandbox.storage.store import Store, timestamp
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.images.manifests import Descriptor, Kind, Manifest
from services.images.repositories import Locks, ManifestRow, Repository
from services.images.repository_contents import RepositoryContents
from services.images.storage import ImageStorage, RegistryStorage, freed_by_repository, freed_bytes, registry_storage
from tests.support import registries_at_random
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, digest_of
from tests.support.registries_at_random import FIRST, Pushes, registries, write

AT = datetime(2026, 1, 1, tzinfo=UTC)
# The size of each manifest made here.
MANIFEST = 1


def image(
    number: int, *layers: tuple[int, int], tags: tuple[str, ...] = (), subject: int | None = None
) -> tuple[ManifestRow, Manifest]:
    """A manifest with layers, each a number and a size, and no config."""
    described = tuple(Descriptor(digest_of(layer), "", size) for layer, size in layers)
    to = "" if subject is None else digest_of(subject)
    kind = Kind.ARTIFACT if to else Kind.IMAGE
    made = Manifest(digest_of(number), OCI_MANIFEST, MANIFEST, kind, None, described, (), to, "", ())
    return row_of(made, MANIFEST + sum(size for _, size in layers), tags), made


def index(number: int, *children: int, tags: tuple[str, ...] = ()) -> tuple[ManifestRow, Manifest]:
    described = tuple(Descriptor(digest_of(child), OCI_MANIFEST, MANIFEST) for child in children)
    made = Manifest(digest_of(number), OCI_INDEX, MANIFEST, Kind.INDEX, None, (), described, "", "", ())
    return row_of(made, MANIFEST, tags), made


def row_of(manifest: Manifest, size: int, tags: tuple[str, ...]) -> ManifestRow:
    return ManifestRow(manifest.digest, manifest.media_type, OCI_CONFIG, "", size, AT, AT, "", "", tags, Locks())


def repository(name: str, *manifests: tuple[ManifestRow, Manifest | None], hidden: int = 0) -> RepositoryContents:
    """A manifest given as None was refused."""
    rows = tuple(row for row, _ in manifests)
    refusals = tuple(refused(row.digest) for row, manifest in manifests if not manifest)
    attributes = Repository("r", name, AT, AT, len(rows) + hidden, 0, Locks())
    return RepositoryContents(
        attributes, (), rows, {manifest.digest: manifest for _, manifest in manifests if manifest}, refusals
    )


def refused(what: str) -> Refusal:
    return Refusal(what, ServiceError("Could not read", "It refused.", "Ask.", "Refused"))


def storage_of(*repositories: RepositoryContents) -> RegistryStorage:
    return registry_storage(Partial(repositories))


def figures(images: tuple[ImageStorage, ...]) -> dict[str, tuple[int, int, int]]:
    """First tag → total, unique and shared bytes."""
    return {image.tags[0]: (image.total, image.unique, image.shared) for image in images}


def test_a_layer_of_two_images_counts_once_and_is_neithers_own() -> None:
    app = repository(
        "app", image(1, (10, 1000), (11, 50), tags=("v1", "latest")), image(2, (10, 1000), (12, 70), tags=("v2",))
    )
    found = storage_of(app)
    assert (found.total, found.shared, found.untagged) == (1000 + 50 + 70 + 2, 0, 0)
    (of_app,) = found.repositories
    assert of_app.between_images == 1000
    assert figures(of_app.images) == {"v2": (1071, 71, 1000), "latest": (1051, 51, 1000)}
    assert of_app.images[1].tags == ("latest", "v1")


def test_a_layer_of_two_repositories_is_neithers_own() -> None:
    found = storage_of(
        repository("base", image(1, (10, 1000), tags=("v1",))),
        repository("app", image(2, (10, 1000), (12, 70), tags=("v1",))),
    )
    assert (found.total, found.shared) == (1000 + 70 + 2, 1000)
    assert [(one.name, one.total, one.unique, one.shared) for one in found.repositories] == [
        ("app", 1071, 71, 1000),
        ("base", 1001, 1, 1000),
    ]
    assert found.repositories[1].images[0].unique == 1


def test_a_manifest_that_lies_in_two_repositories_is_stored_once() -> None:
    found = storage_of(
        repository("app", image(1, (10, 50), tags=("v1",))), repository("copy", image(1, (10, 50), tags=("v1",)))
    )
    assert (found.total, found.shared) == (51, 51)


def test_what_belongs_to_an_image_is_what_it_lists_and_what_refers_to_it_however_deep() -> None:
    signature_tag = digest_of(2).replace(":", "-") + ".sig"
    found = storage_of(
        repository(
            "app",
            index(1, 2, 3, tags=("v1",)),
            image(2, (12, 20)),
            index(3, 4),
            image(4, (14, 40)),
            image(5, (15, 500), subject=1),
            image(6, (16, 6000), subject=5),
            image(7, (17, 70_000), tags=(signature_tag,)),
            image(8, (18, 800_000)),
        )
    )
    assert figures(found.repositories[0].images) == {"v1": (76_560 + 7, 76_560 + 7, 0)}
    assert found.untagged == 800_001


def test_what_is_attached_by_a_tag_to_what_has_none_or_is_gone_stands_for_itself() -> None:
    of_leftover, of_nothing = (digest_of(number).replace(":", "-") for number in (1, 99))
    found = storage_of(
        repository(
            "app", image(1, (11, 10)), image(2, (12, 20), tags=(of_leftover,)), image(3, (13, 30), tags=(of_nothing,))
        )
    )
    assert {image.digest for image in found.repositories[0].images} == {digest_of(2), digest_of(3)}
    assert found.untagged == 11


def test_what_only_leftovers_hold_is_untagged_and_what_an_image_holds_too_is_not() -> None:
    app = repository("app", image(1, (10, 1000), (11, 50), tags=("v2",)), image(2, (10, 1000), (12, 70)))
    found = storage_of(app)
    assert found.untagged == 71
    assert figures(found.repositories[0].images) == {"v2": (1051, 1051, 0)}
    assert freed_bytes([app], {"app": [digest_of(2)]}) == 71
    assert freed_bytes([app], {"app": [digest_of(1)]}) == 51


@pytest.mark.parametrize("listing", [(1, (1,)), (1, (2, 3)), (1, (9,))])
def test_circles_and_missing_children_are_walked_once(listing: tuple[int, tuple[int, ...]]) -> None:
    number, children = listing
    found = storage_of(
        repository("app", index(number, *children, tags=("v1",)), index(2, 1, 3), index(3, 2, 1), image(4, (14, 40)))
    )
    of_app = found.repositories[0]
    assert found.total == of_app.unique == 44
    assert of_app.untagged + of_app.images[0].unique == 44


def test_a_hundred_indexes_that_all_list_one_another() -> None:
    numbers = range(1, 101)
    found = storage_of(repository("app", *(index(number, *numbers, tags=(f"v{number}",)) for number in numbers)))
    assert found.repositories[0].between_images == found.total == 100


def test_of_two_sizes_the_larger_one_counts() -> None:
    app = repository("app", image(1, (10, 50), tags=("v1",)), image(2, (10, 70)), image(3, (10, 60)))
    assert storage_of(app).total == 73
    assert freed_bytes([app], {"app": [digest_of(number) for number in (1, 2, 3)]}) == 73


def test_a_manifest_without_config_and_layers_has_the_size_that_the_registry_gives_it() -> None:
    """As schema 1 does: its layers have no sizes."""
    old, manifest = image(1, tags=("v1",))
    app = repository("app", (row_of(manifest, 5000, old.tags), manifest))
    assert storage_of(app).total == 5000
    assert freed_bytes([app], {"app": [manifest.digest]}) == 5000


def test_what_could_not_be_read_is_said_and_makes_the_total_the_least() -> None:
    unread = image(2, (12, 20), tags=("v2",))[0]
    found = registry_storage(
        Partial((repository("app", image(1, (11, 10), tags=("v1",)), (unread, None), hidden=3),), (refused("b"),), 4)
    )
    (of_app,) = found.repositories
    assert (found.total, found.missing, found.complete) == (11, 5, False)
    assert (of_app.unread, of_app.hidden, of_app.complete) == (1, 3, False)
    assert figures(of_app.images) == {"v1": (11, 11, 0), "v2": (0, 0, 0)}


def test_a_registry_of_which_a_manifest_is_hidden_is_not_complete() -> None:
    assert storage_of(repository("app", image(1, tags=("v1",)))).complete
    assert not storage_of(repository("app", image(1, tags=("v1",)), hidden=1)).complete


def test_deleting_what_could_not_be_read_frees_what_the_registry_says_at_most() -> None:
    unread = image(2, (12, 20))[0]
    assert freed_bytes([repository("app", (unread, None))], {"app": [unread.digest]}) == 21


def test_an_empty_registry_stores_nothing() -> None:
    assert storage_of() == RegistryStorage(0, 0, ())
    assert freed_bytes([], {"app": [digest_of(1)]}) == 0


def written(store: Store, drawn: tuple[Pushes, ...]) -> tuple[RepositoryContents, ...]:
    store.delete_registry_data("drawn")
    write(store, "drawn", drawn)
    return registries_at_random.read(store, "drawn")


def with_referrers(store: Store, name: str, digests: set[str]) -> set[str]:
    """What the registry deletes when it deletes `digests`: what refers to them goes too, and what refers to that."""
    while True:
        more = {found.digest for digest in digests for found in store.list_referrers("drawn", name, digest)} - digests
        if not more:
            return digests
        digests = digests | more


def draw_going(
    store: Store, repositories: tuple[RepositoryContents, ...], data: st.DataObject
) -> Mapping[str, set[str]]:
    def some(contents: RepositoryContents) -> set[str]:
        return data.draw(st.sets(st.sampled_from([row.digest for row in contents.rows])), label=contents.name)

    return {contents.name: with_referrers(store, contents.name, some(contents)) for contents in repositories}


def freed_by_the_store(store: Store, unblocked: Mapping[str, set[str]]) -> int:
    before = store.blobs.stored_bytes("drawn")
    for name, digests in unblocked.items():
        for digest in digests:
            if store.get_manifest("drawn", name, digest):
                store.delete_manifest("drawn", name, digest, timestamp(FIRST))
    return before - store.blobs.stored_bytes("drawn")


@given(drawn=registries(), data=st.data())
def test_bytes_foretold_are_the_bytes_that_the_registry_then_frees(
    store: Store, drawn: tuple[Pushes, ...], data: st.DataObject
) -> None:
    repositories = written(store, drawn)
    unblocked = draw_going(store, repositories, data)
    foretold = freed_bytes(repositories, unblocked)
    listed = {name: {manifest.digest for manifest in store.list_manifests("drawn", name)} for name in unblocked}
    assert foretold == freed_by_the_store(store, unblocked)
    for name, digests in unblocked.items():
        left = {manifest.digest for manifest in store.list_manifests("drawn", name)}
        assert left == listed[name] - digests
    event("nothing freed" if not foretold else "something freed")


@given(drawn=registries(unreadable=True), data=st.data())
def test_where_something_could_not_be_read_no_more_is_freed_than_foretold(
    store: Store, drawn: tuple[Pushes, ...], data: st.DataObject
) -> None:
    repositories = written(store, drawn)
    unblocked = draw_going(store, repositories, data)
    foretold = freed_bytes(repositories, unblocked)
    assert foretold >= freed_by_the_store(store, unblocked)


@given(drawn=registries())
def test_the_parts_of_a_registry_add_up_to_it_exactly(store: Store, drawn: tuple[Pushes, ...]) -> None:
    repositories = written(store, drawn)
    found = registry_storage(Partial(repositories))
    assert found.complete
    assert found.total == store.blobs.stored_bytes("drawn")
    assert found.total == found.shared + sum(
        repository.between_images + repository.untagged + sum(image.unique for image in repository.images)
        for repository in found.repositories
    )
    contents = {one.name: one for one in repositories}
    for repository in found.repositories:
        of_it = contents[repository.name]
        everything = {row.digest for row in of_it.rows}
        assert repository.unique == freed_bytes(repositories, {repository.name: everything})
        assert repository.untagged == freed_bytes(repositories, {repository.name: everything - led_to(of_it)})
        assert Counter(tag for image in repository.images for tag in image.tags) <= Counter(
            tag.name for tag in of_it.tags
        )
        for image in repository.images:
            assert 0 < image.unique + image.shared == image.total <= repository.total


def led_to(contents: RepositoryContents) -> set[str]:
    """What any tag leads to: down the indexes, and up to what refers to it."""
    manifests = contents.manifests
    reached = {tag.digest for tag in contents.tags}
    while True:
        attached = {digest.replace(":", "-") for digest in reached}
        more = {child.digest for digest in reached for child in manifests[digest].children} & manifests.keys()
        more |= {found.digest for found in manifests.values() if found.subject in reached}
        more |= {tag.digest for tag in contents.tags if tag.name.removesuffix(".sig") in attached}
        if more <= reached:
            return reached
        reached |= more


@given(drawn=registries(), data=st.data())
def test_what_each_repository_frees_alone_is_what_it_frees_without_the_others(
    store: Store, drawn: tuple[Pushes, ...], data: st.DataObject
) -> None:
    repositories = written(store, drawn)
    unblocked = draw_going(store, repositories, data)
    alone = freed_by_repository(repositories, unblocked)
    assert alone == {one.name: freed_bytes(repositories, {one.name: unblocked[one.name]}) for one in repositories}
    assert sum(alone.values()) <= freed_bytes(repositories, unblocked)
