"""Soft delete as az 2.91 asks for it: what is kept, until when, who may see and restore it, and what is refused."""

from datetime import timedelta

import pytest

from sandbox.documents.registry_rules import REGISTRY_TYPE

REPOSITORY = "team/app"


@pytest.fixture
def kept(sandbox, registry):
    """The registry, with the policy on for 7 days."""
    document = sandbox.store.find_resource(REGISTRY_TYPE, "casaacr01")
    document["properties"]["policies"]["softDeletePolicy"] = {"status": "enabled", "retentionDays": 7}
    sandbox.store.put_resource(document)
    return registry


def deleted(registry, what, repository=REPOSITORY):
    answer = registry("GET", f"/acr/v1/_deleted/{repository}/_{what}")
    assert answer.status_code == 200, answer.text
    return answer.json()[what]


def restore(registry, digest, tag=None, *, force=False, repository=REPOSITORY):
    path = f"/acr/v1/_deleted/{repository}/_manifests/{digest}"
    return registry("POST", path, params={"force": str(force)}, json={"tag": tag})


def manifest(registry, reference, repository=REPOSITORY):
    return registry("GET", f"/v2/{repository}/manifests/{reference}")


def test_a_deleted_image_comes_back_byte_equal_with_its_layers(kept):
    digest = kept.push_image(REPOSITORY, "v1")
    before = manifest(kept, digest)
    layer = before.json()["layers"][0]["digest"]
    assert kept("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}").status_code == 202
    assert manifest(kept, digest).status_code == 404
    (repository,) = kept("GET", "/acr/v1/_deleted/_catalog").json()["repositories"]
    assert repository["repository"] == REPOSITORY
    assert [one["digest"] for one in deleted(kept, "manifests")] == [digest]
    assert [(one["tag"], one["digest"]) for one in deleted(kept, "tags")] == [("v1", digest)]
    answer = restore(kept, digest, "v1")
    assert (answer.status_code, answer.json()) == (200, {"digest": digest, "tag": "v1"})
    assert manifest(kept, "v1").content == before.content
    assert kept("GET", f"/v2/{REPOSITORY}/blobs/{layer}").content == b"layer of one"
    assert not deleted(kept, "manifests") and not deleted(kept, "tags")
    assert not kept("GET", "/acr/v1/_deleted/_catalog").json()["repositories"]


def test_while_the_policy_is_off_nothing_is_kept(registry):
    digest = registry.push_image(REPOSITORY, "v1")
    registry("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}")
    assert not deleted(registry, "manifests") and restore(registry, digest).status_code == 404


def test_an_index_is_restored_without_its_platforms(kept):
    child = kept.push_image(REPOSITORY)
    index = kept.push_index(REPOSITORY, "v1", {"amd64": child})
    kept("DELETE", f"/acr/v1/{REPOSITORY}")
    assert restore(kept, index, "v1").status_code == 200
    assert manifest(kept, "v1").status_code == 200 and manifest(kept, child).status_code == 404
    assert restore(kept, child).json() == {"digest": child, "tag": None}
    assert manifest(kept, child).status_code == 200


def test_what_refers_to_an_image_is_restored_after_it_only(kept):
    subject = kept.push_image(REPOSITORY, "v1")
    signature = kept.push_image(REPOSITORY, text="signature", subject=subject)
    kept("DELETE", f"/v2/{REPOSITORY}/manifests/{subject}")
    assert {one["digest"] for one in deleted(kept, "manifests")} == {subject, signature}
    assert restore(kept, signature).status_code == 409
    assert restore(kept, subject, "v1").status_code == 200 and restore(kept, signature).status_code == 200


def test_a_tag_that_exists_is_moved_by_force_only_and_is_then_deleted_itself(kept):
    old = kept.push_image(REPOSITORY, "v1", text="old")
    kept("DELETE", f"/acr/v1/{REPOSITORY}/_tags/v1")
    new = kept.push_image(REPOSITORY, "v1", text="new")
    assert restore(kept, old, "v1").status_code == 409
    assert restore(kept, old, "v1", force=True).status_code == 200
    assert manifest(kept, "v1").headers["Docker-Content-Digest"] == old
    assert [(one["tag"], one["digest"]) for one in deleted(kept, "tags")] == [("v1", new)]


def test_a_push_of_what_is_deleted_is_refused(kept):
    digest = kept.push_image(REPOSITORY, "v1")
    body = manifest(kept, digest).content
    kept("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}")
    assert kept.put_manifest(REPOSITORY, "v1", body).status_code in (400, 409)


def test_it_expires_by_the_days_that_the_policy_has_now(kept, sandbox):
    digest = kept.push_image(REPOSITORY, "v1")
    before = sandbox.store.blobs.stored_bytes("casaacr01")
    kept("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}")
    assert sandbox.store.blobs.stored_bytes("casaacr01") == before
    clock = sandbox.state.clock
    sandbox.state.clock = lambda: clock() + timedelta(days=6)
    assert deleted(kept, "manifests")
    document = sandbox.store.find_resource(REGISTRY_TYPE, "casaacr01")
    document["properties"]["policies"]["softDeletePolicy"] = {"status": "disabled", "retentionDays": 5}
    sandbox.store.put_resource(document)
    assert not deleted(kept, "manifests") and not deleted(kept, "tags")
    assert sandbox.store.blobs.stored_bytes("casaacr01") < before
    assert restore(kept, digest, "v1").status_code == 404


def test_lists_come_in_pages(kept):
    digests = [kept.push_image(REPOSITORY, f"v{number}", text=str(number)) for number in range(5)]
    for digest in digests:
        kept("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}")
    first = kept("GET", f"/acr/v1/_deleted/{REPOSITORY}/_manifests", params={"n": 2})
    second = kept("GET", first.links["next"]["url"])
    third = kept("GET", second.links["next"]["url"])
    assert "next" not in third.links
    found = [one["digest"] for page in (first, second, third) for one in page.json()["manifests"]]
    assert found == digests


@pytest.mark.parametrize("scope", ["repository:team/app:metadata_read", "repository:team/app:deleted_read"])
def test_a_token_without_the_scope_is_refused(kept, scope):
    digest = kept.push_image(REPOSITORY, "v1")
    kept("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}")
    held = {"Authorization": f"Bearer {kept.access_token(scope)}"}
    refused = kept.send("POST", f"/acr/v1/_deleted/{REPOSITORY}/_manifests/{digest}", headers=held, json={"tag": "v1"})
    assert refused.status_code == 401
    assert f'scope="repository:{REPOSITORY}:deleted_read,deleted_restore"' in refused.headers["WWW-Authenticate"]
    seen = kept.send("GET", f"/acr/v1/_deleted/{REPOSITORY}/_manifests", headers=held)
    assert seen.status_code == (200 if "deleted_read" in scope else 401)
