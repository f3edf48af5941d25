"""/v2: pushing, pulling, deleting and referring, by the SDK and by plain requests."""

import hashlib
import io
import json
import random

import pytest
from azure.containerregistry import DigestValidationError
from azure.core.exceptions import ResourceNotFoundError

from sandbox.storage.manifest import DOCKER_MANIFEST, OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST, ORAS_ARTIFACT
from tests.support.registry_clients import CONFIG, digest_of, sdk

NOTHING = "sha256:" + "0" * 64


def error(answer):
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.fixture
def noise():
    """Nine megabytes: three chunks of the SDK."""
    return random.Random(7).randbytes(9_000_000)


def test_the_sdk_uploads_in_chunks_and_downloads_with_ranges(sandbox, noise):
    with sdk(sandbox.ready) as client:
        digest, size = client.upload_blob("big/blob", io.BytesIO(noise))
        assert (digest, size) == (digest_of(noise), len(noise))
        found = hashlib.sha256()
        for chunk in client.download_blob("big/blob", digest):
            found.update(chunk)
        assert f"sha256:{found.hexdigest()}" == digest
        manifest = {
            "schemaVersion": 2,
            "config": {"mediaType": CONFIG, "digest": digest, "sizeInBytes": 3},
            "layers": [],
        }
        reference = client.set_manifest("big/blob", manifest, tag="v1")
        assert client.get_manifest("big/blob", "v1").digest == reference
        assert client.get_manifest("big/blob", reference).manifest == manifest
    chunks = [r for r in sandbox.requests if r.method == "PATCH" and r.status == 202]
    assert len(chunks) == 3


def test_a_blob_is_read_whole_in_part_and_by_head(registry):
    digest = registry.push_blob("app", b"0123456789")
    path = f"/v2/app/blobs/{digest}"
    whole = registry("GET", path)
    part = registry("GET", path, headers={"Range": "bytes=2-4"})
    head = registry("HEAD", path)
    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, "10", b"")
    assert {answer.headers["Docker-Content-Digest"] for answer in (whole, part, head)} == {digest}


def test_an_upload_goes_on_where_it_stopped(registry):
    location = registry("POST", "/v2/app/blobs/uploads/").headers["Location"]
    assert location.startswith("/v2/app/blobs/uploads/")
    sent = registry("PATCH", location, headers={"Content-Range": "0-2"}, data=b"abc")
    assert (sent.status_code, sent.headers["Range"]) == (202, "0-2")
    again = registry("PATCH", location, headers={"Content-Range": "0-2"}, data=b"abc")
    assert (again.status_code, again.headers["Range"]) == (416, "0-2")
    state = registry("GET", location)
    assert (state.status_code, state.headers["Range"]) == (204, "0-2")
    done = registry("PUT", state.headers["Location"], params={"digest": digest_of(b"abcdef")}, data=b"def")
    assert (done.status_code, done.headers["Docker-Content-Digest"]) == (201, digest_of(b"abcdef"))
    assert registry("GET", location).status_code == 404


def test_an_upload_with_another_digest_is_refused_and_leaves_nothing(registry):
    location = registry("POST", "/v2/app/blobs/uploads/").headers["Location"]
    assert error(registry("PUT", location, params={"digest": NOTHING}, data=b"abc")) == (400, "DIGEST_INVALID")
    assert registry("HEAD", f"/v2/app/blobs/{digest_of(b'abc')}").status_code == 404


def test_an_upload_can_be_cancelled_and_one_request_is_enough_for_another(registry):
    location = registry("POST", "/v2/app/blobs/uploads/").headers["Location"]
    assert registry("DELETE", location).status_code == 204
    assert error(registry("PATCH", location, data=b"abc")) == (404, "BLOB_UPLOAD_UNKNOWN")
    digest = digest_of(b"all at once")
    whole = registry("POST", "/v2/app/blobs/uploads/", params={"digest": digest}, data=b"all at once")
    assert whole.status_code == 201
    assert registry("GET", f"/v2/app/blobs/{digest}").content == b"all at once"


def test_a_blob_belongs_to_a_repository_until_it_is_mounted_into_another(registry):
    digest = registry.push_blob("app", b"shared")
    assert registry("HEAD", f"/v2/other/blobs/{digest}").status_code == 404
    token = registry.access_token("repository:other:pull,push", "repository:app:pull")
    query = {"mount": digest, "from": "app"}
    mounted = registry.send(
        "POST", "/v2/other/blobs/uploads/", params=query, headers={"Authorization": f"Bearer {token}"}
    )
    assert mounted.status_code == 201
    assert registry("GET", f"/v2/other/blobs/{digest}").content == b"shared"


