"""Repositories, tags and manifests as the registry lists them, page by page."""

from datetime import datetime
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError
from services.images.repositories import (
    Locks,
    Repository,
    Tag,
    TagPage,
    all_repository_names,
    get_manifest_row,
    get_repositories,
    get_repository,
    get_tag,
    manifest_rows,
    repository_names,
    tag_page,
)
from tests.support.canned import HOST, READS, Answer, CannedRegistry, Clock, Reply, connected
from tests.support.documents import CREATED, OCI_INDEX, UNLOCKED, UPDATED, digest_of, entry, tag

CATALOG = "registry:catalog:*"


def gone(code: str) -> Answer:
    return Answer(404, {"errors": [{"code": code, "message": "not here"}]})


def reading(repository: str) -> str:
    return f"repository:{repository}:metadata_read"


def serve_tags(registry: CannedRegistry, repository: str, *replies: Reply) -> None:
    registry.serve("GET", path_of("/acr/v1/{r}/_tags", r=repository), reading(repository), *replies)


def serve_manifests(registry: CannedRegistry, repository: str, *replies: Reply) -> None:
    registry.serve("GET", path_of("/acr/v1/{r}/_manifests", r=repository), reading(repository), *replies)


def properties(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "registry": HOST,
        "imageName": name,
        "createdTime": CREATED,
        "lastUpdateTime": UPDATED,
        "manifestCount": 3,
        "tagCount": 1,
        "changeableAttributes": UNLOCKED,
        **changes,
    }


def test_the_catalogue_page_by_page(registry: CannedRegistry, client: RegistryClient) -> None:
    link = {"Link": '</acr/v1/_catalog?last=team%2Fb&n=2&orderby=>; rel="next"'}
    pages = [Answer(200, {"repositories": ["a", "team/b"]}, link), Answer(200, {"repositories": ["z"]})]
    registry.serve("GET", "/acr/v1/_catalog", CATALOG, *pages)
    assert list(repository_names(client)) == [["a", "team/b"], ["z"]]
    first, second = registry.calls()
    assert first.query == {"n": "1000"}
    assert second.query["last"] == "team/b"


@pytest.mark.parametrize("body", [{"repositories": []}, {"repositories": None}, {}])
def test_an_empty_registry(registry: CannedRegistry, client: RegistryClient, body: dict[str, Any]) -> None:
    registry.serve("GET", "/acr/v1/_catalog", CATALOG, Answer(200, body))
    assert len(all_repository_names(client)) == 0


def test_repositories_are_counted(registry: CannedRegistry, client: RegistryClient) -> None:
    registry.serve("GET", "/acr/v1/_catalog", CATALOG, Answer(200, {"repositories": ["a", "b", "c"]}))
    assert len(all_repository_names(client)) == 3


