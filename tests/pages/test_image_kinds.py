"""The page of an image, for images of every kind: no traceback, and nothing that is not so."""

import json

import pytest

from services.images.manifests import OCI_ARTIFACT
from tests.support.app_test import Open, button, texts
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, raw
from tests.support.old_images import add_old
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

pytestmark = pytest.mark.usefixtures("own")
BUILDS = ("10.0.17763.5329", "10.0.20348.2227")


def add(own: OwnSandbox, body: dict[str, object], media_type: str, tag: str) -> str:
    content, _ = raw({"schemaVersion": 2, "mediaType": media_type, **body})
    digest = own.sandbox.store.add_manifest(REGISTRY, APP, content, media_type, own.sandbox.state.stamp())
    own.move(tag, digest)
    return digest


def image_with(own: OwnSandbox, config: bytes, tag: str) -> str:
    digest = own.sandbox.store.blobs.put(REGISTRY, APP, config)
    body = {"config": {"mediaType": OCI_CONFIG, "digest": digest, "size": len(config)}, "layers": []}
    return add(own, body, OCI_MANIFEST, tag)


def test_an_image_of_schema_1_says_so_and_its_sizes_are_unknown(open_view: Open, own: OwnSandbox) -> None:
    add_old(own, own.sandbox.store.blobs.put(REGISTRY, APP, b"layer"))
    at = open_view("image.py", registry=REGISTRY, repository=APP, reference="v1")
    assert not at.exception
    assert "schema 1" in at.warning[0].value
    assert any("Layers (1, sizes unknown" in found.value for found in at.subheader)
    button(at, "Download image").click().run()
    assert "an OCI archive can't hold" in texts(at).replace("\\", "")


def test_builds_of_windows_are_told_apart_and_offered_one_by_one(open_view: Open, own: OwnSandbox) -> None:
    images = []
    for build in BUILDS:
        of = {"os": "windows", "architecture": "amd64", "os.version": build}
        images.append(
            {"digest": image_with(own, json.dumps(of).encode(), build), "mediaType": OCI_MANIFEST, "platform": of}
        )
    inner = add(own, {"manifests": images}, OCI_INDEX, "inner")
    add(own, {"manifests": [{"digest": inner, "mediaType": OCI_INDEX}]}, OCI_INDEX, "v1")
    for tag in ("inner", "v1"):
        at = open_view("image.py", registry=REGISTRY, repository=APP, reference=tag)
        shown = texts(at).replace("\\", "")
        assert all(f"windows/amd64:{build}" in shown for build in BUILDS)
        button(at, "Download image").click().run()
        assert at.selectbox[0].options[1:] == [f"windows/amd64:{build}" for build in BUILDS]
    assert list(at.dataframe[0].value["Kind"]) == ["index"]


def test_an_artifact_shows_its_blobs(open_view: Open, own: OwnSandbox) -> None:
    blob = own.sandbox.store.blobs.put(REGISTRY, APP, b"signature")
    body = {"artifactType": "x/y", "blobs": [{"mediaType": "application/jose+json", "digest": blob, "size": 9}]}
    add(own, body, OCI_ARTIFACT, "v1")
    at = open_view("image.py", registry=REGISTRY, repository=APP, reference="v1")
    assert not at.exception
    assert any("Content (1, 9 B compressed)" in found.value for found in at.subheader)
    assert list(at.dataframe[0].value["Type"]) == ["application/jose+json"]


def test_an_odd_config_is_shown(open_view: Open, own: OwnSandbox) -> None:
    config = {"os": "linux", "architecture": "amd64", "config": {"Entrypoint": "/bin/sh", "Cmd": "-c ls"}}
    labelled = json.dumps({**config, "config": {**config["config"], "Labels": {"a": "\ud83d"}}})  # type: ignore[dict-item]
    image_with(own, labelled.encode(), "v1")
    at = open_view("image.py", registry=REGISTRY, repository=APP, reference="v1")
    assert not at.exception
    assert "/bin/sh -c ls" in texts(at).replace("\\", "") + str([table.value for table in at.table]).replace("\\", "")
    assert any("\ufffd" in str(table.value) for table in at.dataframe)


def test_a_list_of_referrers_lists_no_platforms(open_view: Open, own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    signature = {"digest": own.push()[0], "mediaType": OCI_MANIFEST, "size": 1, "artifactType": "x/signature"}
    tag = digest.replace(":", "-")
    add(own, {"manifests": [signature]}, OCI_INDEX, tag)
    at = open_view("image.py", registry=REGISTRY, repository=APP, reference=tag)
    assert list(at.dataframe[0].value["Kind"]) == ["artifact"]
