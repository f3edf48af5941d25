"""An image is given to be pushed only where its layers are those that its config names."""

import gzip
import hashlib
import io
import json
import random
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.images.manifests import DOCKER_MANIFEST, OCI_MANIFEST
from services.transfer.archive_files import Budget, Limits, RandomAccess, part_of_file
from services.transfer.archive_images import Archive, ArchiveImage, Content
from services.transfer.archives import read_archive
from tests.support.image_archives import OCI, Layout, config_of, sha256, tar_of

LAYERS = [tar_of({f"file {number}": bytes([number]) * 100}) for number in range(4)]
CONFIG_TYPE = f"{OCI}.config.v1+json"
FOREIGN_TYPE = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
ELSEWHERE = {"mediaType": FOREIGN_TYPE, "digest": sha256(b"elsewhere"), "size": 9}


def read(data: bytes, limits: Limits | None = None) -> Archive:
    return read_archive(io.BytesIO(data), limits=limits)


def prepared(image: ArchiveImage) -> Content:
    return image.prepare(lambda _done, _of: None, Event())


def refusal(data: bytes, limits: Limits | None = None) -> ServiceError:
    """Why nothing of an archive is pushed."""
    with pytest.raises(ServiceError) as caught:
        [prepared(image) for image in read(data, limits).images]
    return caught.value


def put_image(made: Layout, layers: list[bytes], config: bytes, *, packed: bool = True, **more: Any) -> dict[str, Any]:
    kind = "tar+gzip" if packed else "tar"
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": made.blob(config, CONFIG_TYPE),
        "layers": [
            made.blob(gzip.compress(one, mtime=0) if packed else one, f"{OCI}.layer.v1.{kind}") for one in layers
        ],
    }
    return made.manifest(body, OCI_MANIFEST, **more)


def layout_of(layers: list[bytes], config: bytes, *, packed: bool = True) -> bytes:
    made = Layout()
    return made.named(put_image(made, layers, config, packed=packed), "v1").tar()


@pytest.mark.parametrize("named", [LAYERS[:1], LAYERS[:3], []])
def test_a_layout_whose_config_names_another_number_of_layers_is_refused_when_it_is_read(named: list[bytes]) -> None:
    with pytest.raises(ServiceError, match="it would not run") as caught:
        read(layout_of(LAYERS[:2], config_of(*named)))
    assert caught.value.code == "LayersDiffer"
    assert f"2 layers, and its config names {len(named)}" in caught.value.cause


@pytest.mark.parametrize("config", [b'{"rootfs": {}}', b'{"rootfs": {"diff_ids": null}}'])
def test_a_config_that_names_no_layers_is_that_of_an_image_without(config: bytes) -> None:
    assert refusal(layout_of(LAYERS[:1], config)).code == "LayersDiffer"
    (image,) = read(layout_of([], config)).images
    assert json.loads(prepared(image).manifests[0].raw)["layers"] == []


@pytest.mark.parametrize("packed", [False, True])
def test_a_layout_whose_layers_are_in_another_order_is_refused(packed: bool) -> None:
    assert refusal(layout_of(LAYERS[:2], config_of(*LAYERS[1::-1]), packed=packed)).code == "WrongDigest"


@pytest.mark.parametrize("layers", [LAYERS[:1], []])
@pytest.mark.parametrize("config", [b"{}", b"[]", b'{"rootfs": null}', b'{"rootfs": {"diff_ids": 7}}'])
def test_a_config_that_says_nothing_of_layers_is_none(config: bytes, layers: list[bytes]) -> None:
    assert refusal(layout_of(layers, config)).code == "NotAManifest"


def test_a_platform_that_would_not_run_costs_the_index_and_not_the_other_platforms() -> None:
    made = Layout()
    amd = put_image(made, LAYERS[:2], config_of(*LAYERS[:2]), platform={"os": "linux", "architecture": "amd64"})
    arm = put_image(made, LAYERS[:1], config_of(*LAYERS[:2]), platform={"os": "linux", "architecture": "arm64"})
    archive = read(made.named(made.index(amd, arm), "app:v1").tar())
    (image,) = archive.images
    assert (image.key, image.of_index, image.names) == (amd["digest"], True, ("app:v1",))
    (left_out,) = archive.left_out
    assert (left_out.name, left_out.error.code) == ("app:v1", "LayersDiffer")