def test_a_catalogue_that_abac_refuses_says_which_role_is_missing(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    registry.grants = {"team/app": READS}
    registry.serve("GET", "/acr/v1/_catalog", CATALOG, Answer(200, {"repositories": []}))
    with pytest.raises(ServiceError) as raised:
        list(repository_names(client))
    error = raised.value
    assert (error.status, error.code) == (401, "UNAUTHORIZED")
    assert error.title == f"Could not list the repositories of {HOST}"
    assert "Catalog Lister" in error.remedy


def test_a_network_that_refuses_is_said(registry: CannedRegistry, client: RegistryClient) -> None:
    body = {"errors": [{"code": "DENIED", "message": "client with IP '203.0.113.7' is not allowed access."}]}
    registry.on("POST", f"https://{HOST}/oauth2/exchange", Answer(403, body))
    with pytest.raises(ServiceError) as raised:
        all_repository_names(client)
    assert (raised.value.status, raised.value.code) == (403, "DENIED")
    assert "203.0.113.7" in raised.value.cause


def test_a_repository(registry: CannedRegistry, client: RegistryClient) -> None:
    locked = {**UNLOCKED, "deleteEnabled": False, "teleportEnabled": False}
    answer = Answer(200, properties("team/app", changeableAttributes=locked))
    registry.serve("GET", "/acr/v1/team%2Fapp", reading("team/app"), answer)
    found = get_repository(client, "team/app")
    assert found.created.isoformat() == "2026-01-02T03:04:05.123456+00:00"
    assert found.updated.isoformat() == "2026-01-03T03:04:05.123456+00:00"
    assert found == Repository(HOST, "team/app", found.created, found.updated, 3, 1, Locks(delete=False))


def test_a_repository_that_is_gone(registry: CannedRegistry, client: RegistryClient) -> None:
    registry.serve("GET", "/acr/v1/app", reading("app"), gone("NAME_UNKNOWN"))
    with pytest.raises(ServiceError) as raised:
        get_repository(client, "app")
    assert (raised.value.status, raised.value.code) == (404, "NAME_UNKNOWN")


def test_many_repositories_in_the_order_asked_for(registry: CannedRegistry, client: RegistryClient) -> None:
    names = [f"app{n}" for n in range(30)]
    for name in names:
        registry.serve("GET", f"/acr/v1/{name}", reading(name), Answer(200, properties(name)))
    registry.serve("GET", "/acr/v1/app7", reading("app7"), gone("NAME_UNKNOWN"))
    told: list[str | None] = []
    found = get_repositories(client, names, done=lambda repository: told.append(repository and repository.name))
    assert [repository.name for repository in found.values] == [name for name in names if name != "app7"]
    assert [(refusal.what, refusal.error.code) for refusal in found.refused] == [("app7", "NAME_UNKNOWN")]
    assert sorted(name or "" for name in told) == sorted([*(name for name in names if name != "app7"), ""])
    assert len(registry.sent) == 2 + 30


def test_many_repositories_stopped(registry: CannedRegistry, client: RegistryClient) -> None:
    stop = Event()
    stop.set()
    found = get_repositories(client, ["a", "b"], stop=stop)
    assert (found.values, found.untried) == ((), 2)
    assert registry.calls() == []


def test_many_repositories_where_nobody_may_sign_in(registry: CannedRegistry, client: RegistryClient) -> None:
    registry.on("POST", f"https://{HOST}/oauth2/exchange", Answer(500, {}))
    with pytest.raises(ServiceError, match=f"Could not sign in to {HOST}"):
        get_repositories(client, ["a", "b"])


def test_many_repositories_of_an_abac_registry_cost_one_token_for_ten(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    names = [f"team/app{n}" for n in range(15)]
    registry.grants = dict.fromkeys(names, READS)
    for name in names:
        registry.serve("GET", f"/acr/v1/team%2F{name[5:]}", reading(name), Answer(200, properties(name)))
    assert get_repositories(client, names).complete
    assert len(registry.scopes_asked()) == 1 + 2
    assert len(registry.calls()) == 15


def test_pages_of_tags_the_newest_first(registry: CannedRegistry, client: RegistryClient) -> None:
    link = {"Link": '</acr/v1/app/_tags?last=v1.0&n=2&orderby=timedesc>; rel="next"'}
    serve_tags(
        registry, "app", Answer(200, {"tags": [tag("v2"), tag("v1.0")]}, link), Answer(200, {"tags": [tag("v0")]})
    )
    first = tag_page(client, "app", size=2)
    assert [found.name for found in first.tags] == ["v2", "v1.0"]
    assert first.next == "v1.0"
    last = tag_page(client, "app", size=2, after=first.next)
    assert ([found.name for found in last.tags], last.next) == (["v0"], None)
    assert [sent.query for sent in registry.calls()] == [
        {"n": "2", "orderby": "timedesc"},
        {"n": "2", "orderby": "timedesc", "last": "v1.0"},
    ]


@pytest.mark.parametrize("body", [{"tags": None}, {"tags": []}, {}])
def test_no_tags_at_all(registry: CannedRegistry, client: RegistryClient, body: dict[str, Any]) -> None:
    serve_tags(registry, "app", Answer(200, body))
    assert tag_page(client, "app", size=10) == TagPage((), None)


def test_a_tag(registry: CannedRegistry, client: RegistryClient) -> None:
    attributes = {**UNLOCKED, "writeEnabled": False, "deleteEnabled": False}
    body = {"registry": HOST, "imageName": "app", "tag": tag("v1", digest_of(7), changeableAttributes=attributes)}
    registry.serve("GET", "/acr/v1/app/_tags/v1", reading("app"), Answer(200, body))
    found = get_tag(client, "app", "v1")
    assert found == Tag("v1", digest_of(7), found.created, found.updated, Locks(delete=False, write=False))
    assert found.locks.label == "delete, write"


def test_a_tag_that_is_gone(registry: CannedRegistry, client: RegistryClient) -> None:
    registry.serve("GET", "/acr/v1/app/_tags/v1", reading("app"), gone("TAG_UNKNOWN"))
    with pytest.raises(ServiceError, match="Could not read the tag app:v1") as raised:
        get_tag(client, "app", "v1")
    assert raised.value.code == "TAG_UNKNOWN"


@pytest.mark.parametrize(
    ("attributes", "locks", "words"),
    [
        (None, Locks(), ""),
        ({}, Locks(), ""),
        (UNLOCKED, Locks(), ""),
        ({"deleteEnabled": False}, Locks(delete=False), "delete"),
        ({"writeEnabled": False}, Locks(write=False), "write"),
        ({"listEnabled": False, "readEnabled": False}, Locks(list=False, read=False), "list, read"),
        ({"deleteEnabled": None}, Locks(), ""),
    ],
)
def test_a_missing_attribute_is_no_lock(
    registry: CannedRegistry, client: RegistryClient, attributes: Any, locks: Locks, words: str
) -> None:
    serve_tags(registry, "app", Answer(200, {"tags": [tag("v1", changeableAttributes=attributes)]}))
    (found,) = tag_page(client, "app", size=1).tags
    assert found.locks == locks
    assert (found.locks.label, found.locks.any) == (words, bool(words))


def test_a_manifest_row(registry: CannedRegistry, client: RegistryClient) -> None:
    body = {"manifest": entry(digest_of(1), tags=["v1", "latest"], artifactType="application/spdx+json")}
    path = path_of("/acr/v1/app/_manifests/{d}", d=digest_of(1))
    registry.serve("GET", path, reading("app"), Answer(200, body))
    found = get_manifest_row(client, "app", digest_of(1))
    assert (found.tags, found.size, found.artifact_type) == (("v1", "latest"), 1000, "application/spdx+json")
    assert (found.os, found.architecture, found.platform) == ("linux", "amd64", "linux/amd64")


def test_a_manifest_that_is_gone(registry: CannedRegistry, client: RegistryClient) -> None:
    path = path_of("/acr/v1/app/_manifests/{d}", d=digest_of(1))
    registry.serve("GET", path, reading("app"), gone("MANIFEST_UNKNOWN"))
    with pytest.raises(ServiceError) as raised:
        get_manifest_row(client, "app", digest_of(1))
    assert raised.value.code == "MANIFEST_UNKNOWN"


def test_an_index_and_its_children_have_what_the_registry_gives(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    index = entry(digest_of(1), mediaType=OCI_INDEX, os=None, architecture=None, configMediaType=None, tags=["v1"])
    child, bare = entry(digest_of(2)), {"digest": digest_of(3), "createdTime": CREATED, "lastUpdateTime": UPDATED}
    serve_manifests(registry, "app", Answer(200, {"manifests": [index, child, bare]}))
    rows = manifest_rows(client, "app").values
    assert [row.tags for row in rows] == [("v1",), (), ()]
    assert [row.media_type for row in rows][::2] == [OCI_INDEX, ""]
    assert (rows[0].os, rows[0].architecture, rows[0].config_media_type) == ("", "", "")
    assert (rows[2].size, rows[2].locks) == (None, Locks())


times = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)).map(
    lambda time: time.isoformat(timespec="microseconds") + "Z"
)
entries = st.lists(
    st.builds(
        entry,
        st.integers(0, 2**64).map(digest_of),
        imageSize=st.none() | st.integers(0, 2**50),
        createdTime=times,
        lastUpdateTime=times,
        os=st.none() | st.sampled_from(["linux", "windows", "", "*bold*"]),
        architecture=st.none() | st.sampled_from(["amd64", "arm64"]),
        mediaType=st.none() | st.sampled_from([OCI_INDEX, "application/x"]),
        tags=st.none() | st.lists(st.text(max_size=8), max_size=3),
        changeableAttributes=st.none()
        | st.dictionaries(st.sampled_from(sorted(UNLOCKED)), st.none() | st.booleans(), max_size=4),
    ),
    max_size=6,
    unique_by=lambda one: one["digest"],
)


@given(entries)
def test_rows_say_what_the_registry_says(found: list[dict[str, Any]]) -> None:
    registry = CannedRegistry(Clock())
    serve_manifests(registry, "app", Answer(200, {"manifests": found}))
    rows = manifest_rows(connected(registry), "app").values
    assert [row.digest for row in rows] == [one["digest"] for one in found]
    assert [row.size for row in rows] == [one.get("imageSize") for one in found]
    assert [row.created for row in rows] == [datetime.fromisoformat(one["createdTime"]) for one in found]
    assert [row.updated for row in rows] == [datetime.fromisoformat(one["lastUpdateTime"]) for one in found]
    for name, attribute in [("mediaType", "media_type"), ("os", "os"), ("architecture", "architecture")]:
        assert [getattr(row, attribute) for row in rows] == [one.get(name) or "" for one in found]
    assert [row.tags for row in rows] == [tuple(one.get("tags") or ()) for one in found]
    for name in ("delete", "write", "list", "read"):
        open_ = [(one.get("changeableAttributes") or {}).get(f"{name}Enabled") is not False for one in found]
        assert [getattr(row.locks, name) for row in rows] == open_


@pytest.mark.parametrize("body", [{"manifests": None}, {"manifests": []}])
def test_no_manifests_at_all(registry: CannedRegistry, client: RegistryClient, body: dict[str, Any]) -> None:
    serve_manifests(registry, "app", Answer(200, body))
    assert manifest_rows(client, "app").values == ()


def test_manifests_of_all_pages(registry: CannedRegistry, client: RegistryClient) -> None:
    link = {"Link": f'</acr/v1/app/_manifests?last=sha256%3A{1:064x}&n=1000&orderby=>; rel="next"'}
    pages = Answer(200, {"manifests": [entry(digest_of(1))]}, link), Answer(200, {"manifests": [entry(digest_of(2))]})
    serve_manifests(registry, "app", *pages)
    assert [row.digest for row in manifest_rows(client, "app").values] == [digest_of(1), digest_of(2)]
    assert [sent.query["n"] for sent in registry.calls()] == ["1000", "1000"]
    assert registry.calls()[1].query["last"] == digest_of(1)


@pytest.mark.parametrize("size", [-1, 2**50 + 1, 2**80, 1.5, True, "12", [], None])
def test_a_size_that_can_not_be_is_unknown(registry: CannedRegistry, client: RegistryClient, size: Any) -> None:
    serve_manifests(registry, "app", Answer(200, {"manifests": [entry(digest_of(1), imageSize=size)]}))
    (row,) = manifest_rows(client, "app").values
    assert row.size is None


def test_a_manifest_that_the_list_names_twice_is_one(registry: CannedRegistry, client: RegistryClient) -> None:
    link = {"Link": f'</acr/v1/app/_manifests?last=sha256%3A{2:064x}&n=1000&orderby=>; rel="next"'}
    first = [entry(digest_of(1)), entry(digest_of(2), tags=["v1"])]
    again = [entry(digest_of(2), tags=["v1", "v2"]), entry(digest_of(3))]
    serve_manifests(registry, "app", Answer(200, {"manifests": first}, link), Answer(200, {"manifests": again}))
    rows = manifest_rows(client, "app").values
    assert [(row.digest, row.tags) for row in rows] == [
        (digest_of(1), ()),
        (digest_of(2), ("v1", "v2")),
        (digest_of(3), ()),
    ]


def test_a_later_page_refused_is_no_short_list(registry: CannedRegistry, client: RegistryClient) -> None:
    link = {"Link": '</acr/v1/app/_manifests?last=x&n=1000&orderby=>; rel="next"'}
    serve_manifests(registry, "app", Answer(200, {"manifests": [entry(digest_of(1))]}, link), Answer(500, {}))
    with pytest.raises(ServiceError):
        manifest_rows(client, "app")


@pytest.mark.parametrize("body", [b"<html>", b"", b"null", b"[]", b"7", b'"tag"', b"\xff", b"[" * 5000])
def test_an_answer_that_is_no_object_is_a_service_error(
    registry: CannedRegistry, client: RegistryClient, body: bytes
) -> None:
    registry.serve("GET", "/acr/v1/app/_tags/v1", reading("app"), Answer(200, body))
    with pytest.raises(ServiceError) as raised:
        get_tag(client, "app", "v1")
    assert (raised.value.code, raised.value.status) == ("NotJson", 200)


@pytest.mark.parametrize("body", [{}, {"tag": {}}, {"tag": None}])
def test_an_answer_that_lacks_its_members_is_a_service_error(
    registry: CannedRegistry, client: RegistryClient, body: dict[str, Any]
) -> None:
    registry.serve("GET", "/acr/v1/app/_tags/v1", reading("app"), Answer(200, body))
    with pytest.raises(ServiceError, match="Could not read the tag app:v1") as raised:
        get_tag(client, "app", "v1")
    assert raised.value.code == "BadAnswer"


@pytest.mark.parametrize(
    "odd", [{"imageSize": 1}, None, "x", {**entry("x"), "digest": None}, {**entry("x"), "tags": [None]}]
)
def test_an_entry_that_could_not_be_understood_costs_itself_and_is_said(
    registry: CannedRegistry, client: RegistryClient, odd: Any
) -> None:
    registry.serve(
        "GET", "/acr/v1/app/_manifests", reading("app"), Answer(200, {"manifests": [entry(digest_of(1)), odd]})
    )
    found = manifest_rows(client, "app")
    assert len(found.values) == 1
    (refusal,) = found.refused
    assert refusal.error.title == "1 of 2 manifests of app could not be understood"
