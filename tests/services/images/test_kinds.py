"""Images of every kind that a registry may hold: old ones, artifacts, Windows, indexes in indexes."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.storage.manifest import SCHEMA_1, digest_of
from services.connection.answers import parse_json
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, says_gone
from services.connection.parallel import Partial
from services.deletion import cleanup_rules
from services.deletion.cleanup_rules import Rule, choose, is_older
from services.images.image_graph import read_content
from services.images.manifest_reading import read_manifest, read_referrers
from services.images.manifests import (
    LARGEST_CONTENT,
    ORAS_ARTIFACT,
    Kind,
    Manifest,
    parse_config,
    parse_manifest,
)
from services.images.platforms import DEEPEST, images_below, platforms_of, read_nested, read_platforms
from services.images.repositories import (
    Locks,
    ManifestRow,
    Repository,
    all_tags,
    find_manifest_row,
    manifest_rows,
)
from services.images.repository_contents import RepositoryContents, read_contents
from services.images.storage import registry_storage
from services.images.tagging import apply_tag, read_tag_plan
from tests.support.canned import Answer, CannedRegistry
from tests.support.documents import OCI_INDEX, OCI_MANIFEST, raw, tag
from tests.support.old_images import add_old, old_payload, signed
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

ANSWERS = Path(__file__).parent / "answers"
PULL = "repository:app:pull"
LINUX = {"os": "linux", "architecture": "amd64"}


def answer(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ANSWERS / f"{name}.json").read_text())
    return found


def serve(registry: CannedRegistry, reference: str, content: bytes, media_type: str, status: int = 200) -> None:
    path = path_of("/v2/app/manifests/{reference}", reference=reference)
    registry.serve("GET", path, PULL, Answer(status, content, {"Content-Type": media_type}))


# Schema 1

OLD = answer("schema1_signed_manifest")
OLD_TYPE = OLD["headers"]["Content-Type"]
OLD_DIGEST = OLD["headers"]["Docker-Content-Digest"]
OLD_RAW = OLD["body_text"].encode()


def test_the_digest_of_a_signed_manifest_leaves_the_signatures_out(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    serve(registry, OLD_DIGEST, OLD_RAW, OLD_TYPE)
    found = read_manifest(client, "app", OLD_DIGEST)
    assert (found.digest, found.kind, found.is_schema_1) == (OLD_DIGEST, Kind.IMAGE, True)
    assert [(layer.digest, layer.size) for layer in found.layers] == [(f"sha256:{'a' * 64}", None)]
    assert found.layer_bytes is None


@pytest.mark.parametrize("media_type", [SCHEMA_1, "application/json", ""])
def test_schema_1_is_known_by_what_it_is(media_type: str) -> None:
    payload = old_payload("sha256:top", "sha256:base")
    found = parse_manifest(signed(payload), media_type)
    assert found.is_schema_1
    assert found.digest == digest_of(payload)
    assert [layer.digest for layer in found.layers] == ["sha256:base", "sha256:top"]
    assert parse_manifest(payload, media_type).digest == digest_of(payload)


def test_a_registry_may_go_by_the_digest_of_the_bytes(registry: CannedRegistry, client: RegistryClient) -> None:
    digest = digest_of(OLD_RAW)
    serve(registry, digest, OLD_RAW, OLD_TYPE)
    assert read_manifest(client, "app", digest).digest == digest


PAYLOAD = old_payload("sha256:base")
EVIL = b'"fsLayers": [{"blobSum": "sha256:evil"}]'


@pytest.mark.parametrize(
    "changed",
    [
        signed(PAYLOAD).replace(b"sha256:base", b"sha256:evil"),
        PAYLOAD[:-2] + b"," + EVIL + b"\n}",
        signed(PAYLOAD)[:-2] + b"," + EVIL + b"\n}",
        signed(PAYLOAD).replace(b"\n}", b",", 1) + EVIL + b"\n}",
    ],
)
def test_changed_content_is_refused_or_not_read(
    registry: CannedRegistry, client: RegistryClient, changed: bytes
) -> None:
    digest = digest_of(PAYLOAD)
    serve(registry, digest, changed, SCHEMA_1)
    try:
        found = read_manifest(client, "app", digest)
    except ServiceError as error:
        assert error.code == "DigestMismatch"
    else:
        assert [layer.digest for layer in found.layers] == ["sha256:base"]


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, OCI_INDEX])
def test_signatures_are_part_of_any_other_manifest(
    registry: CannedRegistry, client: RegistryClient, media_type: str
) -> None:
    content = b'{\n   "schemaVersion": 2,\n   "layers": []\n}'
    serve(registry, digest_of(content), signed(content), media_type)
    with pytest.raises(ServiceError) as raised:
        read_manifest(client, "app", digest_of(content))
    assert raised.value.code == "DigestMismatch"


def test_a_repository_with_an_old_image_is_complete_and_its_layers_are_kept(own: OwnSandbox) -> None:
    other, _ = own.push("v2")
    layer = own.sandbox.store.blobs.put(REGISTRY, APP, b"layer")
    old = add_old(own, layer)
    read = read_contents(own.client, [APP], {})
    (contents,) = read.values
    assert contents.complete
    assert contents.manifests.keys() == {other, old}
    assert registry_storage(Partial(read.values)).complete


def test_an_old_image_can_be_tagged_anew_where_the_registry_takes_it(own: OwnSandbox) -> None:
    digest = add_old(own)
    plan = read_tag_plan(own.client, REGISTRY, APP, digest, "old")
    with pytest.raises(ServiceError) as raised:  # The sandbox takes none, as registries do today.
        apply_tag(own.client, plan)
    assert raised.value.code == "MANIFEST_INVALID"


# Artifact manifests, and what a registry gives only to who names it

ARTIFACT = answer("oci_artifact_manifest")
ARTIFACT_TYPE = ARTIFACT["headers"]["Content-Type"]


@pytest.mark.parametrize("media_type", [ARTIFACT_TYPE, ORAS_ARTIFACT])
def test_the_blobs_of_an_artifact_are_its_content(media_type: str) -> None:
    found = parse_manifest(raw({**ARTIFACT["body"], "mediaType": media_type})[0], media_type)
    assert (found.kind, found.artifact_type) == (Kind.ARTIFACT, "application/vnd.example.signature")
    assert [(layer.digest, layer.size) for layer in found.layers] == [(f"sha256:{'b' * 64}", 7654321)]
    assert found.subject == f"sha256:{'c' * 64}"


@pytest.mark.parametrize("media_type", [ARTIFACT_TYPE, ORAS_ARTIFACT])
def test_an_artifact_is_read_from_a_registry_that_wants_its_type_named(own: OwnSandbox, media_type: str) -> None:
    content = own.sandbox.store.blobs.put(REGISTRY, APP, b"signature")
    body = {"mediaType": media_type, "blobs": [{"mediaType": "x/y", "digest": content, "size": 9}]}
    digest = own.sandbox.store.add_manifest(REGISTRY, APP, raw(body)[0], media_type, own.sandbox.state.stamp())
    found = read_content(own.client, APP, digest, most=1)
    assert [blob.digest for blob in found.blobs] == [content]
    (contents,) = read_contents(own.client, [APP], {}).values
    assert contents.complete
    assert registry_storage(Partial((contents,))).total == 9 + len(raw(body)[0])


def test_what_the_registry_does_not_give_is_not_gone(registry: CannedRegistry, client: RegistryClient) -> None:
    refusal = answer("accept_refused_404")
    digest = f"sha256:{'d' * 64}"
    serve(registry, digest, json.dumps(refusal["body"]).encode(), "application/json", refusal["status"])
    with pytest.raises(ServiceError) as raised:
        read_manifest(client, "app", digest)
    assert not says_gone(raised.value)
    assert "may have been deleted" not in raised.value.remedy
    assert "accept header" in raised.value.cause
    path = path_of("/acr/v1/app/_manifests/{digest}", digest=digest)
    registry.serve("GET", path, "repository:app:metadata_read", Answer(404, refusal["body"]))
    with pytest.raises(ServiceError):
        find_manifest_row(client, "app", digest)


@pytest.mark.parametrize("at_tag", [Answer(404, answer("accept_refused_404")["body"]), Answer(404, b"<html>")])
def test_referrers_that_are_not_given_are_not_none(
    registry: CannedRegistry, client: RegistryClient, at_tag: Answer
) -> None:
    digest = f"sha256:{'e' * 64}"
    registry.serve("GET", path_of("/v2/app/referrers/{digest}", digest=digest), PULL, Answer(404))
    registry.serve("GET", path_of("/v2/app/manifests/{tag}", tag=digest.replace(":", "-")), PULL, at_tag)
    with pytest.raises(ServiceError):
        read_referrers(client, "app", digest)


# Windows, and odd configs

WINDOWS = answer("windows_index")
PLATFORMS = ["windows/amd64:10.0.17763.5329", "windows/amd64:10.0.20348.2227"]


def test_two_builds_of_windows_are_two_platforms() -> None:
    index = parse_manifest(raw(WINDOWS["body"])[0], OCI_INDEX)
    assert list(index.platforms) == PLATFORMS
    assert list(platforms_of(index.children)) == PLATFORMS
    config = {"os": "windows", "architecture": "amd64", "os.version": "10.0.20348.2227"}
    assert parse_config(config).platform == PLATFORMS[1]


def test_two_images_of_one_platform_are_told_apart_by_digest() -> None:
    children = [{"digest": f"sha256:{n * 64}", "mediaType": OCI_MANIFEST, "platform": LINUX} for n in "12"]
    index = parse_manifest(raw({"manifests": children})[0], OCI_INDEX)
    assert {label: image.digest for label, image in platforms_of(index.children).items()} == {
        f"linux/amd64 sha256:{n * 12}": f"sha256:{n * 64}" for n in "12"
    }


def test_an_entrypoint_may_be_a_text_and_half_a_character_is_replaced() -> None:
    config = parse_config(parse_json(json.dumps(answer("image_config_odd")["body"]).encode()))
    assert (config.entrypoint, config.cmd) == (("/bin/sh",), ("-c ls",))
    assert config.labels == (("a", "\ufffd"),)
    annotated = b'{"annotations": {"\\ud83d": "\\udc00x"}, "artifactType": "\\ud83d", "mediaType": "\\ud83d"}'
    found = parse_manifest(annotated, OCI_MANIFEST)
    assert found.annotations == (("\ufffd", "\ufffdx"),)
    for text in (found.artifact_type, found.media_type):
        text.encode()


@pytest.mark.parametrize("size", [-1, LARGEST_CONTENT + 1, "12", None, True, 1.5])
def test_a_size_that_is_none_is_not_known(size: object) -> None:
    layer = {"digest": f"sha256:{'a' * 64}", "size": size}
    found = parse_manifest(raw({"layers": [layer, {**layer, "size": 5}]})[0], OCI_MANIFEST)
    assert [one.size for one in found.layers] == [None, 5]
    assert found.layer_bytes is None


# Indexes in indexes


def nested(registry: CannedRegistry, depth: int, *, served: bool = True) -> Manifest:
    """An index of an index … of an image, `depth` indexes below the top."""
    entry: dict[str, Any] = {"digest": f"sha256:{'f' * 64}", "mediaType": OCI_MANIFEST, "size": 9, "platform": LINUX}
    for _ in range(depth):
        content, digest = raw({"mediaType": OCI_INDEX, "manifests": [entry]})
        if served:
            serve(registry, digest, content, OCI_INDEX)
        entry = {"digest": digest, "mediaType": OCI_INDEX, "size": len(content)}
    return parse_manifest(raw({"mediaType": OCI_INDEX, "manifests": [entry, entry]})[0], OCI_INDEX)


def test_an_index_in_an_index_has_platforms(registry: CannedRegistry, client: RegistryClient) -> None:
    assert list(read_platforms(client, "app", nested(registry, 2))) == ["linux/amd64"]
    assert len(registry.calls()) == 2


def test_an_index_that_cannot_be_read_stands_for_what_it_leads_to(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    top = nested(registry, 1, served=False)
    serve(registry, top.children[0].digest, b"{}", OCI_INDEX)
    read = read_nested(client, "app", [top])
    assert [refusal.error.code for refusal in read.refused] == ["DigestMismatch"]
    assert [image.kind for image in images_below(top, {})] == [Kind.INDEX]
    with pytest.raises(ServiceError):
        read_platforms(client, "app", top)


def test_indexes_that_go_on_and_on_are_not_followed(registry: CannedRegistry, client: RegistryClient) -> None:
    read = read_nested(client, "app", [nested(registry, DEEPEST + 3)])
    assert (len(read.values), read.untried) == (DEEPEST, 1)


def test_the_digest_is_of_the_bytes_whatever_the_kind() -> None:
    for body in (ARTIFACT["body"], WINDOWS["body"]):
        content, digest = raw(body)
        assert parse_manifest(content, "").digest == digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


# Lists without times


def test_manifests_without_times_do_not_end_the_list_and_are_protected_from_rules(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    listed = Answer(200, answer("manifest_list_without_times")["body"])
    registry.serve("GET", "/acr/v1/app/_manifests", "repository:app:metadata_read", listed)
    rows = manifest_rows(client, "app").values
    assert [(row.digest[7], row.created, row.updated) for row in rows[:2]] == [("1", None, None), ("2", None, None)]
    assert rows[2].updated == datetime(2024, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    now = datetime(9999, 1, 1, tzinfo=UTC)
    assert [is_older(row, now) for row in rows] == [False, False, True]


def test_a_tag_without_times_is_listed_and_protected_from_rules(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    timeless = {**tag("a"), "createdTime": None, "lastUpdateTime": "0001-01-01T00:00:00Z"}
    registry.serve(
        "GET", "/acr/v1/app/_tags", "repository:app:metadata_read", Answer(200, {"tags": [timeless, tag("b")]})
    )
    tags = all_tags(client, "app").values
    assert [(one.name, one.updated is None) for one in tags] == [("a", True), ("b", False)]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    contents = RepositoryContents(Repository("r", "app", at, at, 0, 2, Locks()), tags, (), {})
    rule = Rule("*", timedelta(0), "", 0, leftovers=False)
    assert [one.name for one in choose(contents, rule, datetime(9999, 1, 1, tzinfo=UTC)).tags] == ["b"]


def test_an_index_is_not_of_the_platform_of_a_part_of_it() -> None:
    inner = parse_manifest(raw(WINDOWS["body"])[0], OCI_INDEX)
    children = [
        {"digest": inner.digest, "mediaType": OCI_INDEX},
        {"digest": f"sha256:{'a' * 64}", "mediaType": OCI_MANIFEST, "platform": LINUX},
    ]
    top = parse_manifest(raw({"mediaType": OCI_INDEX, "manifests": children})[0], OCI_INDEX)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = tuple(ManifestRow(one.digest, OCI_INDEX, "", "", 1, at, at, "", "", (), Locks()) for one in (top, inner))
    contents = RepositoryContents(Repository("r", "app", at, at, 2, 0, Locks()), (), rows, {top.digest: top})
    assert cleanup_rules.platforms_of(contents) == {}
    contents = replace(contents, manifests={top.digest: top, inner.digest: inner})
    assert cleanup_rules.platforms_of(contents)[top.digest] == {"linux/amd64", *PLATFORMS}