def test_a_platform_that_is_on_the_top_list_too_keeps_its_own_name() -> None:
    made = Layout()
    amd = put_image(made, LAYERS[:1], config_of(*LAYERS[:1]), platform={"os": "linux", "architecture": "amd64"})
    gone = {**amd, "digest": sha256(b"gone"), "platform": {"os": "linux", "architecture": "arm64"}}
    made.named(made.index(amd, gone), "app:v1").named(amd, "app:v1-amd64")
    whole = next(image for image in read(made.tar()).images if not image.missing)
    assert (whole.key, whole.names, whole.of_index) == (amd["digest"], ("app:v1-amd64",), False)


def test_an_artifact_with_the_config_of_an_image_is_pushed_as_it_is() -> None:
    made = Layout()
    body = {
        "schemaVersion": 2,
        "config": made.blob(b"{}", CONFIG_TYPE),
        "layers": [made.blob(b"{}", "application/vnd.in-toto+json")],
    }
    (image,) = read(made.named(made.manifest(body, OCI_MANIFEST), "v1").tar()).images
    assert prepared(image).manifests[0].media_type == OCI_MANIFEST


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        (b"\x28\xb5\x2f\xfd zstd", ""),
        (b"\x1f\x8b no gzip", "WrongDigest"),
        (b"plain", "WrongDigest"),
    ],
)
def test_a_layer_of_a_layout_that_can_not_be_expanded_here_is_pushed_by_its_digest(layer: bytes, code: str) -> None:
    data = layout_of([layer], config_of(LAYERS[0]), packed=False)
    if code:
        assert refusal(data).code == code
    else:
        assert [layer] == [b"".join(blob.part.blocks()) for blob in prepared(read(data).images[0]).blobs][1:]


def test_an_encrypted_layer_is_pushed_by_its_digest() -> None:
    made = Layout()
    layer = made.blob(b"\x1f\x8b any bytes", f"{OCI}.layer.v1.tar+gzip+encrypted")
    config = made.blob(config_of(LAYERS[0]), CONFIG_TYPE)
    top = made.manifest({"schemaVersion": 2, "config": config, "layers": [layer]}, OCI_MANIFEST)
    assert len(prepared(read(made.named(top, "v1").tar()).images[0]).blobs) == 2


def test_all_layers_of_an_image_expand_to_no_more_than_the_limit() -> None:
    layers = [b"%d" % number + b"\0" * 4_000_000 for number in range(3)]
    data = layout_of(layers, config_of(*layers))
    assert prepared(read(data).images[0])
    assert refusal(data, Limits(expanded=10_000_000)).code == "TooLarge"


MIB = 1024 * 1024


@pytest.mark.parametrize("padding", [0, 1, 700])
@pytest.mark.parametrize(
    "sizes", [(0,), (1,), (MIB - 1,), (MIB,), (MIB + 1,), (3 * MIB,), (5, 0, MIB, 7), (MIB, MIB), (2 * MIB + 9, 1)]
)
@pytest.mark.parametrize("noise", [False, True])
def test_gzip_of_any_size_and_many_members_expands_as_python_expands_it(
    sizes: tuple[int, ...], padding: int, noise: bool
) -> None:
    chance = random.Random(1)
    members = [gzip.compress(chance.randbytes(size) if noise else b"\0" * size) for size in sizes]
    data = b"".join(members) + b"\0" * padding
    part = part_of_file(RandomAccess(io.BytesIO(data), owned=False))
    seen: list[bytes] = []
    blocks = list(part.expanded(Budget(10 * MIB), seen.append))
    assert b"".join(blocks) == gzip.decompress(data)
    assert b"".join(seen) == data
    assert max(map(len, blocks), default=0) <= MIB


def test_an_entry_of_another_kind_is_not_read_however_large() -> None:
    made = Layout()
    made.named(made.image(), "v1").named(made.blob(b"x" * 10_000, "application/vnd.example"), "note")
    archive = read(made.tar(), Limits(manifest=9_000))
    assert [image.names for image in archive.images] == [("v1",)]
    assert [(one.name, one.error.code) for one in archive.left_out] == [("note", "Unsupported")]


# Layers that clients load from elsewhere


def with_foreign(named: list[bytes], **more: Any) -> bytes:
    made = Layout()
    body = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": made.blob(config_of(*named), "application/vnd.docker.container.image.v1+json"),
        "layers": [
            {**ELSEWHERE, **more},
            made.blob(gzip.compress(LAYERS[0], mtime=0), "application/vnd.docker.image.rootfs.diff.tar.gzip"),
        ],
    }
    return made.named(made.manifest(body, DOCKER_MANIFEST), "v1").tar()


