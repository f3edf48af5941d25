"""Imports between the sandbox's own registries: what is copied, and what is refused when."""

import pytest

from tests.support.azure_clients import REGISTRY, Arm

TARGET = "contosotarget"


@pytest.fixture
def arm(sandbox):
    with Arm(sandbox.ready) as session:
        yield session


@pytest.fixture(autouse=True)
def digest(registry):
    """An index of two platforms at team/app:v1, one of them signed."""
    children = {name: registry.push_image("team/app", text=name, architecture=name) for name in ("amd64", "arm64")}
    registry.push_image("team/app", text="signature", subject=children["amd64"])
    return registry.push_index("team/app", "v1", children)


def request(source_image="team/app:v1", tags=("team/copy:v1",), **more):
    source = {"resourceId": REGISTRY, "sourceImage": source_image, **more.pop("source", {})}
    return {"source": source, "targetTags": list(tags), **more}


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def imported(arm, body, target=REGISTRY):
    """Begins an import; the answer that ends it."""
    begun = arm("POST", f"{target}/importImage", body)
    assert (begun.status_code, begun.content) == (202, b"null"), begun.text
    first = arm("GET", begun.headers["Location"])
    assert (first.status_code, first.json()) == (202, {"status": "Accepted"})
    assert first.headers["Retry-After"] == "1"
    return arm("GET", begun.headers["Location"])


def create(arm, **properties):
    path = f"{REGISTRY.rpartition('/')[0]}/{TARGET}"
    body = {"location": "eastus", "sku": {"name": "Premium"}, "properties": properties}
    arm.poll(arm("PUT", path, body))
    return path


def test_an_index_comes_whole_and_can_be_pulled(arm, registry, digest):
    done = imported(arm, request())
    assert (done.status_code, done.json()) == (200, {"status": "Succeeded"})
    assert registry("GET", "/v2/team/copy/manifests/v1").headers["Docker-Content-Digest"] == digest
    manifests = registry("GET", "/acr/v1/team/copy/_manifests").json()["manifests"]
    assert sorted(entry.get("architecture") or "-" for entry in manifests) == ["-", "amd64", "arm64"]
    for entry in manifests:
        manifest = registry("GET", f"/v2/team/copy/manifests/{entry['digest']}").json()
        for blob in [manifest["config"], *manifest["layers"]] if "config" in manifest else []:
            assert registry("GET", f"/v2/team/copy/blobs/{blob['digest']}").status_code == 200


def test_another_registry_gets_the_content_too_and_keeps_it(arm, sandbox):
    target = create(arm)
    body = request(tags=(), untaggedTargetRepositories=["team/app"])
    assert imported(arm, body, target).status_code == 200
    assert sandbox.store.list_tags(TARGET, "team/app") == []
    sandbox.store.delete_repository("casaacr01", "team/app")
    blobs = [
        blob
        for entry in sandbox.store.list_manifests(TARGET, "team/app")
        for blob in sandbox.store.database.all("SELECT digest FROM blobs WHERE registry = ? AND stored", TARGET)
    ]
    assert blobs
    assert all(sandbox.store.blobs.files.path(found).exists() for (found,) in blobs)


def test_a_tag_without_one_takes_the_source_s(arm, sandbox, digest):
    imported(arm, request(tags=("team/copy",)))
    imported(arm, request(f"team/app@{digest}", tags=("team/other",)))
    assert [tag.name for tag in sandbox.store.list_tags("casaacr01", "team/copy")] == ["v1"]
    assert [tag.name for tag in sandbox.store.list_tags("casaacr01", "team/other")] == ["latest"]


