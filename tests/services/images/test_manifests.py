"""Manifests and configs as their own bytes say, whatever those bytes are."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError
from services.images.manifest_reading import LARGEST_CONFIG, read_config, read_manifest, read_referrers
from services.images.manifests import (
    Descriptor,
    HistoryStep,
    ImageConfig,
    Kind,
    Manifest,
    attached_to,
    parse_config,
    parse_manifest,
    parse_time,
)
from tests.support.canned import Answer, CannedRegistry
from tests.support.documents import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    digest_of,
    raw,
)
from tests.support.strategies import json_values

PULL = "repository:app:pull"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
IMAGE = {
    "schemaVersion": 2,
    "mediaType": OCI_MANIFEST,
    "config": {"mediaType": OCI_CONFIG, "digest": digest_of(1), "size": 100},
    "layers": [
        {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest_of(2), "size": 1000},
        {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest_of(3), "size": 2000},
    ],
}
ATTESTATION = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest_of(11)}
INDEX = {
    "schemaVersion": 2,
    "mediaType": OCI_INDEX,
    "manifests": [
        {
            "digest": digest_of(11),
            "mediaType": OCI_MANIFEST,
            "size": 1,
            "platform": {"os": "linux", "architecture": "amd64"},
        },
        {
            "digest": digest_of(12),
            "mediaType": OCI_MANIFEST,
            "size": 1,
            "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
        },
        {
            "digest": digest_of(13),
            "mediaType": OCI_MANIFEST,
            "size": 1,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": ATTESTATION,
        },
    ],
}


def serve(registry: CannedRegistry, reference: str, content: bytes, media_type: str = OCI_MANIFEST) -> None:
    path = path_of("/v2/app/manifests/{reference}", reference=reference)
    registry.serve("GET", path, PULL, Answer(200, content, {"Content-Type": media_type}))


@pytest.mark.parametrize("by_tag", [True, False])
def test_a_manifest_is_read_as_its_own_bytes(registry: CannedRegistry, client: RegistryClient, by_tag: bool) -> None:
    content, digest = raw(IMAGE)
    reference = "v1" if by_tag else digest
    serve(registry, reference, content)
    manifest = read_manifest(client, "app", reference)
    assert (manifest.digest, manifest.size, manifest.kind) == (digest, len(content), Kind.IMAGE)
    assert manifest.config == Descriptor(digest_of(1), OCI_CONFIG, 100)
    assert manifest.layer_bytes == 3000
    (sent,) = registry.calls()
    for media_type in (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST):
        assert media_type in sent.headers["Accept"]


def test_other_bytes_than_asked_for_are_refused(registry: CannedRegistry, client: RegistryClient) -> None:
    content, digest = raw(IMAGE)
    serve(registry, digest, content.replace(b"2000", b"2001"))
    with pytest.raises(ServiceError) as raised:
        read_manifest(client, "app", digest)
    assert raised.value.code == "DigestMismatch"
    assert digest in raised.value.title


def test_a_manifest_that_is_gone(registry: CannedRegistry, client: RegistryClient) -> None:
    body = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
    registry.serve("GET", "/v2/app/manifests/v1", PULL, Answer(404, body))
    with pytest.raises(ServiceError, match="Could not read the manifest app:v1") as raised:
        read_manifest(client, "app", "v1")
    assert raised.value.code == "MANIFEST_UNKNOWN"


def parsed(body: Any, media_type: str = "") -> Manifest:
    return parse_manifest(raw(body)[0], media_type)


def test_an_index_and_its_platforms() -> None:
    manifest = parsed(INDEX)
    assert manifest.kind is Kind.INDEX
    assert manifest.platforms == ("linux/amd64", "linux/arm64/v8")
    assert [child.attests for child in manifest.children] == ["", "", digest_of(11)]
    assert manifest.children[2].platform == ""
    assert (manifest.config, manifest.layers) == (None, ())


@pytest.mark.parametrize(
    ("body", "media_type", "kind"),
    [
        (IMAGE, "", Kind.IMAGE),
        (
            {**IMAGE, "mediaType": DOCKER_MANIFEST, "config": {**IMAGE["config"], "mediaType": DOCKER_CONFIG}},
            "",
            Kind.IMAGE,
        ),
        ({k: v for k, v in IMAGE.items() if k != "mediaType"}, OCI_MANIFEST, Kind.IMAGE),
        ({k: v for k, v in INDEX.items() if k != "mediaType"}, f"{OCI_INDEX}; charset=utf-8", Kind.INDEX),
        ({**INDEX, "mediaType": DOCKER_LIST}, "", Kind.INDEX),
        ({**IMAGE, "subject": {"digest": digest_of(9), "mediaType": OCI_MANIFEST, "size": 1}}, "", Kind.ARTIFACT),
        (
            {**IMAGE, "config": {**IMAGE["config"], "mediaType": "application/vnd.cncf.helm.config.v1+json"}},
            "",
            Kind.ARTIFACT,
        ),
        ({"mediaType": OCI_MANIFEST}, "", Kind.ARTIFACT),
    ],
)
def test_what_a_manifest_is(body: dict[str, Any], media_type: str, kind: Kind) -> None:
    assert parsed(body, media_type).kind is kind


def test_an_artifact_names_its_type_and_its_subject() -> None:
    subject = {"digest": digest_of(9), "mediaType": OCI_MANIFEST, "size": 1}
    signature = {**IMAGE, "subject": subject, "artifactType": "application/vnd.cncf.notary.signature"}
    manifest = parsed({**signature, "annotations": {"b": 2, "a": "<b>x</b>"}})
    assert (manifest.subject, manifest.artifact_type) == (digest_of(9), "application/vnd.cncf.notary.signature")
    assert manifest.annotations == (("a", "<b>x</b>"), ("b", "2"))
    chart = {**IMAGE, "config": {**IMAGE["config"], "mediaType": "application/vnd.cncf.helm.config.v1+json"}}
    assert parsed(chart).artifact_type == "application/vnd.cncf.helm.config.v1+json"


DEEP = b"[" * 5000
descriptors = st.lists(
    st.fixed_dictionaries({"digest": st.text(max_size=12) | json_values}, optional={"size": json_values})
)
members = st.fixed_dictionaries(
    {},
    optional={
        "mediaType": json_values | st.sampled_from([OCI_INDEX, OCI_MANIFEST, DOCKER_LIST]),
        "config": json_values | st.just(IMAGE["config"]),
        "layers": json_values | st.just(IMAGE["layers"]) | descriptors,
        "manifests": json_values | st.just(INDEX["manifests"]) | descriptors,
        "subject": json_values | st.just({"digest": digest_of(9)}),
        "artifactType": json_values,
        "annotations": json_values | st.just(ATTESTATION),
    },
)


@given(
    st.binary(max_size=100)
    | json_values.map(lambda value: json.dumps(value).encode())
    | members.map(lambda value: json.dumps(value).encode()),
    st.text(max_size=20) | st.sampled_from([OCI_INDEX, OCI_MANIFEST]),
)
@example(DEEP, OCI_MANIFEST)
@example(b'{"layers": [{"digest": "sha256:0", "size": Infinity}]}', OCI_MANIFEST)
@example(b'{"layers": [{"digest": "sha256:0", "size": 1e999}]}', OCI_MANIFEST)
@example(b'{"layers": [{"digest": "sha256:0", "size": NaN}]}', OCI_MANIFEST)
@example(b'{"manifests": [{"digest": "sha256:0", "size": "x"}]}', OCI_INDEX)
@example(b'{"manifests": [{"digest": "../../other/_manifests/x"}]}', OCI_INDEX)
@example(b'{"manifests": [{"digest": ".."}]}', OCI_INDEX)
@example(b'{"manifests": [{"digest": "sha256:\\ud800"}]}', OCI_INDEX)
@example(b'{"mediaType": {"a": 1}}', OCI_INDEX)
@example(b"\xef\xbb\xbf{}", OCI_INDEX)
@example(b"", "")
def test_any_bytes_are_a_manifest_or_a_service_error(content: bytes, media_type: str) -> None:
    try:
        manifest = parse_manifest(content, media_type, "T")
    except ServiceError as error:
        assert (error.title, error.code) == ("T", "NotAManifest")
        return
    if not manifest.is_schema_1:
        assert manifest.digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert isinstance(manifest.media_type, str)
    for descriptor in (*manifest.children, *manifest.layers, *([manifest.config] if manifest.config else [])):
        assert descriptor.size is None or isinstance(descriptor.size, int)
        # Digests become paths: nothing that names another path is one.
        assert re.fullmatch("[a-z0-9+._-]+:[A-Za-z0-9=_-]+", descriptor.digest)


HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("tag", "digest"),
    [
        (f"sha256-{HEX}", f"sha256:{HEX}"),
        (f"sha256-{HEX}.sig", f"sha256:{HEX}"),
        (f"sha256-{HEX}.att", f"sha256:{HEX}"),
        (f"sha256-{HEX}.sbom", f"sha256:{HEX}"),
        (f"sha256-{HEX[:-1]}", ""),
        (f"sha256-{HEX}0", ""),
        (f"sha256-{HEX.upper()}", ""),
        (f"sha256-{HEX}-v1", ""),
        ("v1.0.0", ""),
        ("", ""),
    ],
)
def test_tags_of_the_referrers_schema_are_nobodys_own(tag: str, digest: str) -> None:
    assert attached_to(tag) == digest


SIGNATURE = {
    "digest": digest_of(21),
    "mediaType": OCI_MANIFEST,
    "size": 700,
    "artifactType": "application/vnd.cncf.notary.signature",
    "annotations": {"org.opencontainers.image.created": "2026-01-01T00:00:00Z"},
}


def test_referrers(registry: CannedRegistry, client: RegistryClient) -> None:
    path = path_of("/v2/app/referrers/{digest}", digest=digest_of(9))
    registry.serve("GET", path, PULL, Answer(200, {"mediaType": OCI_INDEX, "manifests": [SIGNATURE]}))
    (found,) = read_referrers(client, "app", digest_of(9))
    assert (found.digest, found.artifact_type, found.size) == (digest_of(21), SIGNATURE["artifactType"], 700)
    assert found.annotation("org.opencontainers.image.created") == "2026-01-01T00:00:00Z"
    assert found.annotation("nothing") == ""


def test_no_referrers(registry: CannedRegistry, client: RegistryClient) -> None:
    path = path_of("/v2/app/referrers/{digest}", digest=digest_of(9))
    registry.serve("GET", path, PULL, Answer(200, {"manifests": []}))
    assert read_referrers(client, "app", digest_of(9)) == ()


def test_a_registry_without_the_referrers_api_has_them_at_a_tag(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    path = path_of("/v2/app/referrers/{digest}", digest=digest_of(9))
    registry.serve("GET", path, PULL, Answer(404, b"404 page not found"))
    serve(registry, digest_of(9).replace(":", "-"), raw({"manifests": [SIGNATURE]})[0], OCI_INDEX)
    assert [found.digest for found in read_referrers(client, "app", digest_of(9))] == [digest_of(21)]


def test_neither_the_referrers_api_nor_the_tag_is_none(registry: CannedRegistry, client: RegistryClient) -> None:
    missing = Answer(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "M"}]})
    registry.serve("GET", path_of("/v2/app/referrers/{digest}", digest=digest_of(9)), PULL, missing)
    registry.serve("GET", f"/v2/app/manifests/{digest_of(9).replace(':', '-')}", PULL, missing)
    assert read_referrers(client, "app", digest_of(9)) == ()


@pytest.mark.parametrize("content", [b"<html>", b"null", b"[]", b'{"manifests": [{}]}', b'{"manifests": 7}', DEEP])
@pytest.mark.parametrize("at_tag", [False, True])
def test_referrers_that_cannot_be_read_are_a_service_error(
    registry: CannedRegistry, client: RegistryClient, content: bytes, at_tag: bool
) -> None:
    path = path_of("/v2/app/referrers/{digest}", digest=digest_of(9))
    registry.serve("GET", path, PULL, Answer(404) if at_tag else Answer(200, content))
    serve(registry, digest_of(9).replace(":", "-"), content, OCI_INDEX)
    with pytest.raises(ServiceError):
        read_referrers(client, "app", digest_of(9))


def test_throttled_referrers_are_no_empty_list(registry: CannedRegistry, client: RegistryClient) -> None:
    path = path_of("/v2/app/referrers/{digest}", digest=digest_of(9))
    registry.serve("GET", path, PULL, Answer(429, {}, {"Retry-After": "600"}))
    with pytest.raises(ServiceError) as raised:
        read_referrers(client, "app", digest_of(9))
    assert raised.value.status == 429


CONFIG = {
    "created": "2026-01-01T00:00:00Z",
    "os": "linux",
    "architecture": "arm64",
    "variant": "v8",
    "config": {
        "User": "1000",
        "WorkingDir": "/app",
        "Env": ["PATH=/bin:/usr/bin", "OPTIONS=a=b", "EMPTY"],
        "Entrypoint": ["node"],
        "Cmd": ["server.js", "--port=80"],
        "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
        "Labels": {"org.opencontainers.image.source": "https://example.com/contoso", "a": "<script>"},
    },
    "history": [
        {"created": "2026-01-01T00:00:00Z", "created_by": "COPY . /app", "comment": "buildkit"},
        {"created_by": "CMD node", "empty_layer": True},
        {},
    ],
}


def serve_config(registry: CannedRegistry, content: bytes, digest: str | None = None) -> Manifest:
    """An image with that config."""
    digest = digest or "sha256:" + hashlib.sha256(content).hexdigest()
    headers = {"Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}", "Content-Length": str(len(content))}
    path = path_of("/v2/app/blobs/{digest}", digest=digest)
    registry.serve("GET", path, PULL, Answer(206, content, headers))
    return parsed({**IMAGE, "config": {"mediaType": OCI_CONFIG, "digest": digest, "size": len(content)}})


def test_a_config(registry: CannedRegistry, client: RegistryClient) -> None:
    manifest = serve_config(registry, raw(CONFIG)[0])
    assert read_config(client, "app", manifest) == ImageConfig(
        created="2026-01-01T00:00:00Z",
        platform="linux/arm64/v8",
        user="1000",
        entrypoint=("node",),
        cmd=("server.js", "--port=80"),
        working_dir="/app",
        env=(("PATH", "/bin:/usr/bin"), ("OPTIONS", "a=b"), ("EMPTY", "")),
        ports=("443/tcp", "80/tcp"),
        labels=(("a", "<script>"), ("org.opencontainers.image.source", "https://example.com/contoso")),
        history=(
            HistoryStep("2026-01-01T00:00:00Z", "COPY . /app", "buildkit", False),
            HistoryStep("", "CMD node", "", True),
            HistoryStep("", "", "", False),
        ),
    )


def test_an_empty_config_is_one() -> None:
    assert parse_config({}) == ImageConfig()


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        b'{"config": []}x',
        b'{"history": 7}',
        b'{"history": [1]}',
        b'{"config": {"Labels": [1]}}',
        DEEP,
    ],
)
def test_a_config_that_cannot_be_read_is_a_service_error(
    registry: CannedRegistry, client: RegistryClient, content: bytes
) -> None:
    manifest = serve_config(registry, content)
    with pytest.raises(ServiceError):
        read_config(client, "app", manifest)


def test_a_config_with_other_bytes_is_a_service_error(registry: CannedRegistry, client: RegistryClient) -> None:
    manifest = serve_config(registry, raw(CONFIG)[0], digest_of(77))
    with pytest.raises(ServiceError) as raised:
        read_config(client, "app", manifest)
    assert "digest" in raised.value.cause.lower()


def test_a_config_larger_than_its_manifest_says_is_not_read_whole(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    total = 4 * LARGEST_CONFIG
    manifest = serve_config(registry, b"{}")
    headers = {"Content-Range": f"bytes 0-{LARGEST_CONFIG - 1}/{total}", "Content-Length": str(LARGEST_CONFIG)}
    blob = Answer(206, b" " * LARGEST_CONFIG, headers)
    registry.serve("GET", path_of("/v2/app/blobs/{d}", d=manifest.config.digest), PULL, blob)
    with pytest.raises(ServiceError):
        read_config(client, "app", manifest)
    assert len(registry.calls()) == 2


def test_a_config_without_a_range_is_a_service_error(registry: CannedRegistry, client: RegistryClient) -> None:
    manifest = serve_config(registry, b"{}")
    registry.serve("GET", path_of("/v2/app/blobs/{d}", d=manifest.config.digest), PULL, Answer(200, b"{}"))
    with pytest.raises(ServiceError):
        read_config(client, "app", manifest)


def test_a_blob_that_is_missing(registry: CannedRegistry, client: RegistryClient) -> None:
    manifest = serve_config(registry, b"{}")
    missing = Answer(404, {"errors": [{"code": "BLOB_UNKNOWN", "message": "blob unknown to registry"}]})
    registry.serve("GET", path_of("/v2/app/blobs/{d}", d=manifest.config.digest), PULL, missing)
    with pytest.raises(ServiceError) as raised:
        read_config(client, "app", manifest)
    assert (raised.value.code, raised.value.status) == ("BLOB_UNKNOWN", 404)


@pytest.mark.parametrize("config", [None, {**IMAGE["config"], "size": LARGEST_CONFIG + 1}])
def test_no_config_or_one_of_megabytes_is_not_fetched(
    registry: CannedRegistry, client: RegistryClient, config: dict[str, Any] | None
) -> None:
    with pytest.raises(ServiceError) as raised:
        read_config(client, "app", parsed({**IMAGE, "config": config}))
    assert raised.value.code == "NoConfig"
    assert registry.sent == []


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.123456789Z", datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("0000-00-00T00:00:00Z", None),
    ],
)
def test_an_images_own_time(text: str, time: datetime | None) -> None:
    assert parse_time(text) == time