@pytest.mark.parametrize("named", [[b"elsewhere", LAYERS[0]], [LAYERS[0]]])
def test_a_foreign_layer_need_not_be_there_and_is_said(named: list[bytes]) -> None:
    (image,) = read(with_foreign(named, urls=["https://example.invalid/base", "https://other.invalid/"])).images
    assert image.not_pushed == (
        f"the layer {ELSEWHERE['digest']}: clients load it from example.invalid, other.invalid",
    )
    assert len(prepared(image).blobs) == 2


@pytest.mark.parametrize(
    "more", [{}, {"urls": []}, {"urls": ["https://example.invalid"], "mediaType": f"{OCI}.layer.v1.tar+gzip"}]
)
def test_a_layer_is_missing_where_it_has_no_place_or_is_not_foreign(more: dict[str, Any]) -> None:
    assert refusal(with_foreign([b"elsewhere", LAYERS[0]], **more)).code == "Incomplete"


@pytest.mark.parametrize("named", [[], LAYERS[:3], [LAYERS[1]], [b"elsewhere", LAYERS[1]]])
def test_the_layers_beside_a_foreign_one_are_those_of_the_config(named: list[bytes]) -> None:
    data = with_foreign(named, urls=["https://example.invalid/base"])
    assert refusal(data).code in ("LayersDiffer", "WrongDigest")


# Any archive


def images_of(content: Content) -> list[tuple[list[str], list[str]]]:
    """Of each image that would be pushed: the digests that its config names, and those of its layers, expanded."""
    blobs = {blob.digest: b"".join(blob.part.blocks()) for blob in content.blobs}
    found = []
    for manifest in content.manifests:
        body = json.loads(manifest.raw)
        if "config" in body:
            stored = [blobs[layer["digest"]] for layer in body["layers"]]
            plain = [gzip.decompress(one) if one.startswith(b"\x1f\x8b") else one for one in stored]
            config = json.loads(blobs[body["config"]["digest"]])
            found.append((config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(one).hexdigest() for one in plain]))
    return found


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """A layout, a `docker save`, or both in one, of an image whose layers may be others than its config names; then
    with a member dropped, doubled, or swapped with another, or without an end mark."""
    packed = draw(st.booleans())
    named = draw(st.lists(st.sampled_from(LAYERS), max_size=3))
    config = config_of(*named)
    form = draw(st.sampled_from(["layout", "docker", "both"]))
    made = Layout()
    if form != "docker":
        made.named(put_image(made, draw(mutated(named)), config, packed=packed), "v1")
        made.members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": made.top}).encode()
    else:
        del made.members["oci-layout"]
    if form != "layout":
        layers = [gzip.compress(one, mtime=0) if packed else one for one in draw(mutated(named))]
        made.members |= {f"{number}/layer.tar": one for number, one in enumerate(layers)}
        made.members["config.json"] = config
        paths = [f"{number}/layer.tar" for number in range(len(layers))]
        listed = [{"Config": "config.json", "RepoTags": ["a:b"], "Layers": draw(mutated(paths))}]
        made.members["manifest.json"] = json.dumps(listed).encode()
    members = list(made.members.items())
    for _ in range(draw(st.integers(0, 2))):
        members = draw(broken(members))
    data = tar_of(members)
    return data.rstrip(b"\0") if draw(st.integers(0, 9)) == 0 else data


def mutated(items: list[Any]) -> st.SearchStrategy[list[Any]]:
    """As they are, more often than not, else any of them in any order."""
    if not items:
        return st.just(items)
    return st.one_of(
        st.just(items), st.just(items), st.permutations(items), st.lists(st.sampled_from(items), max_size=4)
    )


@st.composite
def broken(draw: st.DrawFn, members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    members = list(members)
    one, other = (draw(st.integers(0, len(members) - 1)) for _ in range(2))
    match draw(st.sampled_from(["drop", "double", "double as another", "swap"])):
        case "drop":
            return members[:one] + members[one + 1 :] or members
        case "double":
            return [*members, members[one]]
        case "double as another":
            return [*members, (members[one][0], members[other][1])]
        case _:
            (first, its), (second, others) = members[one], members[other]
            members[one], members[other] = (first, others), (second, its)
            return members


@given(archives())
def test_whatever_is_dropped_doubled_or_swapped_no_image_has_other_layers_than_its_config_names(data: bytes) -> None:
    try:
        found = read(data)
    except ServiceError as error:
        assert error.cause
        assert error.remedy
        return
    assert found.images
    for image in found.images:
        try:
            content = prepared(image)
        except ServiceError as error:
            assert error.cause
            assert error.remedy
        else:
            for diff_ids, layers in images_of(content):
                assert layers == diff_ids
