"""Archives: what is in them, what is pushed of it, and that a broken one is refused before anything is written."""

import gzip
import io
import json
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.images.manifests import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from services.transfer import archive_files
from services.transfer.archive_files import Limits, RandomAccess
from services.transfer.archive_images import ArchiveImage, Content, propose_name
from services.transfer.archives import read_archive
from services.transfer.tar_members import read_members
from tests.support.image_archives import FULL_NAME, Layout, docker_save, layout, link, sha256, tar_of

LAYER = tar_of({"etc/motd": b"hello\n" * 1000})
OTHER = tar_of({"etc/issue": b"world\n" * 1000})


def read(data: bytes, limits: Limits | None = None) -> tuple[ArchiveImage, ...]:
    return read_archive(io.BytesIO(data), limits=limits).images


def prepared(image: ArchiveImage, stop: Event | None = None) -> Content:
    return image.prepare(lambda _done, _of: None, stop or Event())


def content_of(data: bytes, limits: Limits | None = None) -> Content:
    (image,) = read(data, limits)
    return prepared(image)


def refusal(work: Callable[[], object]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        work()
    assert caught.value.cause.strip()
    assert caught.value.remedy.strip()
    return caught.value


def code_of(data: bytes, limits: Limits | None = None) -> str:
    """Why an archive is refused, wherever: at reading, or at preparing its first image."""
    return refusal(lambda: [prepared(image) for image in read(data, limits)]).code


def bytes_of(content: Content) -> dict[str, bytes]:
    return {blob.digest: b"".join(blob.part.blocks()) for blob in content.blobs}


class Pipe(io.RawIOBase):
    """A stream that can't go back."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 1000) if size >= 0 else size)


# OCI layouts


def test_every_blob_comes_once_and_every_manifest_in_its_own_bytes_after_its_children() -> None:
    made = Layout()
    index = made.platforms("amd64", "arm64")
    content = content_of(made.named(index, "v1").tar())
    assert content.digest == index["digest"]
    assert [manifest.media_type for manifest in content.manifests] == [OCI_MANIFEST, OCI_MANIFEST, OCI_INDEX]
    assert all(sha256(manifest.raw) == manifest.digest for manifest in content.manifests)
    assert all(b"\r\n" in manifest.raw for manifest in content.manifests)
    found = bytes_of(content)
    assert len(found) == len(content.blobs) == 6
    assert all(sha256(data) == digest for digest, data in found.items())


def test_an_index_in_an_index_is_pushed_from_the_leaves_up() -> None:
    made = Layout()
    shared = made.image("shared")
    inner = made.index(shared)
    content = content_of(made.named(made.index(inner, shared), "v1").tar())
    assert [manifest.digest for manifest in content.manifests][:2] == [shared["digest"], inner["digest"]]
    assert len(content.manifests) == 3


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", ["path", "file", "stream"])
def test_a_path_a_file_and_a_stream_give_the_same_as_they_are_and_gzipped(
    form: str, packed: bool, tmp_path: Path
) -> None:
    plain = layout("v1")
    data = gzip.compress(plain) if packed else plain
    (tmp_path / "image.tar").write_bytes(data)
    sources = {"path": tmp_path / "image.tar", "file": io.BytesIO(data), "stream": Pipe(data)}
    (image,) = read_archive(sources[form]).images
    assert bytes_of(prepared(image)) == bytes_of(content_of(plain))


def test_content_outlives_what_it_was_read_from(tmp_path: Path) -> None:
    (tmp_path / "image.tar.gz").write_bytes(gzip.compress(layout("v1")))
    content = prepared(read_archive(tmp_path / "image.tar.gz").images[0])
    assert all(sha256(data) == digest for digest, data in bytes_of(content).items())


def test_names_come_from_both_annotations_and_one_image_may_have_many() -> None:
    made = Layout()
    image = made.image()
    made.named(image, "docker.io/contoso/app:v1", key=FULL_NAME).named(image, "v2").named(made.image("b"))
    first, second = read(made.tar())
    assert (first.names, second.names) == (("docker.io/contoso/app:v1", "v2"), ())
    assert first.platforms == ("linux/amd64",)


def test_the_layout_is_what_is_pushed_where_docker_wrote_both() -> None:
    made = Layout()
    image = made.image()
    both = made.named(image, "v1").tar(**{"manifest.json": b'[{"Config": "none", "Layers": [], "RepoTags": ["x:y"]}]'})
    assert content_of(both).digest == image["digest"]


def test_members_may_begin_with_a_dot_and_folders_are_nothing() -> None:
    made = Layout()
    made.named(made.image(), "v1")
    with tarfile.open(fileobj=io.BytesIO(made.tar())) as plain:
        members = [(f"./{member.name}", plain.extractfile(member).read()) for member in plain.getmembers()]  # type: ignore[union-attr]
    folder = tarfile.TarInfo("./")
    folder.type = tarfile.DIRTYPE
    assert content_of(tar_of([(folder, b""), *members])).digest == made.top[0]["digest"]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_are_read_in_every_form_of_tar(form: int) -> None:
    name = "/".join(["a-long-name-of-a-folder"] * 5) + "/" + "f" * 60
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mtime = 4, 1.5 if form == tarfile.PAX_FORMAT else 1
        archive.addfile(info, io.BytesIO(b"data"))
        for other, data in {"größe" if form != tarfile.USTAR_FORMAT else "size": b"x", "index.json": b"{}"}.items():
            info = tarfile.TarInfo(other)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    found = read_members(RandomAccess(buffer, owned=False), 100).members
    assert b"".join(found[name].part.blocks()) == b"data"
    assert len(found) == 3


def test_a_platform_that_is_there_is_offered_where_its_index_is_not_whole() -> None:
    made = Layout()
    amd = made.image("a", architecture="amd64", platform={"os": "linux", "architecture": "amd64"})
    arm = made.image("b", architecture="arm64", platform={"os": "linux", "architecture": "arm64"})
    index = made.index(amd, arm)
    first, whole = read(made.without(arm).named(index, "contoso/app:v1").tar())
    assert (first.of_index, first.platforms, first.names) == (True, ("linux/amd64",), ("contoso/app:v1",))
    assert prepared(first).digest == amd["digest"]
    error = refusal(lambda: prepared(whole))
    assert error.code == "Incomplete"
    assert "linux/arm64" in error.cause
    assert "linux/amd64" not in error.cause


def test_a_platform_whose_layer_is_not_there_counts_as_missing() -> None:
    made = Layout()
    index = made.platforms("amd64", "arm64")
    members = dict(made.members)
    arm = next(json.loads(data) for data in members.values() if b"manifests" in data)["manifests"][1]
    layer = json.loads(members[f"blobs/sha256/{arm['digest'][7:]}"])["layers"][0]
    offered = read(made.without(layer).named(index, "v1").tar())
    assert [image.missing for image in offered] == [(), ("linux/arm64",)]


# docker save


def test_layers_of_docker_save_are_pushed_compressed_under_a_manifest_of_schema_2() -> None:
    (image,) = read(docker_save([LAYER, OTHER, LAYER], "contoso/app:v1", "contoso/app:latest", linked=True))
    assert image.names == ("contoso/app:v1", "contoso/app:latest")
    content = prepared(image)
    (manifest,) = content.manifests
    body = json.loads(manifest.raw)
    assert (manifest.media_type, body["mediaType"], body["schemaVersion"]) == (DOCKER_MANIFEST, DOCKER_MANIFEST, 2)
    found = bytes_of(content)
    assert len(found) == 3
    assert [gzip.decompress(found[layer["digest"]]) for layer in body["layers"]] == [LAYER, OTHER, LAYER]
    assert all(layer["size"] == len(found[layer["digest"]]) for layer in body["layers"])
    assert json.loads(found[body["config"]["digest"]])["architecture"] == "amd64"
    assert all(sha256(data) == digest for digest, data in found.items())


def test_the_same_layer_gives_the_same_bytes_every_time() -> None:
    once, again = (content_of(docker_save([LAYER], "a:b")) for _ in range(2))
    assert once.digest == again.digest


def test_a_layer_that_lies_there_compressed_is_pushed_as_it_is() -> None:
    packed = gzip.compress(LAYER, mtime=0)
    content = content_of(docker_save([packed], "a:b", diff_ids=[sha256(LAYER)]))
    assert packed in bytes_of(content).values()


@pytest.mark.parametrize("packed", [False, True])
def test_a_layer_that_is_not_the_one_of_the_config_is_refused(packed: bool) -> None:
    layer = gzip.compress(LAYER) if packed else LAYER
    assert code_of(docker_save([layer], "a:b", diff_ids=[sha256(OTHER)])) == "WrongDigest"


def test_a_hard_link_to_a_layer_is_followed() -> None:
    plain = docker_save([LAYER, LAYER], "a:b")
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        members = [(member.name, archive.extractfile(member).read()) for member in archive.getmembers()]  # type: ignore[union-attr]
    second = f"{1:064x}/layer.tar"
    changed = [
        link(second, f"{0:064x}/layer.tar", tarfile.LNKTYPE) if name == second else (name, data)
        for name, data in members
    ]
    assert content_of(tar_of(changed)).digest == content_of(plain).digest


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (b"{}", "NotAManifest"),
        (b"[1]", "NotAManifest"),
        (b"[]", "NoImages"),
        (b'[{"Config": 1}]', "NotAManifest"),
        (b'[{"Config": "gone.json", "Layers": []}]', "Incomplete"),
        (b'[{"Config": "config.json"}]', "NotAManifest"),
        (b'[{"Config": "config.json", "Layers": ["a"]}]', "LayersDiffer"),
        (b'[{"Config": "config.json", "Layers": 7}]', "NotAManifest"),
        (b'[{"Config": "config.json", "Layers": [], "RepoTags": 7}]', "NotAManifest"),
        (b"null", "NotAManifest"),
        (b"not json", "NotJson"),
    ],
)
def test_a_manifest_json_of_any_shape_is_no_traceback(manifest: bytes, code: str) -> None:
    config = b'{"rootfs": {"diff_ids": []}}'
    assert code_of(tar_of({"manifest.json": manifest, "config.json": config})) == code


@pytest.mark.parametrize(
    "config",
    [
        b"[]",
        b"7",
        b"{}",
        b'{"rootfs": null}',
        b'{"rootfs": 7}',
        b'{"rootfs": {"diff_ids": 7}}',
        b'{"rootfs": {"diff_ids": ["sha512:a"]}}',
    ],
)
def test_a_config_of_any_shape_is_no_traceback(config: bytes) -> None:
    manifest = b'[{"Config": "config.json", "Layers": ["a"]}]'
    assert code_of(tar_of({"manifest.json": manifest, "config.json": config, "a": LAYER})) == "NotAManifest"


@pytest.mark.parametrize("config", [b'{"rootfs": {"type": "layers"}}', b'{"rootfs": {"diff_ids": []}}'])
def test_an_image_of_no_layers_is_one(config: bytes) -> None:
    manifest = b'[{"Config": "config.json", "Layers": null}]'
    content = content_of(tar_of({"manifest.json": manifest, "config.json": config}))
    assert json.loads(content.manifests[0].raw)["layers"] == []
    assert list(bytes_of(content).values()) == [config]


def test_an_image_that_is_listed_twice_is_one_of_both_names() -> None:
    config = b'{"rootfs": {"diff_ids": []}}'
    manifest = (
        b'[{"Config": "config.json", "Layers": null, "RepoTags": ["a:1", "b:2"]},'
        b' {"Config": "config.json", "Layers": [], "RepoTags": ["b:2", "c:3"]}]'
    )
    (image,) = read(tar_of({"manifest.json": manifest, "config.json": config}))
    assert image.names == ("a:1", "b:2", "c:3")


def test_configs_that_are_listed_over_and_over_are_not_read_over_and_over() -> None:
    config = json.dumps({"rootfs": {"diff_ids": []}, "x": "x" * 1000}).encode()
    manifest = json.dumps([{"Config": "config.json", "Layers": []}] * 100).encode()
    archive = tar_of({"manifest.json": manifest, "config.json": config})
    assert len(read(archive)) == 1
    assert code_of(archive, Limits(manifests=50_000)) == "TooLarge"


def test_what_docker_wrote_before_it_knew_manifests_is_schema_1() -> None:
    assert code_of(tar_of({"repositories": b"{}", "abc/layer.tar": LAYER})) == "Schema1"


# What is refused, before anything is written


def changed(name_of: Callable[[Layout], str], data: Callable[[bytes], bytes]) -> bytes:
    made = Layout()
    made.named(made.image(layers=1), "v1")
    name = name_of(made)
    made.members[name] = data(made.members[name])
    return made.tar()


def layer_name(made: Layout) -> str:
    body = json.loads(made.members[f"blobs/sha256/{made.top[0]['digest'][7:]}"])
    return f"blobs/sha256/{body['layers'][0]['digest'][7:]}"


def manifest_name(made: Layout) -> str:
    return f"blobs/sha256/{made.top[0]['digest'][7:]}"


def test_a_layer_that_was_changed_is_refused() -> None:
    assert code_of(changed(layer_name, lambda data: data[:-1] + bytes([data[-1] ^ 1]))) == "WrongDigest"


def test_a_layer_of_another_size_is_refused_without_reading_it() -> None:
    assert refusal(lambda: read(changed(layer_name, lambda data: data + b"x"))).code == "WrongSize"


def test_a_manifest_that_was_changed_is_refused_at_once() -> None:
    same_size = changed(manifest_name, lambda data: data.replace(b"2", b"3", 1))
    assert refusal(lambda: read(same_size)).code == "WrongDigest"


def test_a_blob_that_is_not_there_is_named() -> None:
    made = Layout()
    image = made.image(layers=1)
    layer = json.loads(made.members[f"blobs/sha256/{image['digest'][7:]}"])["layers"][0]
    (found,) = read(made.without(layer).named(image, "v1").tar())
    error = refusal(lambda: prepared(found))
    assert error.code == "Incomplete"
    assert layer["digest"] in error.cause


@pytest.mark.parametrize("name", ["../gone", "/gone", "a/../../gone", "blobs/..", "./../gone"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    assert code_of(tar_of({name: b"x", "index.json": b"{}"})) == "UnsafeMember"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "../x/../../../y"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_that_leads_out_is_refused(target: str, kind: bytes) -> None:
    assert code_of(tar_of([link("blobs/link", target, kind)])) == "UnsafeMember"


def test_a_link_to_a_link_is_not_followed() -> None:
    made = Layout()
    made.named(made.image(), "v1")
    members = [*made.members.items(), link("index.json", "a"), link("a", "b"), ("b", b"{}")]
    assert code_of(tar_of(members)) == "UnsafeMember"


def test_a_link_to_itself_ends() -> None:
    assert code_of(tar_of([link("manifest.json", "manifest.json")])) == "UnsafeMember"


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, b"Z"])
def test_devices_pipes_and_sparse_files_are_refused(kind: bytes) -> None:
    info = tarfile.TarInfo("blobs/thing")
    info.type = kind
    assert code_of(tar_of([(info, b"")])) == "UnsafeMember"


def test_a_name_that_comes_twice_is_refused() -> None:
    assert code_of(tar_of([("index.json", b"{}"), ("./index.json", b"[]")])) == "DuplicateMember"


def test_a_name_without_end_is_refused() -> None:
    assert code_of(tar_of({"a/" * 1000 + "b": b""})) == "UnsafeMember"


class Million(io.RawIOBase):
    """A tar of a million members that is made as it is read; counts the reads."""

    def __init__(self) -> None:
        self.at = self.reads = 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset if whence == io.SEEK_SET else 512_000_000
        return self.at

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        return tarfile.TarInfo(f"{self.at // 512:07}").tobuf()[:size]


def test_a_million_members_are_not_read() -> None:
    million = Million()
    tracemalloc.start()
    assert refusal(lambda: read_archive(million)).code == "TooManyMembers"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert million.reads < Limits().members + 10
    assert most < 20 * 1024 * 1024


def test_extended_headers_count_as_members_and_may_not_be_large() -> None:
    chain = b"".join(_header(b"x", 0) for _ in range(20_000))
    assert code_of(chain) == "TooManyMembers"
    assert code_of(_header(b"x", 10 * 1024 * 1024) + b"\0" * 10 * 1024 * 1024) == "Damaged"


def _header(kind: bytes, size: int, name: bytes = b"a", field: bytes | None = None) -> bytes:
    """A tar header with a right checksum, whatever it says."""
    head = bytearray(512)
    head[: len(name)] = name
    head[124:136] = field or b"%011o\0" % size
    head[156:157] = kind
    head[257:265] = b"ustar\x0000"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


@pytest.mark.parametrize(
    "field",
    [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"-0000000001\0", b"9999999999 \0", b"0x10\0\0\0\0\0\0\0\0"],
)
def test_a_size_that_is_none_is_refused(field: bytes) -> None:
    assert code_of(_header(b"0", 0, field=field) + b"\0" * 1024) in ("Damaged", "Truncated")


@pytest.mark.parametrize("record", [b"5 a=b", b"0 a=b\n", b"-6 a=b\n", b"999 path=x\n", b"xx", b"12 size=-512\n"])
def test_an_extended_header_of_any_form_is_no_traceback(record: bytes) -> None:
    data = _header(b"x", len(record)) + record.ljust(512, b"\0") + _header(b"0", 0) + b"\0" * 1024
    assert code_of(data) in ("Damaged", "NoImages")


def test_a_bomb_is_refused_by_what_it_expands_to_and_leaves_nothing_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_files.tempfile, "tempdir", str(tmp_path))
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 100_000
    assert code_of(bomb, Limits(expanded=10_000_000)) == "TooLarge"
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_in_a_layer_is_refused() -> None:
    layer = gzip.compress(b"\0" * 50_000_000)
    archive = docker_save([layer], "a:b", diff_ids=[sha256(LAYER)])
    assert code_of(archive, Limits(expanded=10_000_000)) == "TooLarge"


def test_a_stream_without_end_is_refused() -> None:
    class Endless(Pipe):
        def read(self, size: int = -1) -> bytes:
            return b"\0" * size

    assert refusal(lambda: read_archive(Endless(b""), limits=Limits(expanded=10_000_000))).code == "TooLarge"


def test_a_disk_that_would_be_full_is_refused() -> None:
    error = refusal(lambda: read(gzip.compress(layout("v1")), Limits(left_free=2**60)))
    assert error.code == "DiskFull"


def test_a_manifest_that_no_registry_takes_is_refused() -> None:
    assert code_of(layout("v1"), Limits(manifest=10)) == "TooLarge"
    assert code_of(layout("v1"), Limits(manifests=100)) == "TooLarge"


def test_indexes_in_indexes_end() -> None:
    made = Layout()
    at = made.image()
    for _ in range(10):
        at = made.index(at)
    assert code_of(made.named(at, "v1").tar()) == "TooDeep"


@pytest.mark.parametrize("data", [b"", b"hello", b"<html>" * 1000, bytes(range(256)) * 10])
def test_what_is_no_archive_is_said_to_be_none(data: bytes) -> None:
    assert code_of(data) == "NotAnArchive"


@pytest.mark.parametrize(("magic", "name"), [(b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"PK\3\4", "zip")])
def test_another_compression_is_named(magic: bytes, name: str) -> None:
    assert name in refusal(lambda: read(magic + b"\0" * 1000)).cause


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"etc/passwd": b"root"}, "NoImages"),
        ({"oci-layout": b"{}", "index.json": b'{"schemaVersion": 2, "manifests": []}'}, "NoImages"),
        ({"oci-layout": b"{}", "index.json": b"not json"}, "NotJson"),
        ({"oci-layout": b"{}", "index.json": b"[" * 100_000}, "NotJson"),
        ({"oci-layout": b"{}", "index.json": b'{"manifests": [{}]}'}, "NotAManifest"),
        ({"oci-layout": b"{}", "index.json": b'{"manifests": 7}'}, "NotAManifest"),
        ({"oci-layout": b"{}", "index.json": b"[]"}, "NotAManifest"),
    ],
)
def test_a_tar_without_an_image_says_so(members: dict[str, bytes], code: str) -> None:
    assert code_of(tar_of(members)) == code


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        ({"schemaVersion": 1}, "application/vnd.docker.distribution.manifest.v1+prettyjws", "Schema1"),
        ({"schemaVersion": 1}, OCI_MANIFEST, "Schema1"),
        ({"schemaVersion": 2}, "text/html", "Unsupported"),
        ({"schemaVersion": 2, "mediaType": OCI_INDEX}, OCI_MANIFEST, "NotAManifest"),
        ({"schemaVersion": 2, "config": {"digest": "sha256:1/../2"}}, OCI_MANIFEST, "NotAManifest"),
        ({"schemaVersion": 2, "config": {"digest": "sha512:" + "0" * 128}}, OCI_MANIFEST, "Unsupported"),
        ({"schemaVersion": 2, "layers": [7]}, OCI_MANIFEST, "NotAManifest"),
    ],
)
def test_a_manifest_that_can_not_be_pushed_says_why(body: object, media_type: str, code: str) -> None:
    made = Layout()
    top = made.manifest(body, media_type)  # type: ignore[arg-type]
    assert code_of(made.named(top, "v1").tar()) == code


@given(st.data())
def test_an_archive_cut_anywhere_is_refused_or_whole(data: st.DataObject) -> None:
    whole = _CUT if data.draw(st.booleans()) else _CUT_GZIP
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    try:
        found = content_of(cut)
    except ServiceError as error:
        assert error.code in ("Truncated", "NotAnArchive")
    else:
        assert bytes_of(found) == bytes_of(content_of(_CUT))


@given(st.data())
def test_an_archive_with_a_byte_changed_is_refused_or_gives_only_what_its_digests_prove(data: st.DataObject) -> None:
    broken = bytearray(_CUT)
    broken[data.draw(st.integers(0, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        images = read(bytes(broken))
        contents = [prepared(image) for image in images]
    except ServiceError as error:
        assert error.code
    else:
        for content in contents:
            assert all(sha256(found) == digest for digest, found in bytes_of(content).items())
            assert all(sha256(manifest.raw) == manifest.digest for manifest in content.manifests)


_CUT = layout("v1")
_CUT_GZIP = gzip.compress(_CUT, mtime=0)


def test_a_stop_ends_reading_and_preparing() -> None:
    stop = Event()
    stop.set()
    assert refusal(lambda: read_archive(io.BytesIO(gzip.compress(layout("v1"))), stop=stop)).code == "Stopped"
    for archive in (layout("v1"), docker_save([LAYER], "a:b")):
        (image,) = read(archive)
        assert refusal(lambda image=image: prepared(image, stop)).code == "Stopped"  # type: ignore[misc]


def test_progress_counts_every_byte() -> None:
    for archive in (layout("v1"), docker_save([LAYER, OTHER], "a:b")):
        (image,) = read(archive)
        seen: list[tuple[int, int]] = []
        image.prepare(lambda done, of, seen=seen: seen.append((done, of)), Event())  # type: ignore[misc]
        assert max(seen)[0] == seen[0][1] > 0


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert refusal(lambda: read_archive(tmp_path / "gone.tar")).code == "NotFound"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("docker.io/library/node:20", ("node", "20")),
        ("docker.io/contoso/app:v1", ("app", "v1")),
        ("casacloud/nodejstemplate:v1.0.0", ("nodejstemplate", "v1.0.0")),
        ("contosoacr.azurecr.io/team/app:v1", ("team/app", "v1")),
        ("localhost/app:v1", ("app", "v1")),
        ("localhost:5000/app", ("app", "")),
        ("app:v1", ("app", "v1")),
        ("team/app", ("app", "")),
        ("v1.0.0", ("", "v1.0.0")),
        ("team/app:v1@sha256:" + "0" * 64, ("app", "v1")),
        ("", ("", "")),
    ],
)
def test_the_last_part_of_a_local_name_is_proposed(name: str, expected: tuple[str, str]) -> None:
    assert propose_name(name) == expected
