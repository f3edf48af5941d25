"""The page of an image, for images of every kind: no traceback, and nothing that is not so."""

import json
from urllib.parse import parse_qs

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from services.images.manifests import OCI_ARTIFACT
from tests.support.app_test import Open, boxes, facts, open_dialog, texts, wait_for_inventory
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, digest_of, raw
from tests.support.old_images import add_old
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.runtime import connection

pytestmark = pytest.mark.usefixtures("own")
NO_LAYERS = {"config": {"mediaType": OCI_CONFIG, "digest": digest_of(1), "size": 100}, "layers": []}
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
    open_dialog(at, "Download image")
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
        open_dialog(at, "Download image")
        assert boxes(at)[0].options[1:] == [f"windows/amd64:{build}" for build in BUILDS]
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
    at = open_view("image.py", registry=REGISTRY, repository=APP, reference="v1", show="Configuration")
    assert not at.exception
    shown = {name: value.replace("\\", "") for name, value in facts(at).items()}
    assert (shown["Entrypoint"], shown["Command"]) == ("/bin/sh", "'-c ls'")
    assert any("\ufffd" in str(table.value) for table in at.dataframe)


def test_a_list_of_referrers_lists_no_platforms(open_view: Open, own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    signature = {"digest": own.push()[0], "mediaType": OCI_MANIFEST, "size": 1, "artifactType": "x/signature"}
    tag = digest.replace(":", "-")
    add(own, {"manifests": [signature]}, OCI_INDEX, tag)
    at = open_view("image.py", registry=REGISTRY, repository=APP, reference=tag)
    assert list(at.dataframe[0].value["Kind"]) == ["artifact"]


# Beside the image


def shown_facts(at: AppTest) -> dict[str, str]:
    """The row of facts: each name with its value, and what is below it."""
    lines = [found.value for found in at.markdown]
    names = ("Kind", "Signature", "SBOM", "Pull size", "Last update")
    return {name: "\n".join(lines[lines.index(f":small[{name}]") + 1 :][:2]) for name in names}


def image(open_view: Open, reference: str, **more: str) -> AppTest:
    at = open_view("image.py", registry=REGISTRY, repository=APP, reference=reference, **more)
    assert not at.exception
    return at


def test_a_platform_leads_to_its_index_and_has_its_signature(open_view: Open, own: OwnSandbox) -> None:
    index = own.push_index("v1")
    platform = own.push(number=1)[0]
    own.attach(index, "application/vnd.cncf.notary.signature")
    at = image(open_view, platform)
    links = {link.proto.label: link.proto.query_string for link in at.get("page_link")}
    assert "reference=v1" in links["v1"]
    assert "Notation" in shown_facts(at)["Signature"]
    assert "**None**" in shown_facts(at)["SBOM"]


def test_an_image_that_no_index_lists_leads_to_none(open_view: Open, own: OwnSandbox) -> None:
    own.push_index("v1")
    own.push("alone", number=9)
    at = image(open_view, "alone")
    assert "Listed in" not in texts(at)
    assert "Find its indexes" not in [one.label for one in at.button]


@pytest.mark.parametrize("path", ["/v2/team/app/referrers/.*", "/v2/team/app/manifests/sha256-.*"])
def test_what_is_not_read_is_no_missing_signature(open_view: Open, own: OwnSandbox, path: str) -> None:
    own.push("v1")
    assert "**None**" in shown_facts(image(open_view, "v1"))["Signature"]
    st.cache_resource.clear()
    own.break_({"path": path, "status": 403})
    at = image(open_view, "v1")
    assert "None" not in shown_facts(at)["Signature"]
    assert "unknown" in shown_facts(at)["Signature"]
    assert any("could not be read" in found.label for found in at.expander)


def test_a_base_image_in_a_known_registry_is_a_link(open_view: Open, own: OwnSandbox) -> None:
    base = own.push("20", repository="base/node")[0]
    name = f"{own.client.login_server}/base/node:20"
    annotations = {"org.opencontainers.image.base.name": name, "org.opencontainers.image.base.digest": base}
    add(own, {**NO_LAYERS, "annotations": annotations}, OCI_MANIFEST, "v1")
    image(open_view, "v1")
    wait_for_inventory(connection.who())
    at = image(open_view, "v1")
    link = next(link.proto for link in at.get("page_link") if "base" in link.proto.label)
    assert "repository=base" in link.query_string
    assert base.removeprefix("sha256:") in link.query_string


def test_images_on_the_same_base_and_with_the_same_layer_are_one_click_from_it(
    open_view: Open, own: OwnSandbox
) -> None:
    for name, digest, query in (
        ("docker.io/library/node:20", "", "base:docker.io/library/node:20"),
        ("", digest_of(5), f"base:{digest_of(5)}"),
        ("two words", "", 'base:"two words"'),
        ('a"quote', "", None),
    ):
        given = {"org.opencontainers.image.base.name": name, "org.opencontainers.image.base.digest": digest}
        annotations = {key: value for key, value in given.items() if value}
        add(own, {**NO_LAYERS, "annotations": annotations}, OCI_MANIFEST, "v1")
        st.cache_resource.clear()
        at = image(open_view, "v1")
        links = [link.proto for link in at.get("page_link") if link.proto.label == "Images on this base"]
        assert [parse_qs(link.query_string)["q"] for link in links] == ([[query]] if query else [])


def test_a_base_image_elsewhere_is_text(open_view: Open, own: OwnSandbox) -> None:
    name = "docker.io/library/[x](http://contoso.example):20"
    add(own, {**NO_LAYERS, "annotations": {"org.opencontainers.image.base.name": name}}, OCI_MANIFEST, "v1")
    at = image(open_view, "v1")
    assert "Base image" in texts(at)
    assert "](http" not in texts(at)


def test_a_chart_is_pulled_by_helm(open_view: Open, own: OwnSandbox) -> None:
    config = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": own.push()[0], "size": 1}
    add(own, {"config": config, "layers": []}, OCI_MANIFEST, "1.0.0")
    at = image(open_view, "1.0.0")
    assert at.code[0].value.startswith("helm pull oci://")
    assert "**Helm chart**" in shown_facts(at)["Kind"]


def test_a_large_image_is_calm(open_view: Open, own: OwnSandbox) -> None:
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": own.push()[0], "size": 7}
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": [f"V{n}=<b>{n}</b>" for n in range(100)], "Labels": {f"l{n:03}": "x" for n in range(500)}},
        "history": [{"created_by": f"RUN step-{n}"} for n in range(200)],
    }
    content = json.dumps(config).encode()
    blob = own.sandbox.store.blobs.put(REGISTRY, APP, content)
    body = {"config": {"mediaType": OCI_CONFIG, "digest": blob, "size": len(content)}, "layers": [layer] * 127}
    add(own, body, OCI_MANIFEST, "v1")
    at = image(open_view, "v1")
    assert [len(table.value) for table in at.dataframe] == [127, 200]
    assert [len(table.value) for table in image(open_view, "v1", show="Configuration").dataframe] == [100, 500]
    assert "V7" in image(open_view, "v1", show="Configuration").dataframe[0].value["Name"].tolist()


