"""What the checks of the image are told of images of every kind."""

import json

import pytest

from services.connection.errors import ServiceError
from services.images.manifests import OCI_ARTIFACT
from services.pull_checks.checks import CheckState
from services.pull_checks.image import image_state
from services.pull_checks.reading import read_image
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, raw
from tests.support.old_images import add_old
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox


def add(own: OwnSandbox, body: dict[str, object], media_type: str, *, os: str | None = None) -> str:
    content, _ = raw({"schemaVersion": 2, "mediaType": media_type, **body})
    stamp = own.sandbox.state.stamp()
    return own.sandbox.store.add_manifest(
        REGISTRY, APP, content, media_type, stamp, os=os, architecture="amd64" if os else None
    )


def test_an_index_in_an_index_has_platforms_and_what_it_lacks_is_missing(own: OwnSandbox) -> None:
    inner = own.push_index("inner")
    gone = f"sha256:{'0' * 64}"
    children = [{"digest": digest, "mediaType": OCI_INDEX, "size": 1} for digest in (inner, gone)]
    top = add(own, {"manifests": children}, OCI_INDEX)
    found = read_image(own.session(), own.registry(), APP, top)
    assert (found.platforms, found.missing) == ((), (gone,))  # The missing index may have any platform.
    complete = add(own, {"manifests": children[:1]}, OCI_INDEX)
    found = read_image(own.session(), own.registry(), APP, complete)
    assert (found.platforms, found.missing) == (("linux/a1", "linux/a2"), ())


def test_a_windows_image_has_the_build_of_its_config(own: OwnSandbox) -> None:
    of = {"os": "windows", "architecture": "amd64", "os.version": "10.0.20348.2227"}
    config = json.dumps(of).encode()
    digest = own.sandbox.store.blobs.put(REGISTRY, APP, config)
    body = {"config": {"mediaType": OCI_CONFIG, "digest": digest, "size": len(config)}, "layers": []}
    image = add(own, body, OCI_MANIFEST, os="windows")
    read = read_image(own.session(), own.registry(), APP, image)
    assert read.platforms == ("windows/amd64:10.0.20348.2227",)
    own.sandbox.store.blobs.delete(REGISTRY, digest)
    read = read_image(own.session(), own.registry(), APP, image)
    assert read.platforms == ("windows/amd64",)


def test_an_image_of_schema_1_is_there(own: OwnSandbox) -> None:
    add_old(own, tag="old")
    found = read_image(own.session(), own.registry(), APP, "old")
    assert (found.schema_1, image_state(found).state) == (True, CheckState.WARNING)


def test_what_the_registry_gives_only_to_who_names_it_is_not_gone(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = add(own, {"blobs": []}, OCI_ARTIFACT)
    assert read_image(own.session(), own.registry(), APP, artifact).digest == artifact
    monkeypatch.setattr("services.images.manifest_reading.ACCEPT", "*/*")
    with pytest.raises(ServiceError) as raised:
        read_image(own.session(), own.registry(), APP, artifact)
    assert image_state(raised.value).state is CheckState.UNKNOWN
