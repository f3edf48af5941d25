"""An archive holds the image and nothing else, is as long as foretold, and is never wrong without an error."""

import gzip
import hashlib
import io
import json
import random
import tarfile
import tracemalloc
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.images.manifests import OCI_ARTIFACT, ORAS_ARTIFACT
from services.transfer.archives import read_archive
from services.transfer.download import Archive, Member, _header, plan_archive, stream
from services.transfer.push import apply_push, read_push_plan
from tests.support.canned import Answer, CannedRegistry, Reply, Sent, reset
from tests.support.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from tests.support.old_images import add_old
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
MIB = 1024 * 1024


def sha(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


class Shelf:
    """Images with all their content, in team/app of a sandbox."""

    def __init__(self, own: OwnSandbox) -> None:
        self.own = own
        self.blobs: dict[str, bytes] = {}

    def blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        digest = self.own.sandbox.store.blobs.put(REGISTRY, APP, content)
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def manifest(self, body: dict[str, Any], media_type: str, *tags: str) -> dict[str, Any]:
        content = json.dumps({"schemaVersion": 2, "mediaType": media_type, **body}, indent=2).encode()
        self.own.sandbox.store.add_manifest(REGISTRY, APP, content, media_type, self.own.sandbox.state.stamp())
        self.blobs[sha(content)] = content
        for tag in tags:
            self.own.move(tag, sha(content))
        return {"mediaType": media_type, "digest": sha(content), "size": len(content)}

    def image(self, *tags: str, layers: tuple[bytes, ...] = (b"one", b"two"), of: str = "amd64", **more: Any) -> Any:
        config = self.blob(json.dumps({"architecture": of, "os": "linux"}).encode(), OCI_CONFIG)
        layers_of = [self.blob(layer, LAYER) for layer in layers]
        return self.manifest({"config": config, "layers": layers_of, **more}, OCI_MANIFEST, *tags)

    def index(self, *tags: str) -> Any:
        """Two platforms that share a layer, and an attestation."""
        shared = noise(2 * MIB)
        platforms = [
            {**self.image(layers=(shared, of.encode()), of=of), "platform": {"os": "linux", "architecture": of}}
            for of in ("amd64", "arm64")
        ]
        attests = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": platforms[0]["digest"],
        }
        attestation = {
            **self.image(layers=(b"{}",), of="unknown"),
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": attests,
        }
        return self.manifest({"manifests": [*platforms, attestation]}, OCI_INDEX, *tags)


@pytest.fixture
def shelf(own: OwnSandbox) -> Shelf:
    return Shelf(own)


def pulled(own: OwnSandbox, digest: str, **more: str) -> tuple[Archive, dict[str, bytes]]:
    """The archive, and its files by name."""
    archive = plan_archive(own.client, APP, digest, **more)
    content = b"".join(stream(own.client, archive))
    assert len(content) == archive.size
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = tar.getmembers()
        assert {(member.mtime, member.uid, member.isfile()) for member in members} == {(0, 0, True)}
        names = [member.name for member in members]
        assert len(names) == len(set(names))
        return archive, {member.name: tar.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def blobs_in(files: dict[str, bytes]) -> dict[str, bytes]:
    found = {f"sha256:{name.rpartition('/')[2]}": content for name, content in files.items() if "blobs" in name}
    assert all(sha(content) == digest for digest, content in found.items())
    return found


def test_an_index_is_pulled_with_all_it_lists(own: OwnSandbox, shelf: Shelf) -> None:
    index = shelf.index("v1")
    archive, files = pulled(own, index["digest"], tag="v1")
    assert blobs_in(files) == shelf.blobs
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert {key: entry[key] for key in ("mediaType", "digest", "size")} == index
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == "v1"
    assert entry["annotations"]["io.containerd.image.name"] == f"{own.client.login_server}/{APP}:v1"
    assert (archive.file_name, archive.left_out) == ("team-app-v1.tar", ())
    assert (archive.manifests, archive.blobs) == (4, len(shelf.blobs) - 4)


def test_one_platform_of_an_index_is_pulled_without_the_others(own: OwnSandbox, shelf: Shelf) -> None:
    index = shelf.index("v1")
    archive, files = pulled(own, index["digest"], tag="v1", platform="linux/arm64")
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["digest"] == archive.digest != index["digest"]
    manifest = json.loads(files[f"blobs/sha256/{entry['digest'][7:]}"])
    needed = {archive.digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])}
    assert blobs_in(files).keys() == needed
    assert archive.file_name == "team-app-v1-linux-arm64.tar"


