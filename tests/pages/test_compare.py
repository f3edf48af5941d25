"""The page that compares two images, at a sandbox of its own and at the estate."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from services.compare import sbom_reading
from tests.support.app_test import Open, actions, boxes, button, open_dialog, select_rows, texts
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, digest_of
from tests.support.old_images import add_old
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

SPDX = "application/spdx+json"
CYCLONEDX = "application/vnd.cyclonedx+json"
BOTH = {"registry": REGISTRY, "repository": APP, "reference": "v1", "with": "v2"}
EMPTY = "application/vnd.oci.empty.v1+json"


def said(at: AppTest) -> str:
    return texts(at).replace("\\", "").replace("\u2060", "")


def add(own: OwnSandbox, body: dict[str, Any], media_type: str = OCI_MANIFEST, tag: str = "") -> tuple[str, int]:
    content = json.dumps({"schemaVersion": 2, "mediaType": media_type, **body}).encode()
    of_image = {"os": "linux", "architecture": "amd64"} if body.get("layers") else {}
    digest = own.sandbox.store.add_manifest(REGISTRY, APP, content, media_type, own.sandbox.state.stamp(), **of_image)
    if tag:
        own.move(tag, digest)
    return digest, len(content)


def add_image(own: OwnSandbox, tag: str, layers: list[tuple[int, int]], config: dict[str, Any] | None = None) -> str:
    content = json.dumps({"os": "linux", "architecture": "amd64", **(config or {})}).encode()
    blob = own.sandbox.store.blobs.put(REGISTRY, APP, content)
    described = [{"mediaType": OCI_LAYER, "digest": digest_of(number), "size": size} for number, size in layers]
    body = {"config": {"mediaType": OCI_CONFIG, "digest": blob, "size": len(content)}, "layers": described}
    return add(own, body, tag=tag)[0]


def add_sbom(own: OwnSandbox, subject: str, content: bytes, kind: str = SPDX, size: int = 0) -> str:
    blob = own.sandbox.store.blobs.put(REGISTRY, APP, content)
    body = {
        "artifactType": kind,
        "config": {"mediaType": EMPTY, "digest": digest_of(99), "size": 2},
        "layers": [{"mediaType": kind, "digest": blob, "size": size or len(content)}],
        "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
    }
    return add(own, body)[0]


def spdx(**versions: str) -> bytes:
    packages = [{"name": name, "versionInfo": version} for name, version in versions.items()]
    return json.dumps({"spdxVersion": "SPDX-2.3", "packages": packages}).encode()


def add_index(own: OwnSandbox, tag: str, *children: tuple[str, str]) -> str:
    listed = [
        {
            "digest": digest,
            "mediaType": OCI_MANIFEST,
            "size": 1,
            "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
        }
        for platform, digest in children
    ]
    return add(own, {"manifests": listed}, OCI_INDEX, tag)[0]


def compare(open_view: Open, **more: str) -> AppTest:
    at = open_view("compare.py", **{**BOTH, **more})
    assert not at.exception
    return at


def packages_shown(open_view: Open) -> AppTest:
    return compare(open_view, show="Packages")


def test_what_differs_is_said_first(open_view: Open, own: OwnSandbox) -> None:
    one = {"config": {"Env": ["A=1", "B=2"], "ExposedPorts": {"80/tcp": {}}}, "history": [{"created_by": "COPY a"}]}
    two = {"config": {"Env": ["A=2", "B=2"]}, "history": [{"created_by": "COPY b"}]}
    first = add_image(own, "v1", [(1, 2**20)], one)
    second = add_image(own, "v2", [(2, 3 * 2**20)], two)
    add_sbom(own, first, spdx(libc="1", gone="1", same="1"))
    add_sbom(own, second, spdx(libc="2", new="1", same="1"))
    at = compare(open_view)
    assert "2.0 MiB larger, 1 layer differs, 2 settings changed, 3 packages changed" in at.subheader[0].value
    assert list(at.dataframe[0].value["In"]) == ["v1", "v2"]
    at = compare(open_view, show="Configuration")
    rows = at.dataframe[0].value
    assert list(rows["Name"]) == ["A", "80/tcp"]
    assert list(rows["In v1"]) == ["1", "open"]
    assert ":material/check: 2 settings are the same" in texts(at)
    at = packages_shown(open_view)
    rows = at.dataframe[0].value
    assert list(zip(rows["Package"], rows["Change"], strict=True)) == [
        ("gone", "Removed"),
        ("libc", "Changed"),
        ("new", "Added"),
    ]
    assert "1 package is the same" in texts(at)
    assert list(compare(open_view, show="History").dataframe[0].value["Step"]) == ["COPY a", "COPY b"]
    text = compare(open_view, show="Text").code[0].value
    assert "- 80/tcp\n" in text
    assert "- libc 1\n+ libc 2" in text
    assert "- A=1\n+ A=2" in text


def test_an_image_is_the_same_as_itself(open_view: Open, own: OwnSandbox) -> None:
    add_image(own, "v1", [(1, 7)])
    at = compare(open_view, **{"with": "v1"})
    assert at.subheader[0].value == "The same image"
    assert "1 layer shared from the base up, 7 B" in [one.label for one in at.expander]


@pytest.mark.parametrize(
    ("content", "size", "why"),
    [
        (b"no json", 0, "It is not JSON"),
        (b'{"a": 1}', 0, "It is neither SPDX 2 nor CycloneDX"),
        (b"{}", 50 * 2**20, "It has 50 MiB"),
    ],
)
def test_an_sbom_that_can_not_be_read_is_no_sameness(
    open_view: Open, own: OwnSandbox, content: bytes, size: int, why: str
) -> None:
    first, second = add_image(own, "v1", [(1, 7)]), add_image(own, "v2", [(1, 7), (2, 7)])
    add_sbom(own, first, spdx(a="1"))
    add_sbom(own, second, content, size=size)
    at = packages_shown(open_view)
    assert "packages unknown" in at.subheader[0].value
    assert f"v2: Its SBOM could not be read: {why}" in said(at)
    assert "1 package of v1 (SPDX)" in said(at) + "".join(one.label for one in at.expander)
    assert any("1 part of the images" in one.label for one in at.expander)
    assert not any("the same" in one.value for one in at.markdown)


def test_an_sbom_that_is_larger_than_its_manifest_says_is_not_read(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add_image(own, "v1", [(1, 7)]), add_image(own, "v2", [(2, 7)])
    add_sbom(own, first, spdx(a="1"))
    add_sbom(own, second, spdx(**{f"p{number}": "1" for number in range(100)}), size=10)
    monkeypatch.setattr(sbom_reading, "LARGEST_SBOM", 1000)
    at = packages_shown(open_view)
    assert "packages unknown" in at.subheader[0].value
    assert "v2: Its SBOM could not be read: It is too large" in said(at)


def test_the_sbom_that_buildkit_attests_of_a_platform(open_view: Open, own: OwnSandbox) -> None:
    for tag, version in (("v1", "1"), ("v2", "2")):
        images = {name: add_image(own, "", [(int(version), 7)], {"variant": name}) for name in ("amd64", "arm64")}
        listed = []
        for name, image in images.items():
            statement = {
                "_type": "https://in-toto.io/Statement/v0.1",
                "predicateType": "https://spdx.dev/Document",
                "predicate": json.loads(spdx(lib=f"{version}-{name}")),
            }
            content = json.dumps(statement).encode()
            blob = own.sandbox.store.blobs.put(REGISTRY, APP, content)
            layer = {
                "mediaType": "application/vnd.in-toto+json",
                "digest": blob,
                "size": len(content),
                "annotations": {"in-toto.io/predicate-type": "https://spdx.dev/Document"},
            }
            config = {"mediaType": OCI_CONFIG, "digest": digest_of(98), "size": 2}
            attestation, size = add(own, {"config": config, "layers": [layer]})
            listed += [
                {
                    "digest": image,
                    "mediaType": OCI_MANIFEST,
                    "size": 1,
                    "platform": {"os": "linux", "architecture": name},
                },
                {
                    "digest": attestation,
                    "mediaType": OCI_MANIFEST,
                    "size": size,
                    "platform": {"os": "unknown", "architecture": "unknown"},
                    "annotations": {
                        "vnd.docker.reference.type": "attestation-manifest",
                        "vnd.docker.reference.digest": image,
                    },
                },
            ]
        add(own, {"manifests": listed}, OCI_INDEX, tag)
    for name in ("amd64", "arm64"):
        at = compare(open_view, show="Packages", platform=f"linux/{name}")
        assert "1 package changed" in at.subheader[0].value
        assert list(at.dataframe[0].value["In v2"]) == [f"2-{name}"]


def test_an_image_without_an_sbom_is_said(open_view: Open, own: OwnSandbox) -> None:
    add_sbom(own, add_image(own, "v1", [(1, 7)]), json.dumps({"bomFormat": "CycloneDX"}).encode(), CYCLONEDX)
    add_image(own, "v2", [(1, 7), (2, 7)])
    at = packages_shown(open_view)
    assert "packages not compared: no SBOM" in at.subheader[0].value
    assert "v2: No SBOM refers to it" in said(at)
    assert not any("Partial data" in one.label for one in at.expander)


def test_referrers_that_were_not_read_are_unknown(open_view: Open, own: OwnSandbox) -> None:
    for tag, layers in (("v1", [(1, 7)]), ("v2", [(2, 7)])):
        add_sbom(own, add_image(own, tag, layers), spdx(a="1"))
    own.break_({"path": "/v2/team/app/referrers/.*", "status": 403})
    at = packages_shown(open_view)
    assert "packages unknown" in at.subheader[0].value
    assert any("Partial data" in one.label for one in at.expander)


def test_a_config_that_is_missing_is_not_compared(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1")
    add_image(own, "v2", [(1, 7)])
    at = compare(open_view, show="Configuration")
    assert "configuration unknown" in at.subheader[0].value
    assert "the config of v1 could not be read" in said(at)
    assert "Not compared" in said(compare(open_view, show="History"))


def test_schema_1_has_layers_and_no_config(open_view: Open, own: OwnSandbox) -> None:
    add_old(own, own.sandbox.store.blobs.put(REGISTRY, APP, b"layer"))
    add_image(own, "v2", [(1, 7)])
    at = compare(open_view, show="Configuration")
    assert "difference in size unknown, 1 layer differs, configuration unknown" in at.subheader[0].value
    assert "v1 is an image of schema 1" in said(at)


def test_of_indexes_a_platform_that_both_have_is_compared(open_view: Open, own: OwnSandbox) -> None:
    arm, amd, arm_2 = add_image(own, "", [(1, 7)]), add_image(own, "", [(2, 7)]), add_image(own, "", [(3, 9)])
    add_index(own, "v1", ("linux/amd64", amd), ("linux/arm64", arm))
    add_index(own, "v2", ("linux/arm64", arm_2), ("windows/amd64", amd))
    at = compare(open_view)
    assert "2 B larger, 1 layer differs" in at.subheader[0].value
    assert "linux/arm64" in said(at)
    rows = compare(open_view, show="Configuration").dataframe[0].value
    assert list(rows["Name"]) == ["linux/amd64", "windows/amd64"]


def test_indexes_without_a_common_platform_say_what_is_compared(open_view: Open, own: OwnSandbox) -> None:
    add_index(own, "v1", ("linux/amd64", add_image(own, "", [(2, 7)])))
    add_index(own, "v2", ("linux/arm64", add_image(own, "", [(3, 9)])))
    at = compare(open_view)
    assert "They have no platform in common: linux/amd64 is compared with linux/arm64" in said(at)


def test_an_index_is_compared_with_an_image_of_its_platform(open_view: Open, own: OwnSandbox) -> None:
    amd = add_image(own, "v2", [(2, 7)])
    add_index(own, "v1", ("linux/arm64", add_image(own, "", [(3, 9)])), ("linux/amd64", amd))
    assert compare(open_view).subheader[0].value == "The same image"


def test_an_index_without_platforms_is_said(open_view: Open, own: OwnSandbox) -> None:
    add(own, {"manifests": []}, OCI_INDEX, "v1")
    add_image(own, "v2", [(2, 7)])
    at = compare(open_view)
    assert "layers unknown" in at.subheader[0].value
    assert "v1 is an index of which no platform is known" in said(at)


def test_a_reference_that_is_gone_is_an_error_and_leads_on(open_view: Open, own: OwnSandbox) -> None:
    add_image(own, "v1", [(1, 7)])
    at = compare(open_view)
    assert "v2" in said(at)
    assert any(one.label == "Compare with another image" for one in at.button)


def test_other_people_s_text_is_text(open_view: Open, own: OwnSandbox) -> None:
    hostile = "[x](http://contoso.example) **b**"
    add_sbom(
        own, add_image(own, "v1", [(1, 7)], {"config": {"Env": [f"A={hostile}"]}}), b"{}", f"application/spdx {hostile}"
    )
    add_image(own, "v2", [(2, 7)])
    for show in ("Layers", "Configuration", "Packages", "History"):
        assert "](http" not in texts(compare(open_view, show=show))


def test_the_other_image_is_asked_for(open_view: Open, own: OwnSandbox) -> None:
    add_image(own, "v1", [(1, 7)])
    add_image(own, "v2", [(2, 9)])
    image = {name: value for name, value in BOTH.items() if name != "with"}
    at = open_view("image.py", **image)
    assert "Compare" in actions(at)
    open_dialog(at, "Compare")
    assert [one.value for one in at.title] == ["Compare images"]
    at = open_view("compare.py", **image)
    assert boxes(at)[1].options == ["v2"]
    boxes(at)[1].select("v2").run()
    button(at, "Compare images").click().run()
    assert "2 B larger" in at.subheader[0].value
    button(at, "Swap").click().run()
    assert "2 B smaller" in at.subheader[0].value


def test_two_tags_of_the_table_are_compared(open_view: Open, own: OwnSandbox) -> None:
    add_image(own, "v1", [(1, 7)])
    add_image(own, "v2", [(2, 9)])
    at = open_view("repository.py", registry=REGISTRY, repository=APP)
    assert "Compare" not in [one.label for one in at.button]
    select_rows(at, 0, 0, 1)
    at.run()
    select_rows(at, 0, 0, 1)
    button(at, "Compare").click().run()
    # The older one first.
    assert "2 B larger" in at.subheader[0].value


def test_images_of_two_repositories_and_registries(open_view: Open) -> None:
    query = {"registry": "contosohub", "repository": "api/orders", "reference": "v1.2.1", "with": "latest"}
    at = open_view("compare.py", **query, with_repository="api/catalog", show="Packages")
    assert not at.exception
    assert "tools name packages differently" in said(at)
    at = open_view("compare.py", **query, with_registry="contosobase", with_repository="node")
    assert not at.exception
    assert "node:latest" in " ".join(link.proto.label.replace("\\", "") for link in at.get("page_link"))
    at = open_view("compare.py", **query, with_registry="contosobasee", with_repository="node")
    assert "No registry contosobasee was found" in at.error[0].value
    assert any(one.label == "Open contosobase" for one in at.button)


@pytest.mark.parametrize("repository", ["api/orders", "api/catalog"])
def test_the_estate_has_releases_to_compare(open_view: Open, repository: str) -> None:
    older = {"api/orders": "v1.2.0", "api/catalog": "v1.1.1"}[repository]
    query = {"registry": "contosohub", "repository": repository, "reference": older, "with": "latest"}
    at = open_view("compare.py", **query, show="Packages")
    assert "10 packages changed" in at.subheader[0].value


def test_what_looks_like_a_secret_is_shown_neither_on_the_image_nor_beside_another(
    open_view: Open, own: OwnSandbox
) -> None:
    def config(value: str) -> dict[str, Any]:
        return {
            "config": {
                "Env": [f"DB_PASSWORD={value}", "PATH=/bin"],
                "Labels": {"build.token": value},
                "Entrypoint": ["app", f"--password={value}"],
            },
            "history": [{"created_by": f"ENV DB_PASSWORD={value}"}],
        }

    add_image(own, "v1", [], config("zq7one"))
    add_image(own, "v2", [], config("zq7other"))
    shown = []
    for show in ("Configuration", "History", "Text"):
        shown.append(compare(open_view, show=show))
    for show in ("Layers and history", "Configuration"):
        shown.append(open_view("image.py", registry=REGISTRY, repository=APP, reference="v1", show=show))
    for at in shown:
        assert not at.exception
        whole = " ".join(
            [said(at), *(str(one.value.to_dict()) for one in at.dataframe), *(one.value for one in at.code)]
        )
        assert "zq7" not in whole
        assert "hidden: looks like a secret" in whole
