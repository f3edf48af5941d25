"""Container Apps and Container Instances: what can't be read of them is unknown, and never none."""

from typing import Any

import pytest

from sandbox.clusters.container_apps import APP_TYPE, GROUP_TYPE, JOB_TYPE
from services.arm import resource_graph
from services.arm.resource_graph import query_resources
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.running.apps import QUERY, known_apps, read_apps
from services.running.images import HostKind
from services.running.unasked import ALL_APPS, unknown_apps
from tests.support.own_sandbox import OwnSandbox


def put(own: OwnSandbox, kind: str, name: str, properties: Any, **sandbox: Any) -> str:
    """Adds an app beside the registry; returns its id."""
    id_ = f"{own.registry().id.partition('/providers/')[0]}/providers/{kind}/{name}"
    document = {"id": id_, "name": name, "type": kind, "properties": properties, "_sandbox": sandbox}
    own.sandbox.store.put_resource(document)
    return id_


def template(*images: Any, init: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {"containers": [{"image": one} for one in images], "initContainers": [{"image": one} for one in init]}


def app(*images: Any, mode: Any = "Single", ready: str = "r2") -> dict[str, Any]:
    return {
        "template": template(*images),
        "configuration": {"activeRevisionsMode": mode},
        "latestRevisionName": "r2",
        "latestReadyRevisionName": ready,
    }


def images_of(session: AzureSession) -> dict[str, set[str]]:
    return {one.host.name: {image.reference for image in one.images} for one in read_apps(session).values}


def test_the_estate_s_apps_jobs_and_groups_with_what_is_scaled_to_zero(session: AzureSession) -> None:
    found = {one.host.name: one for one in read_apps(session).values}
    assert {name: one.host.kind for name, one in found.items()} == {
        "checkout-preview": HostKind.APP,
        "orders-bff": HostKind.APP,
        "catalog-search": HostKind.APP,
        "nightly-mailing": HostKind.APP_JOB,
        "load-test": HostKind.CONTAINER_GROUP,
    }
    (preview,) = found["checkout-preview"].images
    assert preview.replicas == 0
    assert {one.reference.rpartition(":")[2] for one in found["orders-bff"].images} == {"v1.1.0", "v1.2.1"}
    assert any("@sha256:" in one.reference for one in found["catalog-search"].images)
    assert "mcr.microsoft.com/azure-cli:2.80.0" in {one.reference for one in found["load-test"].images}


def test_init_containers_count(own: OwnSandbox) -> None:
    put(own, JOB_TYPE, "job", {"template": template("a:1", init=("b:1",))})
    group = {"containers": [{"properties": {"image": "c:1"}}], "initContainers": [{"properties": {"image": "d:1"}}]}
    put(own, GROUP_TYPE, "group", group)
    assert images_of(own.session()) == {"job": {"a:1", "b:1"}, "group": {"c:1", "d:1"}}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (APP_TYPE, {}),
        (APP_TYPE, {**app("a:1"), "template": None}),
        (APP_TYPE, {**app("a:1"), "template": "x"}),
        (APP_TYPE, app()),
        (APP_TYPE, app(None)),
        (APP_TYPE, app(7)),
        (APP_TYPE, app("")),
        (JOB_TYPE, {"template": {"containers": {"image": "a:1"}}}),
        (JOB_TYPE, {"template": {"containers": [{"image": "a:1"}], "initContainers": "x"}}),
        (JOB_TYPE, {"template": {"containers": ["a:1"]}}),
        (GROUP_TYPE, {}),
        (GROUP_TYPE, {"containers": [{"image": "a:1"}]}),
        (GROUP_TYPE, {"containers": [None]}),
    ],
)
def test_what_is_not_as_documented_is_unknown_by_name(own: OwnSandbox, kind: str, properties: Any) -> None:
    put(own, kind, "odd", properties)
    put(own, JOB_TYPE, "even", {"template": template("a:1")})
    apps = known_apps(own.session())
    assert [one.host.name for one in apps.found.values] == ["even"]
    (unknown,) = unknown_apps(apps)
    assert unknown.name == "odd"
    assert unknown.why.startswith("its containers could not be read: ")