def test_a_platform_that_the_index_does_not_have(own: OwnSandbox, shelf: Shelf) -> None:
    index = shelf.index("v1")
    with pytest.raises(ServiceError) as raised:
        plan_archive(own.client, APP, index["digest"], platform="linux/s390x")
    assert raised.value.code == "NoSuchPlatform"
    assert "linux/amd64, linux/arm64" in raised.value.cause


def test_by_digest_the_image_has_no_name_in_the_archive(own: OwnSandbox, shelf: Shelf) -> None:
    image = shelf.image()
    archive, files = pulled(own, image["digest"])
    assert "annotations" not in json.loads(files["index.json"])["manifests"][0]
    assert archive.file_name == f"team-app-{image['digest'][7:19]}.tar"


def test_the_same_image_gives_the_same_bytes(own: OwnSandbox, shelf: Shelf) -> None:
    digest = shelf.index("v1")["digest"]
    first, second = (b"".join(stream(own.client, plan_archive(own.client, APP, digest, tag="v1"))) for _ in range(2))
    assert first == second


def test_docker_s_own_formats_are_pulled_too(own: OwnSandbox, shelf: Shelf) -> None:
    config = shelf.blob(b"{}", "application/vnd.docker.container.image.v1+json")
    image = shelf.manifest({"config": config, "layers": []}, DOCKER_MANIFEST)
    platform = {"os": "linux", "architecture": "amd64"}
    docker_list = shelf.manifest({"manifests": [{**image, "platform": platform}]}, DOCKER_LIST, "v1")
    _, files = pulled(own, docker_list["digest"], tag="v1")
    assert blobs_in(files) == shelf.blobs
    assert json.loads(files["index.json"])["manifests"][0]["mediaType"] == DOCKER_LIST