def test_mounting_what_may_not_be_pulled_starts_an_upload(registry):
    digest = registry.push_blob("app", b"shared")
    answer = registry("POST", "/v2/other/blobs/uploads/", params={"mount": digest, "from": "app"})
    assert answer.status_code == 202
    assert registry("HEAD", f"/v2/other/blobs/{digest}").status_code == 404


def test_a_manifest_comes_back_byte_for_byte_with_what_clients_need(registry):
    digest = registry.push_image("app", "v1")
    body = registry("GET", f"/v2/app/manifests/{digest}").content
    spaced = json.dumps(json.loads(body), indent=7).encode()
    pushed = registry.put_manifest("app", "v2", spaced)
    answer = registry("GET", "/v2/app/manifests/v2")
    assert pushed.headers["Location"] == f"/v2/app/manifests/{digest_of(spaced)}"
    assert answer.content == spaced
    assert answer.headers["Content-Type"] == OCI_MANIFEST
    assert answer.headers["Content-Length"] == str(len(spaced))
    assert answer.headers["Docker-Content-Digest"] == digest_of(spaced)
    head = registry("HEAD", "/v2/app/manifests/v2")
    assert (head.headers["Content-Length"], head.content) == (str(len(spaced)), b"")


def test_an_image_has_the_platform_of_its_config_and_the_size_of_its_parts(registry):
    digest = registry.push_image("app", "v1", architecture="arm64")
    shown = registry("GET", f"/acr/v1/app/_manifests/{digest}").json()["manifest"]
    body = registry("GET", f"/v2/app/manifests/{digest}").content
    parts = [json.loads(body)["config"], *json.loads(body)["layers"]]
    assert (shown["architecture"], shown["os"], shown["configMediaType"]) == ("arm64", "linux", CONFIG)
    assert shown["imageSize"] == len(body) + sum(part["size"] for part in parts)


@pytest.mark.parametrize("media_type", [OCI_ARTIFACT, ORAS_ARTIFACT])
def test_an_artifact_manifest_has_its_blobs_and_comes_to_who_names_its_type(registry, media_type):
    subject = registry.push_image("app", "v1")
    blob = registry.push_blob("app", b"signature")
    document = {
        "mediaType": media_type,
        "artifactType": "application/vnd.example.signature",
        "blobs": [{"mediaType": "application/jose+json", "digest": blob, "size": 9}],
        "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
    }
    pushed = registry.put_manifest("app", None, document, media_type)
    digest = pushed.headers["Docker-Content-Digest"]
    assert (pushed.status_code, pushed.headers["OCI-Subject"]) == (201, subject)
    path = f"/v2/app/manifests/{digest}"
    assert registry("GET", path, headers={"Accept": media_type}).json() == document
    assert error(registry("GET", path, headers={"Accept": f"{OCI_MANIFEST}, */*"})) == (404, "MANIFEST_UNKNOWN")
    shown = registry("GET", f"/acr/v1/app/_manifests/{digest}").json()["manifest"]
    assert shown["imageSize"] == len(json.dumps(document)) + 9
    missing = {**document, "blobs": [{"digest": digest_of(b"nothing"), "size": 7}]}
    assert error(registry.put_manifest("app", None, missing, media_type)) == (400, "MANIFEST_BLOB_UNKNOWN")


@pytest.mark.parametrize("accept", ["*/*", "application/json", DOCKER_MANIFEST])
def test_who_does_not_name_oci_in_accept_is_given_no_oci(registry, accept):
    registry.push_image("app", "v1")
    answer = registry("GET", "/v2/app/manifests/v1", headers={"Accept": accept})
    assert error(answer) == (404, "MANIFEST_UNKNOWN")
    assert "accept header does not support OCI manifests" in answer.text
    assert registry("GET", "/v2/app/manifests/v1", headers={"Accept": f"a/b, {OCI_MANIFEST};q=0.5"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        (b"not json", OCI_MANIFEST, "MANIFEST_INVALID"),
        (b"[]", OCI_MANIFEST, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2}', OCI_MANIFEST, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2, "manifests": [{}]}', OCI_INDEX, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2, "manifests": []}', "application/json", "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2, "mediaType": "a/b", "manifests": []}', OCI_INDEX, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2, "config": {"digest": "%s"}, "layers": []}', DOCKER_MANIFEST, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2, "config": {"digest": "%s"}, "layers": []}', OCI_MANIFEST, "MANIFEST_BLOB_UNKNOWN"),
        (b'{"schemaVersion": 2, "manifests": [{"digest": "%s"}]}', OCI_INDEX, "MANIFEST_BLOB_UNKNOWN"),
    ],
)
def test_a_manifest_that_is_wrong_or_incomplete_is_refused(registry, body, media_type, code):
    answer = registry.put_manifest("app", "v1", body.replace(b"%s", NOTHING.encode()), media_type)
    assert error(answer) == (400, code)
    assert registry("GET", "/acr/v1/app").status_code == 404


