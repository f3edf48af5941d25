"""skopeo against the sandbox: push, pull, list, inspect, delete, and its ways to sign in."""

import base64
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.registry.auth import TOKEN_USER
from sandbox.server import Sandbox
from services.child_resources.passwords import apply_password, plan_password
from services.child_resources.scope_maps import Grant, Right, list_scope_maps
from services.child_resources.token_creation import apply_token, plan_token
from services.child_resources.tokens import apply_token_status, get_token, plan_token_status
from services.connection.session import connect_sandbox
from services.images.repositories import get_tag
from services.registries.reading import get_registry
from services.transfer.download import plan_archive, stream
from tests.support.azure_clients import token

pytestmark = pytest.mark.client

SKOPEO = shutil.which("skopeo")
OCI = "application/vnd.oci.image"
REPOSITORY = "team/payments/api"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    if SKOPEO is None:
        pytest.skip("skopeo is not installed")
    with Sandbox.start(tmp_path_factory.mktemp("skopeo"), seed="walkthrough") as sandbox:
        document = sandbox.store.find_resource(REGISTRY_TYPE, "casaacr01")
        document["properties"]["adminUserEnabled"] = True
        sandbox.store.put_resource(document)
        yield sandbox


@pytest.fixture(scope="module")
def certificates(running, tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    shutil.copy(running.ready["ca_file"], directory / "ca.crt")
    return directory


class Skopeo:
    """skopeo on one registry; who signs in is `creds`, or what the auth file holds when that is None."""

    def __init__(self, sandbox, certificates, auth_file):
        self.server = sandbox.ready["registries"]["casaacr01"]
        self.auth_file = auth_file
        self._certificates = certificates
        self._console = creds_of(sandbox.ready)

    def image(self, name):
        return f"docker://{self.server}/{name}"

    def __call__(self, command, name, *options, creds="", check=True):
        return self._run([command, *self._side("", creds), *options, self.image(name)], check)

    def push(self, layout, name, *options, creds="", check=True):
        return self._run(["copy", *self._side("dest-", creds), *options, f"oci:{layout}:v1", self.image(name)], check)

    def pull(self, name, layout, *options):
        return self._run(["copy", *self._side("src-", ""), *options, self.image(name), f"oci:{layout}:v1"], True)

    def copy(self, source, target):
        sides = [*self._side("src-", ""), *self._side("dest-", "")]
        return self._run(["copy", *sides, self.image(source), self.image(target)], True)

    def push_archive(self, file, target, *options, name=":v1"):
        sides = [*self._side("dest-", ""), *options, f"oci-archive:{file}{name}", self.image(target)]
        return self._run(["copy", *sides], True)

    def inspect_archive(self, file, *options):
        return self._run(["inspect", *options, f"oci-archive:{file}:v1"], True).stdout

    def tags(self, name, **more):
        return json.loads(self("list-tags", name, **more).stdout)["Tags"]

    def _side(self, side, creds):
        login = [] if creds is None else [f"--{side}creds={creds or self._console}"]
        return [f"--{side}cert-dir={self._certificates}", *login]

    def _run(self, arguments, check):
        command, *rest = arguments
        whole = [SKOPEO, "--insecure-policy", command, f"--authfile={self.auth_file}", *rest]
        done = subprocess.run(whole, capture_output=True, text=True, timeout=60, check=False)
        if check:
            assert done.returncode == 0, done.stderr
        return done


def creds_of(ready, who="client"):
    return f"{ready[f'{who}_id']}:{ready[f'{who}_secret']}"


@pytest.fixture
def skopeo(running, certificates, tmp_path):
    return Skopeo(running, certificates, tmp_path / "auth.json")


@pytest.fixture
def layout(tmp_path):
    """An OCI layout with one index of two platforms; answers its directory and the index's bytes."""
    directory = tmp_path / "layout"
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def add(data, media_type, **more):
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data), **more}

    children = []
    for architecture in ("amd64", "arm64"):
        layer = tar(f"hello from {architecture}".encode())
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Labels": {"team": "payments"}},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": add(json.dumps(config).encode(), f"{OCI}.config.v1+json"),
            "layers": [add(gzip.compress(layer, mtime=0), f"{OCI}.layer.v1.tar+gzip")],
        }
        platform = {"architecture": architecture, "os": "linux"}
        children.append(add(json.dumps(manifest).encode(), f"{OCI}.manifest.v1+json", platform=platform))
    index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": children}
    body = json.dumps(index, separators=(",", ":")).encode()  # as skopeo writes it: it never keeps an index's spaces
    top = add(body, f"{OCI}.index.v1+json", annotations={"org.opencontainers.image.ref.name": "v1"})
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
    return directory, body