@pytest.mark.parametrize("show", ["Layers and history", "Configuration"])
def test_an_index_shows_the_chosen_platform(open_view: Open, own: OwnSandbox, show: str) -> None:
    images = []
    for name in ("amd64", "arm64"):
        of = {
            "os": "linux",
            "architecture": name,
            "config": {"User": f"user-{name}"},
            "history": [{"created_by": name}],
        }
        digest = image_with(own, json.dumps(of).encode(), name)
        images.append({"digest": digest, "mediaType": OCI_MANIFEST, "platform": {"os": "linux", "architecture": name}})
    add(own, {"manifests": images}, OCI_INDEX, "v1")
    for platform, name in (({}, "amd64"), ({"platform": "linux/arm64"}, "arm64")):
        at = image(open_view, "v1", show=show, **platform)
        seen = facts(at).get("User", "") + "".join(str(table.value) for table in at.dataframe)
        assert name in seen.replace("\\", "")


def test_a_manifest_is_shown_as_the_registry_has_it(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1")
    at = image(open_view, "v1", show="Manifest")
    shown = next(code.value for code in at.code if code.value.startswith("{"))
    assert json.loads(shown)["annotations"] == {"org.opencontainers.image.title": "größe"}


@pytest.mark.parametrize(
    ("repository", "reference", "said"),
    [
        ("nodejstemplate", "v9_9", "nodejstemplate has no tag v9\\_9"),
        ("nodejstemplate", f"sha256:{'0' * 64}", "nodejstemplate has no manifest"),
        ("nodejstemplates", "v1.0.0", "nodejstemplates"),
    ],
)
def test_what_a_registry_does_not_have_is_said_with_a_way_on(
    open_view: Open, repository: str, reference: str, said: str
) -> None:
    at = open_view("image.py", registry="casaacr01", repository=repository, reference=reference)
    assert said in texts(at)
    assert not any("support" in one.value for one in at.markdown)
    assert any(link.proto.query_string.startswith("registry=casaacr01") for link in at.main.get("page_link")[2:])