def test_a_manifest_must_have_the_digest_it_is_put_under_and_a_tag_a_name_that_is_allowed(registry):
    digest = registry.push_image("app", "v1")
    body = registry("GET", f"/v2/app/manifests/{digest}").content
    assert error(registry.put_manifest("app", NOTHING, body)) == (400, "DIGEST_INVALID")
    assert error(registry.put_manifest("app", "-no", body)) == (400, "TAG_INVALID")
    assert error(registry.put_manifest("App", "v1", body)) == (400, "NAME_INVALID")


def test_a_push_moves_a_tag_and_leaves_the_old_manifest_untagged(registry):
    old = registry.push_image("app", "latest", text="old")
    new = registry.push_image("app", "latest", text="new")
    shown = {m["digest"]: m.get("tags") for m in registry("GET", "/acr/v1/app/_manifests").json()["manifests"]}
    tag = registry("GET", "/acr/v1/app/_tags/latest").json()["tag"]
    assert shown == {old: None, new: ["latest"]}
    assert tag["digest"] == new
    assert tag["lastUpdateTime"] > tag["createdTime"]


def test_deleting_a_manifest_takes_all_its_tags_and_what_refers_to_it(registry):
    image = registry.push_image("app", "v1")
    registry.put_manifest("app", "stable", registry("GET", "/v2/app/manifests/v1").content)
    signature = registry.push_image("app", text="signature", subject=image)
    registry.push_image("app", text="signature of the signature", subject=signature)
    kept = registry.push_image("app", "v2", text="two")
    assert registry("DELETE", f"/v2/app/manifests/{image}").status_code == 202
    shown = registry("GET", "/acr/v1/app/_manifests").json()["manifests"]
    assert [(item["digest"], item["tags"]) for item in shown] == [(kept, ["v2"])]
    assert registry("GET", "/v2/app/tags/list").json() == {"name": "app", "tags": ["v2"]}
    assert error(registry("DELETE", f"/v2/app/manifests/{image}")) == (404, "MANIFEST_UNKNOWN")


def test_a_repository_goes_with_its_last_manifest(registry):
    digest = registry.push_image("app", "v1")
    registry("DELETE", f"/v2/app/manifests/{digest}")
    assert registry("GET", "/v2/_catalog").json() == {"repositories": ["nodejstemplate"]}


def test_deleting_an_index_leaves_its_children_and_the_other_way_round(registry):
    children = {name: registry.push_image("app", text=name, architecture=name) for name in ("amd64", "arm64")}
    index = registry.push_index("app", "v1", children)
    assert registry("DELETE", f"/v2/app/manifests/{children['arm64']}").status_code == 202
    assert registry("DELETE", f"/v2/app/manifests/{index}").status_code == 202
    left = registry("GET", "/acr/v1/app/_manifests").json()["manifests"]
    assert [item["digest"] for item in left] == [children["amd64"]]


def test_layers_are_counted_and_kept_once_until_the_last_image_that_needs_them_goes(registry, sandbox):
    before = sandbox.store.blobs.stored_bytes("casaacr01")
    one = registry.push_image("app", "v1")
    alone = sandbox.store.blobs.stored_bytes("casaacr01") - before
    registry.push_image("team/copy", "v1")
    layer = registry("GET", "/v2/app/manifests/v1").json()["layers"][0]["digest"]
    # The manifest is content like any other: the same in both, and kept once.
    assert sandbox.store.blobs.stored_bytes("casaacr01") - before == alone
    registry("DELETE", "/acr/v1/app/_tags/v1")
    assert sandbox.store.blobs.stored_bytes("casaacr01") - before == alone
    registry("DELETE", f"/v2/app/manifests/{one}")
    assert registry("HEAD", f"/v2/app/blobs/{layer}").status_code == 404
    assert registry("GET", f"/v2/team/copy/blobs/{layer}").status_code == 200
    registry("DELETE", "/acr/v1/team/copy")
    assert sandbox.store.blobs.stored_bytes("casaacr01") == before
    assert not sandbox.store.blobs.files.path(layer).exists()


def test_an_image_is_not_taken_apart_by_what_another_push_has_not_finished(registry):
    """A blob that waits for its manifest survives when a repository that shares it goes."""
    registry.push_image("old", "v1", text="same")
    digest = registry.push_blob("new", b"layer of same")
    registry("DELETE", "/acr/v1/old")
    assert registry("GET", f"/v2/new/blobs/{digest}").content == b"layer of same"


