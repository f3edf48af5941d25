"""skopeo writes the archive, the console pushes it, skopeo reads it back: byte-equal."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from sandbox.server import Sandbox
from services.connection.data_plane import RegistryClient
from services.connection.session import connect_sandbox
from services.database.engine import open_database
from services.jobs.jobs import begin
from services.transfer.archives import read_archive
from services.transfer.push import apply_push, read_push_plan
from services.transfer.push_jobs import ACTION, as_details, as_items, list_archives, run_push
from tests.support.dying import Process
from tests.support.image_archives import Layout, config_of
from tests.support.killed_jobs import LEASE, WHO, found, killed, lost, no_report, ran

pytestmark = pytest.mark.client

SKOPEO = shutil.which("skopeo")
REPOSITORY, TAG = "team/pushed", "v1"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    if SKOPEO is None:
        pytest.skip("skopeo is not installed")
    with Sandbox.start(tmp_path_factory.mktemp("push"), seed="walkthrough") as running:
        yield running


@pytest.fixture(scope="module")
def server(sandbox: Sandbox) -> str:
    return str(sandbox.ready["registries"]["casaacr01"])


@pytest.fixture(scope="module")
def client(sandbox: Sandbox, server: str) -> RegistryClient:
    return connect_sandbox(sandbox.ready).registry(server)


@pytest.fixture
def at_registry(sandbox: Sandbox, tmp_path: Path) -> list[str]:
    """skopeo's options for reading from the registry."""
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    shutil.copy(sandbox.ready["ca_file"], certificates / "ca.crt")
    ready = sandbox.ready
    return [f"cert-dir={certificates}", f"creds={ready['client_id']}:{ready['client_secret']}"]