def tar(content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def blobs_of(directory):
    return {path.name: path.read_bytes() for path in (Path(directory) / "blobs" / "sha256").iterdir()}


def test_an_index_comes_back_byte_for_byte(skopeo, layout, tmp_path):
    directory, body = layout
    skopeo.push(directory, f"{REPOSITORY}:v1", "--all")
    assert skopeo("inspect", f"{REPOSITORY}:v1", "--raw").stdout.encode() == body
    skopeo.pull(f"{REPOSITORY}:v1", tmp_path / "back", "--all")
    assert blobs_of(tmp_path / "back") == blobs_of(directory)


@pytest.mark.parametrize("platform", ["", "linux/arm64"])
def test_skopeo_reads_the_console_s_archive_and_brings_it_back(skopeo, layout, running, tmp_path, platform):
    directory, body = layout
    skopeo.push(directory, "archived:v1", "--all")
    client = connect_sandbox(running.ready).registry(skopeo.server)
    archive = plan_archive(client, "archived", get_tag(client, "archived", "v1").digest, tag="v1", platform=platform)
    file = tmp_path / archive.file_name
    with file.open("wb") as target:
        target.writelines(stream(client, archive))
    assert file.stat().st_size == archive.size
    shown = json.loads(skopeo.inspect_archive(file, "--raw"))
    children = json.loads(body)["manifests"]
    assert [child["digest"] for child in shown.get("manifests", ())] == (
        [] if platform else [child["digest"] for child in children]
    )
    skopeo.push_archive(file, "restored:v1", "--all")
    restored = get_tag(client, "restored", "v1").digest
    assert restored == archive.digest == (children[1]["digest"] if platform else digest_of(body))
    unpacked = tmp_path / "unpacked"
    with tarfile.open(file) as tar:
        tar.extractall(unpacked, filter="data")
    if not platform:
        assert blobs_of(unpacked) == blobs_of(directory)


def test_docker_s_own_formats_come_back_from_an_archive(skopeo, layout, running, tmp_path):
    skopeo.push(layout[0], "dockers:v1", "--format=v2s2")
    client = connect_sandbox(running.ready).registry(skopeo.server)
    digest = get_tag(client, "dockers", "v1").digest
    file = tmp_path / "dockers.tar"
    with file.open("wb") as target:
        target.writelines(stream(client, plan_archive(client, "dockers", digest, tag="v1")))
    # By a name skopeo finds OCI's media types alone; the only image of an archive needs none.
    skopeo.push_archive(file, "dockers:back", name="")
    assert get_tag(client, "dockers", "back").digest == digest


def test_tags_are_listed_and_an_image_is_inspected_and_deleted(skopeo, layout):
    directory, _ = layout
    skopeo.push(directory, "short/lived:v1")
    skopeo.push(directory, "short/lived:v2", "--format=v2s2")
    assert skopeo.tags("short/lived") == ["v1", "v2"]
    shown = json.loads(skopeo("inspect", "short/lived:v2").stdout)
    assert (shown["Architecture"], shown["Labels"]) == ("amd64", {"team": "payments"})
    skopeo("delete", "short/lived:v2")
    assert skopeo.tags("short/lived") == ["v1"]
    assert skopeo("delete", "short/lived:v2", check=False).returncode != 0


def test_layers_are_mounted_when_an_image_goes_to_another_repository(skopeo, layout, running):
    skopeo.push(layout[0], "first:v1")
    running.clear_requests()
    skopeo.copy("first:v1", "second:v1")
    assert skopeo.tags("second") == ["v1"]
    layer = [r for r in running.requests if r.method == "PATCH" and "/second/" in r.path]
    assert len(layer) == 1, "the config goes up, the layer is mounted"


@pytest.mark.parametrize("number", [0, 1])
def test_the_admin_account_signs_in_with_either_password(skopeo, running, number):
    document = running.store.find_resource(REGISTRY_TYPE, "casaacr01")
    password = document["_sandbox"]["adminPasswords"][number]
    assert skopeo.tags("nodejstemplate", creds=f"casaacr01:{password}") == ["v1.0.0"]


def test_a_refresh_token_is_a_password(skopeo, running):
    assert skopeo.tags("nodejstemplate", creds=f"{TOKEN_USER}:{refresh_token(running)}") == ["v1.0.0"]


def test_an_identity_token_in_the_auth_file_is_enough(skopeo, running):
    """What `az acr login` and `docker login` leave behind."""
    entry = {"auth": base64.b64encode(f"{TOKEN_USER}:".encode()).decode(), "identitytoken": refresh_token(running)}
    skopeo.auth_file.write_text(json.dumps({"auths": {skopeo.server: entry}}))
    assert skopeo.tags("nodejstemplate", creds=None) == ["v1.0.0"]


@pytest.mark.parametrize("who", ["wrong", "nobody"])
def test_a_wrong_secret_and_nobody_are_refused(skopeo, running, who):
    creds = f"{running.ready['client_id']}:wrong" if who == "wrong" else None
    refused = skopeo("list-tags", "nodejstemplate", creds=creds, check=False)
    assert refused.returncode != 0
    assert "authentication required" in refused.stderr


def test_a_reader_pulls_but_may_not_push(skopeo, layout, running):
    reader = creds_of(running.ready, "reader_client")
    skopeo("inspect", "nodejstemplate:v1.0.0", "--raw", creds=reader)
    assert skopeo.push(layout[0], "not/allowed:v1", creds=reader, check=False).returncode != 0
    assert "not/allowed" not in running.store.list_repositories("casaacr01")


def test_a_token_of_the_console_s_pulls_its_repository_until_it_is_disabled(skopeo, layout, running):
    skopeo.push(layout[0], "device/app:v1")
    session = connect_sandbox(running.ready)
    registry = get_registry(session, running.store.find_resource(REGISTRY_TYPE, "casaacr01")["id"])
    rights = (Right.PULL, Right.READ_METADATA)
    plan = plan_token(
        registry, (), list_scope_maps(session, registry).values, "plantdevice", (Grant("device/app", rights),)
    )
    assert apply_token(session, plan) == "created"
    token = get_token(session, registry, "plantdevice")
    password = apply_password(session, plan_password(registry, token, "password1", 1, datetime.now(UTC)))
    creds = f"plantdevice:{password.value}"
    assert skopeo.tags("device/app", creds=creds) == ["v1"]
    assert json.loads(skopeo("inspect", "device/app:v1", creds=creds).stdout)["Architecture"] == "amd64"
    assert skopeo("inspect", "nodejstemplate:v1.0.0", creds=creds, check=False).returncode != 0
    assert skopeo.push(layout[0], "device/app:v2", creds=creds, check=False).returncode != 0
    there = get_token(session, registry, "plantdevice")
    apply_token_status(session, plan_token_status(registry, there, enabled=False))
    refused = skopeo("inspect", "device/app:v1", creds=creds, check=False)
    assert refused.returncode != 0
    assert "authentication required" in refused.stderr
    assert skopeo.tags("device/app") == ["v1"]


def refresh_token(sandbox):
    ready = sandbox.ready
    server = ready["registries"]["casaacr01"]
    aad = token(ready, scope=f"{ready['registry_audience']}/.default")
    form = {"grant_type": "access_token", "service": server, "access_token": aad}
    answer = requests.post(f"https://{server}/oauth2/exchange", form, verify=ready["ca_file"], timeout=10)
    return answer.json()["refresh_token"]