def test_an_existing_tag_is_a_conflict_at_once_unless_forced(arm, registry, digest):
    other = registry.push_image("team/copy", "v1", text="other")
    refused = arm("POST", f"{REGISTRY}/importImage", request())
    assert code(refused) == (409, "Conflict")
    assert "team/copy:v1 already exists in target registry" in refused.json()["error"]["message"]
    assert registry("GET", "/v2/team/copy/manifests/v1").headers["Docker-Content-Digest"] == other
    assert imported(arm, request(mode="Force")).status_code == 200
    assert registry("GET", "/v2/team/copy/manifests/v1").headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (request("team/app:none"), "MANIFEST_UNKNOWN"),
        (request("team/none:v1"), "MANIFEST_UNKNOWN"),
        ({"source": {"registryUri": "docker.io", "sourceImage": "library/nginx"}, "targetTags": ["x:y"]}, "docker.io"),
    ],
)
def test_what_is_wrong_with_the_source_shows_in_the_end(arm, sandbox, body, words):
    done = imported(arm, body)
    assert code(done) == (400, "InvalidParameters")
    assert words in done.json()["error"]["message"]
    assert sandbox.store.get_repository("casaacr01", "team/copy") is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, (400, "InvalidRequestContent")),
        ({"source": {}}, (400, "InvalidRequestContent")),
        (request(tags=()), (400, "InvalidParameters")),
        (request(tags=("Team/App:v1",)), (400, "InvalidParameters")),
        (request(tags=("team/app:v/1",)), (400, "InvalidParameters")),
        (request("Team/App:v1"), (400, "InvalidParameters")),
        (request(targetTags="team/app:v1"), (400, "InvalidRequestContent")),
        (request(source={"resourceId": REGISTRY + "x"}), (404, "ResourceNotFound")),
        (request(source={"resourceId": "nonsense"}), (404, "ResourceNotFound")),
    ],
)
def test_what_is_wrong_with_the_request_shows_at_once(arm, body, expected):
    assert code(arm("POST", f"{REGISTRY}/importImage", body)) == expected


def test_a_reader_may_not_import(sandbox):
    with Arm(sandbox.ready, "reader_client") as reader:
        assert code(reader("POST", f"{REGISTRY}/importImage", request())) == (403, "AuthorizationFailed")


def test_who_may_import_and_not_pull_is_refused_the_link(arm, sandbox):
    """The importer of one registry has nothing in the other."""
    target = create(arm)
    reader = "7a3e9d52-1c84-4f6b-a2d0-58e1b7c6f921"
    contributor = "/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"
    assignments = f"{target}/providers/Microsoft.Authorization/roleAssignments"
    for assignment in sandbox.store.list_resources("Microsoft.Authorization/roleAssignments"):
        if assignment["properties"]["principalId"] == reader:
            sandbox.store.delete_resource(assignment["id"])
    given = arm(
        "PUT",
        f"{assignments}/11111111-2222-3333-4444-555555555555",
        {"properties": {"roleDefinitionId": contributor, "principalId": reader}},
    )
    assert given.status_code == 201, given.text
    with Arm(sandbox.ready, "reader_client") as session:
        refused = session("POST", f"{target}/importImage", request())
    assert code(refused) == (403, "LinkedAuthorizationFailed")
    assert REGISTRY in refused.json()["error"]["message"]


def by_address(sandbox, password=None):
    login = {"credentials": {"username": "casaacr01", "password": password}} if password else {}
    address = {"registryUri": sandbox.ready["registries"]["casaacr01"], "sourceImage": "team/app:v1", **login}
    return {"source": address, "targetTags": ["team/copy:v1"]}


def test_credentials_are_checked_and_nobody_pulls_only_where_anonymous_pull_is_on(arm, sandbox):
    document = sandbox.store.find_resource("Microsoft.ContainerRegistry/registries", "casaacr01")
    document["properties"]["adminUserEnabled"] = True
    sandbox.store.put_resource(document)
    for password in (None, "wrong"):
        done = imported(arm, by_address(sandbox, password))
        assert (done.status_code, "UNAUTHORIZED" in done.text) == (400, True)
    assert imported(arm, by_address(sandbox, document["_sandbox"]["adminPasswords"][1])).status_code == 200
    document["properties"]["anonymousPullEnabled"] = True
    sandbox.store.put_resource(document)
    assert imported(arm, {**by_address(sandbox), "mode": "Force"}).status_code == 200


def test_a_seeded_image_is_copied_with_its_descriptors(arm, sandbox):
    assert imported(arm, request("nodejstemplate:v1.0.0")).status_code == 200
    assert len(sandbox.store.list_manifests("casaacr01", "team/copy")) == 3