def skopeo(*words: str) -> bytes:
    assert SKOPEO
    done = subprocess.run([SKOPEO, "--insecure-policy", *words], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def raw(image: str, options: list[str]) -> bytes:
    """The manifest as it is in the registry."""
    return skopeo("inspect", "--raw", *(f"--{option}" for option in options), image)


def pulled(image: str, options: list[str], folder: Path) -> dict[str, bytes]:
    """Every blob and manifest of an image, all platforms of it, by digest."""
    skopeo("copy", "--all", *(f"--src-{option}" for option in options), image, f"oci:{folder}:{TAG}")
    return {f"sha256:{file.name}": file.read_bytes() for file in (folder / "blobs" / "sha256").iterdir()}


def write_layout(made: Layout, folder: Path) -> str:
    for name, data in made.members.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": made.top}))
    return f"oci:{folder}:{TAG}"


def pushed(client: RegistryClient, archive: Path, repository: str) -> str:
    """The digest that the console pushed."""
    (image,) = read_archive(archive).images
    content = image.prepare(lambda _done, _of: None, Event())
    return apply_push(client, content, read_push_plan(client, content, repository, TAG)).tag.digest


def zipped(archive: Path) -> Path:
    packed = archive.with_name(archive.name + ".gz")
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    return packed


Form = Callable[[Layout], dict[str, Any]]
FORMS: dict[str, Form] = {
    "image": lambda made: made.image(layers=3),
    "index": lambda made: made.platforms("amd64", "arm64", "s390x"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("form", FORMS)
def test_an_oci_archive_of_skopeo_comes_back_byte_equal(
    form: str, packed: bool, client: RegistryClient, server: str, at_registry: list[str], tmp_path: Path
) -> None:
    made = Layout()
    source = write_layout(made.named(FORMS[form](made), TAG), tmp_path / "layout")
    archive = tmp_path / "image.tar"
    skopeo("copy", "--all", source, f"oci-archive:{archive}:{TAG}")
    repository = f"{REPOSITORY}/{form}/{packed}".lower()
    digest = pushed(client, zipped(archive) if packed else archive, repository)
    image = f"docker://{server}/{repository}:{TAG}"
    # What skopeo put into its archive, read out of it by skopeo.
    skopeo("copy", "--all", f"oci-archive:{archive}", f"oci:{tmp_path / 'expected'}:{TAG}")
    expected = {
        f"sha256:{file.name}": file.read_bytes() for file in (tmp_path / "expected" / "blobs" / "sha256").iterdir()
    }
    top = raw(image, at_registry)
    assert "sha256:" + hashlib.sha256(top).hexdigest() == digest
    assert expected[digest] == top
    assert pulled(image, at_registry, tmp_path / "back") == expected


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
def test_a_docker_archive_of_skopeo_comes_back_with_the_same_config_and_layers(
    packed: bool, client: RegistryClient, server: str, at_registry: list[str], tmp_path: Path
) -> None:
    made = Layout()
    source = write_layout(made.named(made.image(layers=3), TAG), tmp_path / "layout")
    archive = tmp_path / "image.tar"
    skopeo("copy", source, f"docker-archive:{archive}:contoso/app:{TAG}")
    repository = f"{REPOSITORY}/docker/{packed}".lower()
    digest = pushed(client, zipped(archive) if packed else archive, repository)
    image = f"docker://{server}/{repository}:{TAG}"
    top = raw(image, at_registry)
    assert "sha256:" + hashlib.sha256(top).hexdigest() == digest
    body = json.loads(top)
    folder = tmp_path / "back"
    # As it is: in the docker form, which oci: would turn into another.
    skopeo("copy", *(f"--src-{option}" for option in at_registry), image, f"dir:{folder}")
    assert (folder / "manifest.json").read_bytes() == top
    config = (folder / body["config"]["digest"][7:]).read_bytes()
    plain = [gzip.decompress((folder / layer["digest"][7:]).read_bytes()) for layer in body["layers"]]
    assert ["sha256:" + hashlib.sha256(one).hexdigest() for one in plain] == json.loads(config)["rootfs"]["diff_ids"]
    original = {hashlib.sha256(data).hexdigest(): data for data in made.members.values()}
    assert original[body["config"]["digest"][7:]] == config
    assert plain == [
        gzip.decompress(original[layer["digest"][7:]])
        for layer in json.loads(original[made.top[0]["digest"][7:]])["layers"]
    ]
    # And skopeo makes an archive of it again, with the same layers in it.
    skopeo("copy", *(f"--src-{option}" for option in at_registry), image, f"docker-archive:{tmp_path / 'again.tar'}")
    (again,) = read_archive(tmp_path / "again.tar").images
    assert again.key == body["config"]["digest"]


def test_a_large_image_comes_back_byte_equal(
    client: RegistryClient, server: str, at_registry: list[str], tmp_path: Path
) -> None:
    made = Layout()
    # Of several chunks each, which do not end where a chunk does.
    layers = [os.urandom(20_000_001 + number) for number in range(3)]
    body = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": made.blob(config_of(*layers), "application/vnd.oci.image.config.v1+json"),
        "layers": [made.blob(layer, "application/vnd.oci.image.layer.v1.tar") for layer in layers],
    }
    made.named(made.manifest(body, "application/vnd.oci.image.manifest.v1+json"), TAG)
    archive = tmp_path / "image.tar"
    archive.write_bytes(made.tar())
    digest = pushed(client, archive, f"{REPOSITORY}/large")
    image = f"docker://{server}/{REPOSITORY}/large:{TAG}"
    folder = tmp_path / "back"
    # As it is: on the way into oci: skopeo compresses what is not.
    skopeo("copy", *(f"--src-{option}" for option in at_registry), image, f"dir:{folder}")
    assert "sha256:" + hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() == digest
    for name in (one["digest"][7:] for one in (body["config"], *body["layers"])):
        assert (folder / name).read_bytes() == made.members[f"blobs/sha256/{name}"]


@pytest.mark.parametrize("requests", [6, 20, 33])
def test_a_push_that_another_process_continued_comes_back_byte_equal(
    requests: int, sandbox: Sandbox, server: str, at_registry: list[str], tmp_path: Path
) -> None:
    """Its first process is killed after so many requests: early, in the middle, before the tag."""
    made = Layout()
    source = write_layout(made.named(made.platforms("amd64", "arm64"), TAG), tmp_path / "layout")
    folder = tmp_path / "archives"
    folder.mkdir()
    skopeo("copy", "--all", source, f"oci-archive:{folder / 'image.tar'}:{TAG}")
    skopeo("copy", "--all", f"oci-archive:{folder / 'image.tar'}", f"oci:{tmp_path / 'expected'}:{TAG}")
    expected = {
        f"sha256:{file.name}": file.read_bytes() for file in (tmp_path / "expected" / "blobs" / "sha256").iterdir()
    }
    url = f"sqlite:///{tmp_path / 'console.db'}"
    (archive,) = list_archives(folder)
    repository = f"{REPOSITORY}/continued{requests}"
    process = Process(sandbox, url, requests=requests, answered=True)
    (image,) = read_archive(folder / archive.name).images
    content = image.prepare(lambda _done, _of: None, Event())
    session = connect_sandbox(sandbox.ready)
    plan = read_push_plan(session.registry(server), content, repository, TAG)
    details = as_details(content, plan, image.key, archive)
    database = open_database(url)
    job = begin(database, WHO, ACTION, server, repository, as_items(content, plan), details, LEASE)
    assert killed(
        process,
        job,
        lambda session, job, running: run_push(session, job, running, no_report, content=content, plan=plan),
    )
    assert found(database, job).open
    ended = ran(
        database,
        session,
        lost(database, job),
        lambda session, job, running: run_push(session, job, running, no_report, folder=folder),
    )
    assert not ended.open
    database.dispose()
    pushed_image = f"docker://{server}/{repository}:{TAG}"
    top = raw(pushed_image, at_registry)
    assert expected[f"sha256:{hashlib.sha256(top).hexdigest()}"] == top
    assert pulled(pushed_image, at_registry, tmp_path / "back") == expected
