"""Archives as many tools write them: what is offered of each, and what is in the registry once it was pushed."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from services.connection.errors import ServiceError
from services.images.manifests import IMAGE_CONFIGS, OCI_MANIFEST
from services.transfer.archive_images import Archive, ArchiveImage, Content
from services.transfer.archives import read_archive
from services.transfer.push import apply_push, read_push_plan
from tests.support.archive_cases import CASES, FOLDER, Case, Offered
from tests.support.own_sandbox import REGISTRY, OwnSandbox, own_sandbox

FOREIGN = "foreign"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSandbox]:
    """One for all archives: each goes into a repository of its own."""
    with own_sandbox(tmp_path_factory.mktemp("cases")) as own:
        yield own


def prepared(image: ArchiveImage) -> Content:
    return image.prepare(lambda _done, _of: None, Event())


def refusal_of(image: ArchiveImage) -> str:
    with pytest.raises(ServiceError) as caught:
        prepared(image)
    assert caught.value.remedy.strip()
    return caught.value.cause


def described(archive: Archive) -> list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    return [(image.names, image.platforms, image.not_pushed) for image in archive.images]


def test_every_archive_has_its_case() -> None:
    assert {file.name for file in FOLDER.iterdir()} == set(CASES)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.refusal])
def test_what_is_no_image_says_why_and_what_to_do(name: str) -> None:
    with pytest.raises(ServiceError) as caught:
        read_archive(FOLDER / name)
    assert caught.value.cause == CASES[name].refusal
    assert caught.value.remedy.strip()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.images])
def test_what_is_offered_is_pushed_as_it_should_be(name: str, registry: OwnSandbox) -> None:
    case: Case = CASES[name]
    archive = read_archive(FOLDER / name)
    assert described(archive) == [(one.names, one.platforms, one.not_pushed) for one in case.images]
    assert tuple(f"{one.name}: {one.error.cause}" for one in archive.left_out) == case.left_out
    for number, (image, expected) in enumerate(zip(archive.images, case.images, strict=True)):
        if expected.refusal:
            assert refusal_of(image) == expected.refusal
        else:
            content = prepared(image)
            repository = f"case/{name.partition('.')[0]}/{number}"
            apply_push(registry.client, content, read_push_plan(registry.client, content, repository, "v1"))
            require_in_registry(registry, repository, image, expected)


def require_in_registry(registry: OwnSandbox, repository: str, image: ArchiveImage, expected: Offered) -> None:
    """Media types, layers and configs, as the registry has them."""
    store = registry.sandbox.store
    top = registry.tags(repository)["v1"]
    if expected.manifests[-1] != "application/vnd.docker.distribution.manifest.v2+json":
        assert top == image.key  # A layout's manifest is pushed in its own bytes.
    found: dict[str, tuple[str, dict[str, Any]]] = {}

    def walk(digest: str, media_type: str) -> None:
        if digest in found:
            return
        raw = store.get_manifest_body(REGISTRY, repository, digest)
        kept = store.get_manifest(REGISTRY, repository, digest)
        assert raw
        assert kept
        assert "sha256:" + hashlib.sha256(raw).hexdigest() == digest
        assert media_type in ("", kept.media_type)
        body = json.loads(raw)
        for child in body.get("manifests", ()):
            walk(child["digest"], child["mediaType"])
        found[digest] = kept.media_type, body

    walk(top, "")
    assert sorted(media_type for media_type, _ in found.values()) == sorted(expected.manifests)
    assert sum(len(body.get("layers", ())) for _, body in found.values()) == expected.layers
    for media_type, body in found.values():
        if "config" in body:
            require_layers(registry, repository, body, of_oci=media_type == OCI_MANIFEST)


def require_layers(registry: OwnSandbox, repository: str, body: dict[str, Any], *, of_oci: bool) -> None:
    """That every blob is there, and every layer is the one that the config names at its place."""
    own = [layer for layer in body["layers"] if FOREIGN not in layer["mediaType"]]
    blobs = {one["digest"]: read_blob(registry, repository, one["digest"]) for one in (body["config"], *own)}
    assert all("sha256:" + hashlib.sha256(data).hexdigest() == digest for digest, data in blobs.items())
    assert all(one["size"] == len(blobs[one["digest"]]) for one in (body["config"], *own))
    if body["config"]["mediaType"] not in IMAGE_CONFIGS:
        return
    family = "application/vnd.oci.image.layer." if of_oci else "application/vnd.docker.image.rootfs."
    assert all(layer["mediaType"].startswith(family) for layer in body["layers"])
    diff_ids = json.loads(blobs[body["config"]["digest"]])["rootfs"].get("diff_ids", [])
    assert len(diff_ids) == len(own)
    for layer, diff_id in zip(own, diff_ids, strict=True):
        data = blobs[layer["digest"]]
        if not layer["mediaType"].endswith("zstd"):  # Not read here: its number is what is compared.
            plain = gzip.decompress(data) if layer["mediaType"].endswith("gzip") else data
            assert "sha256:" + hashlib.sha256(plain).hexdigest() == diff_id


def read_blob(registry: OwnSandbox, repository: str, digest: str) -> bytes:
    assert registry.sandbox.store.blobs.size(REGISTRY, repository, digest) is not None
    return registry.sandbox.store.blobs.files.path(digest).read_bytes()
