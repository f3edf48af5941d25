"""The estate's figures: what Azure's usage says, and what a count by hand gives."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.seeds.images import MIB, layer
from sandbox.seeds.places import REGISTRIES
from sandbox.server import Sandbox
from sandbox.storage.manifest import INDEXES
from services.connection.parallel import Partial
from services.connection.session import AzureSession, connect_sandbox
from services.images.repositories import repository_names
from services.images.repository_contents import read_contents
from services.images.storage import ImageStorage, RepositoryStorage, registry_storage
from services.registries.reading import list_registries
from tests.support import registries_at_random

# ARM64's layers have as many bytes as AMD64's, and digests of their own.
BOTH = 2
PROVENANCE = 6_231
# What the estate's tables say that these bases have, layer by layer.
DEBIAN = int(46.2 * MIB)
NODE = int(22.9 * MIB) + int(45.9 * MIB)
ALPINE = int(3.5 * MIB)
# There a repository is soft deleted, and stays stored.
KEEPS_DELETED = "contosodev"


@pytest.mark.parametrize("name", ["casaacr01", *(registry.name for registry in REGISTRIES)])
def test_the_sum_is_what_the_registry_stores(sandbox: Sandbox, name: str) -> None:
    read = registries_at_random.read(sandbox.store, name)
    total = registry_storage(Partial(read)).total
    if name == KEEPS_DELETED:
        assert sandbox.store.deleted.repositories(name) and total < sandbox.store.blobs.stored_bytes(name)
    else:
        assert total == sandbox.store.blobs.stored_bytes(name)


def test_the_sum_is_what_az_acr_show_usage_shows(sandbox: Sandbox, session: AzureSession) -> None:
    """Of all that can be read whole; usage says more than the images of two take."""
    compared = set()
    for registry in list_registries(session).values:
        used = next((usage.current for usage in registry.usages if usage.name == "Size"), None)
        if not registry.login_server or registry.name in ("contosobuild", "contosodata", "contososecure"):
            continue
        client = connect_sandbox(sandbox.ready).registry(registry.login_server)
        names = [name for page in repository_names(client) for name in page]
        found = registry_storage(read_contents(client, names, {}))
        if found.complete and registry.name != KEEPS_DELETED:
            compared.add(registry.name)
            assert found.total == used, registry.name
        else:
            assert used is not None and found.total < used, registry.name
    # In contosopayments the console may read some repositories only.
    assert compared >= {"casaacr01", "contosohub", "contosobase", "contosoci"}
    assert "contosopayments" not in compared


def test_reading_the_store_gives_what_reading_the_registry_gives(sandbox: Sandbox) -> None:
    """The random registries are read from the store, to be quick: so it must be the same."""
    client = connect_sandbox(sandbox.ready).registry(sandbox.ready["registries"]["contosohub"])
    names = [name for page in repository_names(client) for name in page]
    over_http = {contents.name: contents for contents in read_contents(client, names, {}).values}
    for contents in registries_at_random.read(sandbox.store, "contosohub"):
        other = over_http[contents.name]
        assert (contents.rows, contents.tags, contents.manifests) == (other.rows, other.tags, other.manifests)
        assert (contents.hidden, contents.complete) == (other.hidden, other.complete)


def layer_size(sandbox: Sandbox, repository: str, name: str) -> int:
    """A layer of AMD64, of a registry and repository, by the name that the estate gives it."""
    registry, _, within = repository.partition("/")
    found = sandbox.store.blobs.size(registry, within, layer(name, 0, "").digest, stored=False)
    assert found
    return found


def manifests(sandbox: Sandbox, repository: str) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Digest, document, and the bytes of a manifest and its config; each config is of one manifest only."""
    registry, _, within = repository.partition("/")
    for stored in sandbox.store.list_manifests(registry, within):
        body = sandbox.store.get_manifest_body(registry, within, stored.digest) or b""
        document = json.loads(body)
        config = 0 if stored.media_type in INDEXES else document["config"]["size"]
        yield stored.digest, document, len(body) + config


