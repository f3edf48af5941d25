"""/acr/v1 as the SDK and plain requests see it: lists and their pages, attributes, locks, deleting."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.support.registry_clients import sdk

REPOSITORY = "/acr/v1/nodejstemplate"
DISALLOWED = "REGISTRY_DISALLOWED_OPERATION"


def code(answer):
    return answer.json()["errors"][0]["code"]


def test_the_sdk_reads_repository_manifests_and_tags(sandbox):
    with sdk(sandbox.ready) as client:
        properties = client.get_repository_properties("nodejstemplate")
        manifests = list(client.list_manifest_properties("nodejstemplate"))
        tags = [tag.name for tag in client.list_tag_properties("nodejstemplate")]
    assert (properties.manifest_count, properties.tag_count) == (3, 1)
    assert properties.last_updated_on > properties.created_on
    assert tags == ["v1.0.0"]
    assert sorted((m.tags or [], m.architecture) for m in manifests if m.tags or m.architecture == "amd64") == [
        ([], "amd64"),
        (["v1.0.0"], None),
    ]


def test_the_json_of_a_repository_is_acr_s(registry):
    assert registry("GET", REPOSITORY).json() == {
        "registry": registry.server,
        "imageName": "nodejstemplate",
        "createdTime": "2025-04-09T14:59:48.7546763Z",
        "lastUpdateTime": "2025-04-09T14:59:50.3720327Z",
        "manifestCount": 3,
        "tagCount": 1,
        "changeableAttributes": {
            "deleteEnabled": True,
            "writeEnabled": True,
            "readEnabled": True,
            "listEnabled": True,
            "teleportEnabled": False,
        },
    }


def test_what_an_index_refers_to_shows_on_it_alone_and_children_have_no_tags_key(registry):
    manifests = registry("GET", f"{REPOSITORY}/_manifests").json()["manifests"]
    index = next(item for item in manifests if "tags" in item)
    alone = registry("GET", f"{REPOSITORY}/_manifests/{index['digest']}").json()["manifest"]
    assert sum("tags" in item for item in manifests) == 1
    assert not any("references" in item for item in manifests)
    assert {child["digest"] for child in alone["references"]} == {m["digest"] for m in manifests if m is not index}
    assert {(child["architecture"], child["os"]) for child in alone["references"]} == {
        ("amd64", "linux"),
        ("unknown", "unknown"),
    }


@pytest.mark.parametrize("repository", ["team/app", "team%2Fapp"])
def test_a_name_with_a_slash_is_found_with_and_without_encoding(registry, repository):
    registry.push_image("team/app", "v1")
    assert registry("GET", f"/acr/v1/{repository}").json()["imageName"] == "team/app"
    assert registry("GET", f"/acr/v1/{repository}/_tags/v1").json()["tag"]["name"] == "v1"


def test_pages_follow_relative_encoded_links_to_the_end(registry):
    for name in ("team/b", "team/a", "zoo"):
        registry.push_image(name, "v1")
    first = registry("GET", "/acr/v1/_catalog", params={"n": 3})
    assert first.json() == {"repositories": ["nodejstemplate", "team/a", "team/b"]}
    assert first.headers["Link"] == '</acr/v1/_catalog?last=team%2Fb&n=3&orderby=>; rel="next"'
    second = registry("GET", first.links["next"]["url"])
    assert second.json() == {"repositories": ["zoo"]}
    assert "Link" not in second.headers


def test_the_sdk_walks_all_pages_in_the_order_asked(registry, sandbox):
    digest = registry.push_image("paged", "t0")
    for number in range(1, 7):
        registry.put_manifest("paged", f"t{number}", registry("GET", f"/v2/paged/manifests/{digest}").content)
    with sdk(sandbox.ready) as client:
        names = {
            order: [tag.name for tag in client.list_tag_properties("paged", order_by=order, results_per_page=2)]
            for order in ("timedesc", "timeasc", "none")
        }
    assert names["timeasc"] == [f"t{number}" for number in range(7)]
    assert names["timedesc"] == names["timeasc"][::-1]
    assert sorted(names["none"]) == names["timeasc"]


def test_manifests_page_by_time_too(registry):
    digests = [registry.push_image("paged", text=str(number)) for number in range(5)]
    path, found = "/acr/v1/paged/_manifests?n=2&orderby=timedesc", []
    while path:
        answer = registry("GET", path)
        found += [item["digest"] for item in answer.json()["manifests"]]
        path = answer.links.get("next", {}).get("url")
    assert found == digests[::-1]


def test_a_page_is_100_unless_asked_and_1000_at_most(registry, sandbox):
    with sandbox.store.transaction():
        for number in range(1100):
            sandbox.store.add_tag("casaacr01", "many", f"t{number:04}", "sha256:" + "0" * 64, sandbox.state.stamp())
    sizes = [
        len(registry("GET", "/acr/v1/many/_tags", params=query).json()["tags"])
        for query in ({}, {"n": 7}, {"n": 1000}, {"n": 5000})
    ]
    assert sizes == [100, 7, 1000, 1000]
    assert registry("GET", "/acr/v1/many/_tags", params={"n": "x"}).status_code == 400


def test_tags_can_be_asked_for_one_manifest(registry):
    digest = registry.push_image("app", "one")
    registry.push_image("app", "other", text="other")
    tags = registry("GET", "/acr/v1/app/_tags", params={"digest": digest}).json()["tags"]
    assert [tag["name"] for tag in tags] == ["one"]


def test_tags_is_null_after_the_last_one_went(registry):
    answer = registry("DELETE", f"{REPOSITORY}/_tags/v1.0.0")
    assert (answer.status_code, answer.content) == (202, b"")
    assert registry("GET", f"{REPOSITORY}/_tags").json()["tags"] is None
    assert registry("GET", REPOSITORY).json()["manifestCount"] == 3
    deleted = registry("DELETE", REPOSITORY)
    assert deleted.status_code == 202
    assert (len(deleted.json()["manifestsDeleted"]), deleted.json()["tagsDeleted"]) == (3, None)


def test_what_is_not_there_has_a_code_each(registry):
    missing = {
        "/acr/v1/none": "NAME_UNKNOWN",
        "/acr/v1/none/_tags": "NAME_UNKNOWN",
        f"{REPOSITORY}/_tags/none": "TAG_UNKNOWN",
        f"{REPOSITORY}/_manifests/sha256:{'0' * 64}": "MANIFEST_UNKNOWN",
    }
    answers = {path: registry("GET", path) for path in missing}
    assert {path: code(answer) for path, answer in answers.items()} == missing
    assert {answer.status_code for answer in answers.values()} == {404}
    assert answers["/acr/v1/none"].json()["errors"][0]["detail"] == {"name": "none"}


def test_the_sdk_takes_a_missing_repository_for_deleted_and_a_missing_tag_for_an_error(sandbox):
    with sdk(sandbox.ready) as client:
        client.delete_repository("none")
        with pytest.raises(ResourceNotFoundError):
            client.get_tag_properties("nodejstemplate", "none")


@pytest.mark.parametrize("attribute", ["can_delete", "can_write"])
def test_a_locked_tag_can_be_neither_untagged_nor_its_repository_deleted(sandbox, registry, attribute):
    with sdk(sandbox.ready) as client:
        client.update_tag_properties("nodejstemplate", "v1.0.0", **{attribute: False})
        with pytest.raises(HttpResponseError) as error:
            client.delete_tag("nodejstemplate", "v1.0.0")
        assert error.value.status_code == 405
        with pytest.raises(HttpResponseError):
            client.delete_repository("nodejstemplate")
        client.update_tag_properties("nodejstemplate", "v1.0.0", **{attribute: True})
        client.delete_tag("nodejstemplate", "v1.0.0")
    assert registry("GET", f"{REPOSITORY}/_tags").json()["tags"] is None


def test_a_lock_on_the_repository_holds_for_all_in_it(registry):
    digest = registry("GET", f"{REPOSITORY}/_tags/v1.0.0").json()["tag"]["digest"]
    changed = registry("PATCH", REPOSITORY, json={"deleteEnabled": False})
    assert changed.json()["changeableAttributes"]["deleteEnabled"] is False
    refused = [
        registry("DELETE", path)
        for path in (REPOSITORY, f"{REPOSITORY}/_tags/v1.0.0", f"/v2/nodejstemplate/manifests/{digest}")
    ]
    assert [(answer.status_code, code(answer)) for answer in refused] == [(405, DISALLOWED)] * 3
    assert refused[0].json()["errors"][0]["detail"] == {}
    assert registry.push_image("nodejstemplate", "v2")


def test_a_patch_changes_only_what_it_names(registry):
    registry("PATCH", f"{REPOSITORY}/_tags/v1.0.0", json={"writeEnabled": False})
    tag = registry("PATCH", f"{REPOSITORY}/_tags/v1.0.0", json={"readEnabled": False}).json()["tag"]
    assert tag["changeableAttributes"] == {
        "deleteEnabled": True,
        "writeEnabled": False,
        "readEnabled": False,
        "listEnabled": True,
    }
    assert tag["lastUpdateTime"] > tag["createdTime"]
    assert registry("PATCH", REPOSITORY, json={"deleteEnabled": "no"}).status_code == 400
    assert registry("PATCH", REPOSITORY, json=["deleteEnabled"]).status_code == 400


def test_what_is_not_listed_is_still_there_by_name(registry):
    registry.push_image("hidden", "v1")
    registry("PATCH", f"{REPOSITORY}/_tags/v1.0.0", json={"listEnabled": False})
    registry("PATCH", "/acr/v1/hidden", json={"listEnabled": False})
    assert registry("GET", "/acr/v1/_catalog").json()["repositories"] == ["nodejstemplate"]
    assert registry("GET", f"{REPOSITORY}/_tags").json()["tags"] is None
    assert registry("GET", f"{REPOSITORY}/_tags/v1.0.0").status_code == 200
    assert registry("GET", "/acr/v1/hidden").status_code == 200


def test_every_answer_names_its_correlation_and_the_api(registry):
    for path in ("/acr/v1/_catalog", "/acr/v1/none", "/v2/"):
        headers = registry("GET", path).headers
        assert headers["X-Ms-Correlation-Request-Id"]
        assert headers["Docker-Distribution-Api-Version"] == "registry/2.0"