def test_referrers_list_what_has_the_subject_and_can_be_filtered(registry):
    image = registry.push_image("app", "v1")
    signature = registry.push_image("app", text="signature", subject=image)
    answer = registry("GET", f"/v2/app/referrers/{image}")
    (found,) = answer.json()["manifests"]
    assert answer.headers["Content-Type"] == OCI_INDEX
    assert (found["digest"], found["artifactType"]) == (signature, "application/vnd.example.signature")
    body = registry("GET", f"/v2/app/manifests/{signature}").content
    assert found["size"] == len(body)
    other = registry("GET", f"/v2/app/referrers/{image}", params={"artifactType": "application/other"})
    assert (other.json()["manifests"], other.headers["OCI-Filters-Applied"]) == ([], "artifactType")


def test_locks_on_reading_and_writing_are_kept(registry):
    digest = registry.push_image("app", "v1")
    body = registry("GET", "/v2/app/manifests/v1").content
    registry("PATCH", "/acr/v1/app/_tags/v1", json={"writeEnabled": False})
    assert registry.put_manifest("app", "v1", body).status_code == 405
    assert registry.put_manifest("app", "v2", body).status_code == 201
    registry("PATCH", f"/acr/v1/app/_manifests/{digest}", json={"readEnabled": False, "deleteEnabled": False})
    assert error(registry("GET", "/v2/app/manifests/v1")) == (405, "REGISTRY_DISALLOWED_OPERATION")
    assert registry("DELETE", f"/v2/app/manifests/{digest}").status_code == 405
    registry("PATCH", "/acr/v1/app", json={"writeEnabled": False})
    assert registry("POST", "/v2/app/blobs/uploads/").status_code == 405


def test_the_lock_of_a_tag_does_not_protect_its_manifest(registry):
    digest = registry.push_image("app", "v1")
    registry("PATCH", "/acr/v1/app/_tags/v1", json={"deleteEnabled": False})
    assert registry("DELETE", f"/v2/app/manifests/{digest}").status_code == 202


def test_a_layer_may_be_a_descriptor_only_and_its_image_can_be_tagged_anew(registry, sandbox):
    index = json.loads(registry("GET", "/v2/nodejstemplate/manifests/v1.0.0").content)
    child = next(item for item in index["manifests"] if item["platform"]["architecture"] == "amd64")
    body = registry("GET", f"/v2/nodejstemplate/manifests/{child['digest']}").content
    image = json.loads(body)
    config = registry("GET", f"/v2/nodejstemplate/blobs/{image['config']['digest']}")
    assert config.json()["history"]
    path = f"/v2/nodejstemplate/blobs/{image['layers'][0]['digest']}"
    assert registry("GET", path).status_code == 200
    sandbox.store.blobs.delete("casaacr01", image["layers"][0]["digest"])
    answer = registry("GET", path)
    assert error(answer) == (404, "BLOB_UNKNOWN")
    assert "keeps the layers of a few seeded images only" in answer.text
    assert registry.put_manifest("nodejstemplate", "amd64", body).status_code == 201


def test_tags_can_be_neither_deleted_by_name_nor_manifests_found_by_a_wrong_one(registry, sandbox):
    assert error(registry("DELETE", "/v2/nodejstemplate/manifests/v1.0.0")) == (405, "UNSUPPORTED")
    assert error(registry("GET", "/v2/nodejstemplate/manifests/none")) == (404, "MANIFEST_UNKNOWN")
    with sdk(sandbox.ready) as client, pytest.raises(ResourceNotFoundError):
        client.get_manifest("nodejstemplate", "none")


def test_a_blob_can_be_deleted(registry, sandbox):
    digest = registry.push_blob("app", b"going")
    with sdk(sandbox.ready) as client:
        client.delete_blob("app", digest)
        client.delete_blob("app", digest)
        with pytest.raises((ResourceNotFoundError, DigestValidationError)):
            list(client.download_blob("app", digest))
    assert error(registry("DELETE", f"/v2/app/blobs/{digest}")) == (404, "BLOB_UNKNOWN")


def test_tags_of_v2_are_paged(registry):
    digest = registry.push_image("team/app", "a")
    body = registry("GET", f"/v2/team/app/manifests/{digest}").content
    for name in ("b", "c"):
        registry.put_manifest("team/app", name, body)
    first = registry("GET", "/v2/team/app/tags/list", params={"n": 2})
    second = registry("GET", first.links["next"]["url"])
    assert (first.json()["tags"], second.json()["tags"]) == (["a", "b"], ["c"])


def test_methods_and_paths_that_are_not_there(registry):
    assert error(registry.send("POST", "/acr/v1/_catalog")) == (405, "UNSUPPORTED")
    assert registry.send("GET", "/v1/").status_code == 404