def repository_of(sandbox: Sandbox, repository: str) -> RepositoryStorage:
    registry, _, within = repository.partition("/")
    found = registry_storage(Partial(registries_at_random.read(sandbox.store, registry)))
    return next(one for one in found.repositories if one.name == within)


def image_of(repository: RepositoryStorage, tag: str) -> ImageStorage:
    return next(image for image in repository.images if tag in image.tags)


def test_a_repository_of_base_images_counted_by_hand(sandbox: Sandbox) -> None:
    """Six releases for two platforms over Debian and Node: three releases have the same dependencies."""
    node = "contosobase/node"
    sources = [layer_size(sandbox, node, f"{node} source {number}") for number in range(6)]
    dependencies = [layer_size(sandbox, node, f"{node} dependencies {number}") for number in range(2)]
    assert dependencies == [MIB, MIB]
    written = {digest: size for digest, _, size in manifests(sandbox, node)}
    assert len(written) == 6 * (BOTH + 1)

    found = repository_of(sandbox, node)
    total = BOTH * (DEBIAN + NODE + sum(dependencies) + sum(sources)) + sum(written.values())
    # python and dotnet in this registry stand on the same Debian.
    assert (found.total, found.unique, found.shared) == (total, total - BOTH * DEBIAN, BOTH * DEBIAN)
    assert found.untagged == 0
    assert found.between_images == BOTH * (NODE + sum(dependencies))

    first = image_of(found, "v1.0.0")
    listed = {digest: document for digest, document, _ in manifests(sandbox, node)}[first.digest]["manifests"]
    belongs = written[first.digest] + sum(written[child["digest"]] for child in listed)
    assert first.unique == BOTH * sources[0] + belongs
    assert first.shared == BOTH * (DEBIAN + NODE + dependencies[0])


def test_a_repository_of_leftovers_counted_by_hand(sandbox: Sandbox) -> None:
    """Five builds behind one moving tag; the first has a tag of its own, and three have none any more."""
    playground = "contosodev/playground"
    sources = [layer_size(sandbox, playground, f"{playground} source {number}") for number in range(5)]
    dependencies = [layer_size(sandbox, playground, f"{playground} dependencies {number}") for number in range(2)]
    assert dependencies == [9 * MIB, 9 * MIB]
    written = {digest: size for digest, _, size in manifests(sandbox, playground)}
    # An index, an image and its attestation for each build.
    builds = [
        sum(written[digest] for digest in (index, *(child["digest"] for child in children)))
        for index, children in indexes_by_age(sandbox, playground)
    ]
    assert len(builds) == 5 and sum(builds) == sum(written.values())

    found = repository_of(sandbox, playground)
    own = sum(dependencies) + sum(sources) + 5 * PROVENANCE + sum(builds)
    # The other repositories of the registry stand on the same Alpine.
    assert (found.total, found.unique, found.shared) == (ALPINE + own, own, ALPINE)
    # Builds 0 to 2 have the first dependencies, 3 and 4 the second: an image holds either.
    assert image_of(found, "v1.0.0").unique == dependencies[0] + sources[0] + PROVENANCE + builds[0]
    assert image_of(found, "main").unique == dependencies[1] + sources[4] + PROVENANCE + builds[4]
    assert found.between_images == 0
    assert found.untagged == sum(sources[1:4]) + 3 * PROVENANCE + sum(builds[1:4])


def indexes_by_age(sandbox: Sandbox, repository: str) -> list[tuple[str, list[dict[str, str]]]]:
    registry, _, within = repository.partition("/")
    stored = sorted(sandbox.store.list_manifests(registry, within), key=lambda manifest: manifest.created)
    documents = {digest: document for digest, document, _ in manifests(sandbox, repository)}
    return [
        (manifest.digest, documents[manifest.digest]["manifests"])
        for manifest in stored
        if manifest.media_type in INDEXES
    ]