def test_what_the_registry_lacks_shows_before_the_first_byte_in_the_registrys_own_words(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")  # Of its config it has the descriptor alone, as of seeded layers.
    with pytest.raises(ServiceError) as raised:
        plan_archive(own.client, APP, digest)
    assert (raised.value.code, raised.value.status) == ("BLOB_UNKNOWN", 404)
    assert "1 of its 1 blobs" in raised.value.cause
    assert "this sandbox keeps the layers of a few seeded images only" in raised.value.cause


@pytest.mark.parametrize("media_type", [OCI_ARTIFACT, ORAS_ARTIFACT])
def test_an_artifact_is_pulled_with_its_blobs(own: OwnSandbox, shelf: Shelf, media_type: str) -> None:
    artifact = shelf.manifest({"blobs": [shelf.blob(b"signature", "application/jose+json")]}, media_type)
    _, files = pulled(own, artifact["digest"])
    assert blobs_in(files) == shelf.blobs


def windows(shelf: Shelf, build: int) -> Any:
    """An image whose base layer is not in the registry, as one of an index."""
    version = f"10.0.{build}.1"
    base = {"mediaType": FOREIGN, "digest": sha(version.encode()), "size": 7, "urls": ["https://contoso.example/base"]}
    layer = gzip.compress(f"app on {build}".encode(), mtime=0)
    of = {"os": "windows", "architecture": "amd64", "os.version": version}
    diff_ids = [sha(b"base"), sha(f"app on {build}".encode())]
    config = shelf.blob(
        json.dumps({**of, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode(),
        "application/vnd.docker.container.image.v1+json",
    )
    own = shelf.blob(layer, "application/vnd.docker.image.rootfs.diff.tar.gzip")
    return {**shelf.manifest({"config": config, "layers": [base, own]}, DOCKER_MANIFEST), "platform": of}


def test_each_build_of_windows_is_pulled_by_itself_and_can_be_pushed_again(own: OwnSandbox, shelf: Shelf) -> None:
    images = [windows(shelf, build) for build in (17763, 20348)]
    index = shelf.manifest({"manifests": images}, DOCKER_LIST, "v1")
    for image in images:
        platform = f"windows/amd64:{image['platform']['os.version']}"
        archive, _ = pulled(own, index["digest"], tag="v1", platform=platform)
        assert archive.digest == image["digest"]
    archive = plan_archive(own.client, APP, index["digest"], tag="v1")
    assert archive.left_out == tuple(sorted(sha(f"10.0.{build}.1".encode()) for build in (17763, 20348)))
    (read,) = read_archive(io.BytesIO(b"".join(stream(own.client, archive)))).images
    content = read.prepare(lambda _done, _of: None, Event())
    apply_push(own.client, content, read_push_plan(own.client, content, "again", "v1"))
    assert own.tags("again") == {"v1": index["digest"]}


def test_a_layer_without_urls_is_needed(own: OwnSandbox, shelf: Shelf) -> None:
    foreign = {"mediaType": FOREIGN, "digest": sha(b"windows"), "size": 7}
    config = shelf.blob(b"{}", OCI_CONFIG)
    body = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": config, "layers": [foreign]})
    digest = own.sandbox.store.add_manifest(REGISTRY, APP, body.encode(), DOCKER_MANIFEST, own.sandbox.state.stamp())
    with pytest.raises(ServiceError) as raised:
        plan_archive(own.client, APP, digest)
    assert raised.value.code == "BLOB_UNKNOWN"


def test_a_platform_of_an_index_in_an_index(own: OwnSandbox, shelf: Shelf) -> None:
    inner = shelf.index()
    top = shelf.manifest({"manifests": [inner]}, OCI_INDEX, "v1")
    archive, files = pulled(own, top["digest"], platform="linux/arm64")
    assert json.loads(files["index.json"])["manifests"][0]["digest"] == archive.digest
    _, all_files = pulled(own, top["digest"])
    assert blobs_in(all_files) == shelf.blobs


def test_schema_1_is_no_oci_archive(own: OwnSandbox) -> None:
    digest = add_old(own, own.sandbox.store.blobs.put(REGISTRY, APP, b"layer"))
    with pytest.raises(ServiceError) as raised:
        plan_archive(own.client, APP, digest)
    assert raised.value.code == "Schema1"


def test_a_layer_that_may_not_be_distributed_can_be_missing(own: OwnSandbox, shelf: Shelf) -> None:
    config = shelf.blob(b"{}", OCI_CONFIG)
    foreign = {"mediaType": FOREIGN, "digest": sha(b"windows"), "size": 7, "urls": ["https://contoso.example/layer"]}
    image = shelf.manifest({"config": config, "layers": [foreign]}, DOCKER_MANIFEST)
    archive, files = pulled(own, image["digest"])
    assert archive.left_out == (foreign["digest"],)
    assert blobs_in(files) == shelf.blobs


def test_a_manifest_that_lies_about_a_size_is_refused_before_the_first_byte(own: OwnSandbox, shelf: Shelf) -> None:
    config = {**shelf.blob(b"{}", OCI_CONFIG), "size": 3}
    image = shelf.manifest({"config": config, "layers": []}, OCI_MANIFEST)
    with pytest.raises(ServiceError) as raised:
        plan_archive(own.client, APP, image["digest"])
    assert raised.value.code == "SizeMismatch"


def test_a_blob_that_vanishes_after_the_plan_breaks_the_stream(own: OwnSandbox, shelf: Shelf) -> None:
    image = shelf.image(layers=(b"layer",))
    archive = plan_archive(own.client, APP, image["digest"])
    own.sandbox.store.blobs.delete(REGISTRY, sha(b"layer"))
    sent = 0
    with pytest.raises(ServiceError) as raised:
        for piece in stream(own.client, archive):
            sent += len(piece)
    assert raised.value.code == "BLOB_UNKNOWN"
    assert sent < archive.size


def test_content_that_was_changed_in_the_registry_breaks_the_stream(own: OwnSandbox, shelf: Shelf) -> None:
    image = shelf.image(layers=(b"layer",))
    archive = plan_archive(own.client, APP, image["digest"])
    own.sandbox.store.blobs.files.path(sha(b"layer")).write_bytes(b"liars")
    sent = 0
    with pytest.raises(ServiceError) as raised:
        for piece in stream(own.client, archive):
            sent += len(piece)
    assert raised.value.code == "DigestMismatch"
    assert sent < archive.size


def test_a_large_layer_passes_in_constant_memory(own: OwnSandbox, shelf: Shelf) -> None:
    image = shelf.image(layers=(noise(64 * MIB),))
    shelf.blobs.clear()
    archive = plan_archive(own.client, APP, image["digest"])
    tracemalloc.start()
    largest = max(len(piece) for piece in stream(own.client, archive))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert largest <= MIB
    # The sandbox in the same process holds some pieces, too.
    assert peak < 16 * MIB


def test_faults_of_the_registry_are_tried_again(own: OwnSandbox, shelf: Shelf) -> None:
    index = shelf.index("v1")
    own.break_(
        {"method": "GET", "path": "/blobs/", "status": 503, "every": 2, "times": 2},
        {"path": "/blobs/", "reset": True, "every": 3, "times": 2},
    )
    _, files = pulled(own, index["digest"])
    assert blobs_in(files) == shelf.blobs


def test_what_is_no_digest() -> None:
    with pytest.raises(ServiceError) as raised:
        plan_archive(None, APP, "v1")  # type: ignore[arg-type]
    assert raised.value.code == "InvalidDigest"


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 8 * 1024**3, 10**15])
def test_a_header_is_one_block_whatever_the_size(size: int) -> None:
    header = _header(Member(f"blobs/sha256/{'0' * 64}", size, "", None))
    assert len(header) == 512
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == size


@given(st.lists(st.integers(0, 5000), max_size=8))
def test_the_length_foretold_is_that_of_the_tar(sizes: list[int]) -> None:
    members = tuple(Member(str(number), size, "", bytes(size)) for number, size in enumerate(sizes))
    archive = Archive(APP, "", "x.tar", members, ())
    content = b"".join(stream(None, archive))  # type: ignore[arg-type]
    assert len(content) == archive.size
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert [member.size for member in tar] == sizes


# The wire: what breaks within a blob, and where it goes

CONTENT = noise(3000)
BLOB = f"/v2/team%2Fapp/blobs/{sha(CONTENT).replace(':', '%3A')}"
PULL = "repository:team/app:pull"
ONE = Archive(APP, "", "x.tar", (Member("blob", len(CONTENT), sha(CONTENT), None),), ())


def ranged(upto: int | None = None) -> Reply:
    """The blob from where it is asked for; its connection breaks `upto` bytes later, where that is given."""

    def reply(sent: Sent) -> Answer:
        start = int(sent.headers.get("Range", "bytes=0-")[6:-1])
        rest = CONTENT[start:]
        headers = {
            "Content-Length": str(len(rest)),
            "Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}",
        }
        return Answer(206 if "Range" in sent.headers else 200, rest[:upto], headers)

    return reply


def streamed(client: RegistryClient) -> bytes:
    content = b"".join(stream(client, ONE))
    assert len(content) == ONE.size
    return content[512 : 512 + len(CONTENT)]


def ranges(registry: CannedRegistry) -> list[str]:
    return [sent.headers.get("Range", "whole") for sent in registry.calls() if "Authorization" in sent.headers]


def test_a_connection_that_breaks_within_a_blob_is_taken_up_where_it_broke(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    registry.serve("GET", BLOB, PULL, ranged(1000), ranged(500), reset(), ranged())
    assert streamed(client) == CONTENT
    assert ranges(registry) == ["whole", "bytes=1000-", "bytes=1500-", "bytes=1500-"]


def test_a_registry_without_ranges_is_read_again_from_the_start(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    broken = Answer(200, CONTENT[:1000], {"Content-Length": str(len(CONTENT))})
    registry.serve("GET", BLOB, PULL, broken, Answer(200, CONTENT))
    assert streamed(client) == CONTENT


def test_a_blob_that_comes_no_further_is_given_up(registry: CannedRegistry, client: RegistryClient) -> None:
    registry.serve("GET", BLOB, PULL, ranged(1000), ranged(0))
    with pytest.raises(ServiceError) as raised:
        streamed(client)
    assert raised.value.code == "ConnectionLost"
    assert "at byte 1,000 of 3,000" in raised.value.cause
    assert ranges(registry) == ["whole", *["bytes=1000-"] * 4]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(200, CONTENT + b"x"), "SizeMismatch"),
        (Answer(200, CONTENT[::-1]), "DigestMismatch"),
        (Answer(404, {"errors": [{"code": "BLOB_UNKNOWN", "message": "gone"}]}), "BLOB_UNKNOWN"),
        (Answer(204), "BadAnswer"),
        (Answer(307, None, {"Location": "http://storage.example/blob"}), "BadAnswer"),
        (Answer(307), "BadAnswer"),
    ],
)
def test_what_is_not_the_blob_breaks_the_stream(
    registry: CannedRegistry, client: RegistryClient, answer: Answer, code: str
) -> None:
    registry.serve("GET", BLOB, PULL, answer)
    with pytest.raises(ServiceError) as raised:
        streamed(client)
    assert raised.value.code == code