@pytest.mark.parametrize("more", [{"mode": "Multiple"}, {"ready": "r1"}, {"mode": None}, {"ready": ""}])
def test_older_revisions_are_read_where_they_may_run(own: OwnSandbox, more: dict[str, Any]) -> None:
    older = [
        {"properties": {"active": active, "template": template(image)}}
        for active, image in ((True, "a:1"), (True, "a:0"), (False, "a:gone"))
    ]
    put(own, APP_TYPE, "app", app("a:1", **more), revisions=older)
    assert images_of(own.session()) == {"app": {"a:1", "a:0"}}
    own.break_({"method": "GET", "path": "/revisions$", "status": 403})
    (unknown,) = unknown_apps(known_apps(own.session()))
    assert unknown.label.startswith("app (its containers could not be read: 403 ")


def test_of_one_revision_none_other_is_asked_for(own: OwnSandbox) -> None:
    put(own, APP_TYPE, "app", app("a:1"))
    assert images_of(own.session()) == {"app": {"a:1"}}
    assert not [one for one in own.sandbox.requests if one.path.endswith("/revisions")]


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_a_query_that_fails_leaves_all_unknown(own: OwnSandbox, status: int) -> None:
    put(own, APP_TYPE, "app", app("a:1"))
    own.break_({"method": "POST", "path": "/Microsoft.ResourceGraph/resources$", "status": status})
    apps = known_apps(own.session())
    assert apps.error
    assert apps.error.status == status
    (unknown,) = unknown_apps(apps)
    assert unknown.name == ALL_APPS
    assert "could not be read" in unknown.why


def test_all_pages_are_read(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_graph, "PAGE", 2)
    for number in range(5):
        put(own, JOB_TYPE, f"job{number}", {"template": template(f"a:{number}")})
    assert len(images_of(own.session())) == 5
    assert len([one for one in own.sandbox.requests if one.path.endswith("/Microsoft.ResourceGraph/resources")]) == 3


class Answers:
    """A session whose Resource Graph answers so, a page each."""

    def __init__(self, *pages: dict[str, Any], **headers: str) -> None:
        self.pages, self.headers = list(pages), headers

    def resource_graph(self) -> "Answers":
        return self

    def resources(self, _query: Any, *, cls: Any, **_options: Any) -> Any:
        page: dict[str, Any] = {"data": [], "skip_token": None, "total_records": 0, "result_truncated": "false"}
        response = type("Response", (), {"http_response": type("Http", (), {"headers": self.headers})})
        return cls(response, type("Page", (), page | self.pages.pop(0)), {})


def rows(*pages: dict[str, Any], sleeps: list[float] | None = None, **headers: str) -> list[Any]:
    session: Any = Answers(*pages, **headers)
    return query_resources(session, QUERY, "Could not", sleep=(sleeps if sleeps is not None else []).append)


@pytest.mark.parametrize(
    ("pages", "headers"),
    [
        ([{"data": [1], "result_truncated": "true"}], {}),
        ([{"data": [1], "total_records": 2}], {}),
        ([{"data": [1]}], {"x-ms-tenant-subscription-limit-hit": "True"}),
        ([{"data": [1], "skip_token": "a"}, {"data": [2], "skip_token": "a"}], {}),
    ],
)
def test_a_list_that_is_not_whole_is_none(pages: list[dict[str, Any]], headers: dict[str, str]) -> None:
    with pytest.raises(ServiceError) as failed:
        rows(*pages, **headers)
    assert failed.value.code == "Truncated"


def test_it_waits_for_the_caller_s_quota_between_pages() -> None:
    pages = ({"data": [1], "skip_token": "a"}, {"data": [2], "total_records": 2})
    for after, waits in (("00:00:05", 5), ("01:00:00", 15), ("soon", 15)):
        sleeps: list[float] = []
        headers = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": after}
        assert rows(*pages, sleeps=sleeps, **headers) == [1, 2]
        assert sleeps == [waits]
    sleeps = []
    assert rows(*pages, sleeps=sleeps, **{"x-ms-user-quota-remaining": "3"}) == [1, 2]
    assert not sleeps


def test_rows_that_are_no_list_are_not_understood() -> None:
    with pytest.raises(ServiceError):
        rows({"data": {"columns": [], "rows": []}})


def test_the_sandbox_refuses_a_query_that_it_does_not_know(session: AzureSession) -> None:
    with pytest.raises(ServiceError) as failed:
        query_resources(session, "resources | take 1", "Could not")
    assert (failed.value.status, failed.value.code) == (400, "InvalidQuery")