def test_another_range_than_asked_for_breaks_the_stream(registry: CannedRegistry, client: RegistryClient) -> None:
    other = Answer(206, CONTENT[999:], {"Content-Range": "bytes 999-2999/3000"})
    registry.serve("GET", BLOB, PULL, ranged(1000), other)
    with pytest.raises(ServiceError) as raised:
        streamed(client)
    assert raised.value.code == "BadAnswer"


def test_the_registry_s_token_does_not_go_to_where_its_blobs_are_stored(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    # Even where the store's address looks as the registry's do.
    registry.serve("GET", BLOB, PULL, Answer(307, None, {"Location": f"https://storage.example{BLOB}?sig=secret"}))
    registry.on("GET", f"https://storage.example{BLOB}", ranged(1000), ranged())
    assert streamed(client) == CONTENT
    stored = [sent for sent in registry.sent if sent.host == "storage.example"]
    assert [sent.headers.get("Range") for sent in stored] == [None, "bytes=1000-"]
    assert not [sent for sent in stored if "Authorization" in sent.headers]
    assert [sent.headers.get("Authorization", "")[:7] for sent in registry.calls() if sent.host == registry.host]


def test_a_blob_at_another_store_counts_as_there(registry: CannedRegistry, client: RegistryClient) -> None:
    config = {"mediaType": OCI_CONFIG, "digest": sha(CONTENT), "size": len(CONTENT)}
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}).encode()
    path = f"/v2/team%2Fapp/manifests/{sha(raw).replace(':', '%3A')}"
    registry.serve("GET", path, PULL, Answer(200, raw, {"Content-Type": OCI_MANIFEST}))
    registry.serve("HEAD", BLOB, PULL, Answer(307, None, {"Location": "https://storage.example/blob"}))
    archive = plan_archive(client, APP, sha(raw))
    assert [member.size for member in archive.members][-1] == len(CONTENT)
    assert replace(archive, members=()).size == 1024
