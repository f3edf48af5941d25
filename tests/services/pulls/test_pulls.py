"""When images were pulled last: as Log Analytics answers, as the sandbox logs it, and what is then not known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.images.manifest_reading import read_manifest
from services.images.repositories import get_tag
from services.pulls.events import read_changes, read_events
from services.pulls.pulls import NO_EVENT, NOT_LOGGED, QUIET, ImagePull, RegistryPulls, judge_since, read_pulls
from services.pulls.queries import MOST_EVENTS, PULLS, run_query
from services.registries.reading import list_registries
from services.registries.registry import Registry
from tests.support.canned import ARM, Answer, Canned
from tests.support.documents import OCI_INDEX
from tests.support.own_sandbox import OwnSandbox
from tests.support.registry_clients import Registry as Client
from tests.support.shell_lines import registry as a_registry

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
REGISTRY = a_registry()
QUERY = f"https://api.loganalytics.io/v1{REGISTRY.id}/query"
SETTINGS = f"{ARM}{REGISTRY.id}/providers/Microsoft.Insights/diagnosticSettings"
DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def table(columns: Sequence[tuple[str, str]], *rows: Sequence[Any]) -> dict[str, Any]:
    """As Log Analytics answers."""
    named = [{"name": name, "type": kind} for name, kind in columns]
    return {"tables": [{"name": "PrimaryResult", "columns": named, "rows": [list(row) for row in rows]}]}


LOGGED = [("First", "datetime"), ("Last", "datetime"), ("Events", "long")]
PULLED = [
    ("Repository", "string"),
    ("Tag", "string"),
    ("Digest", "string"),
    ("Pulls30", "long"),
    ("TimeGenerated", "datetime"),
    ("Identity", "string"),
    ("UserAgent", "string"),
]
NO_TABLE = {
    "error": {
        "message": "The request had some invalid properties",
        "code": "BadArgumentError",
        "correlationId": "7e1b2c3d",
        "innererror": {
            "code": "SemanticError",
            "message": "A semantic error occurred.",
            "innererror": {
                "code": "SEM0100",
                "message": "'where' operator: Failed to resolve table or column expression named "
                "'ContainerRegistryRepositoryEvents'",
            },
        },
    }
}


def setting(*logs: dict[str, Any], workspace: str | None = "/subscriptions/x/workspaces/logs") -> dict[str, Any]:
    return {"name": "logs", "properties": {"workspaceId": workspace, "logs": list(logs), "metrics": []}}


ON = setting({"category": "ContainerRegistryRepositoryEvents", "enabled": True})


def read(wire: Canned, azure: AzureSession, *replies: Answer, settings: Answer | None = None) -> RegistryPulls:
    wire.on("GET", SETTINGS, settings or Answer(200, {"value": [ON]}))
    wire.on("POST", QUERY, *replies)
    return read_pulls(azure, REGISTRY, NOW)


def logged(first: str = "2026-08-01T10:00:00Z", last: str = "2026-11-28T11:00:00.1234567Z") -> Answer:
    return Answer(200, table(LOGGED, (first, last, 12)))


def test_pulls_are_those_of_each_digest_whatever_the_tag(wire: Canned, azure: AzureSession) -> None:
    rows = table(
        PULLED,
        ("team/app", "v1", DIGEST, 3, "2026-11-20T08:00:00.5Z", "1c733727", "containerd/1.7"),
        ("team/app", "", DIGEST, 2, "2026-11-21T08:00:00Z", "scan", "skopeo/1.9"),
        ("team/app", "v0", "", 1, "2026-09-01T08:00:00Z", "", "docker/28"),
    )
    found = read(wire, azure, logged(), Answer(200, rows))
    assert (found.logged, found.why, found.unread) == (True, "", ())
    assert found.since == datetime(2026, 8, 1, 10, tzinfo=UTC)
    image = found.of("team/app", [DIGEST])
    assert image.last is not None
    assert (image.last.identity, image.month) == ("scan", 5)
    assert found.of("team/app", [OTHER], ["v0"]).month == 1
    assert found.of("team/other", [DIGEST]).last is None
    assert found.of("team/app", ["sha256:index", DIGEST]).last == image.last
    days = {digest: f"{at:%m-%d}" for digest, at in found.last_by_digest("team/app", {"v0": OTHER}).items()}
    assert days == {DIGEST: "11-21", OTHER: "09-01"}


def test_nothing_is_asked_where_nothing_is_logged(wire: Canned, azure: AzureSession) -> None:
    off = [
        setting({"category": "ContainerRegistryLoginEvents", "enabled": True}),
        setting({"category": "ContainerRegistryRepositoryEvents", "enabled": False}),
        setting({"categoryGroup": "allLogs", "enabled": True}, workspace=None),
    ]
    for value in ([], off):
        wire.sent.clear()
        found = read(wire, azure, settings=Answer(200, {"value": value}))
        assert (found.logged, found.since, found.why) == (False, None, NOT_LOGGED)
        assert [sent.method for sent in wire.sent] == ["GET"]


def test_a_group_of_categories_has_the_events_too(wire: Canned, azure: AzureSession) -> None:
    every = setting({"category": None, "categoryGroup": "allLogs", "enabled": True})
    found = read(wire, azure, logged(), Answer(200, table(PULLED)), settings=Answer(200, {"value": [every]}))
    assert found.since is not None


def test_a_table_that_no_workspace_has_is_no_event_and_not_no_pull(wire: Canned, azure: AzureSession) -> None:
    found = read(wire, azure, Answer(400, NO_TABLE))
    assert (found.since, found.why, found.unread) == (None, NO_EVENT, ())
    found = read(wire, azure, Answer(200, table(LOGGED, (None, None, 0))), Answer(200, table(PULLED)))
    assert (found.since, found.why) == (None, NO_EVENT)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(403, _error("InsufficientAccessError", "Insufficient access")), "InsufficientAccessError"),
        (Answer(404, _error("PathNotFoundError", "The requested path does not exist")), "PathNotFoundError"),
        (Answer(429, _error("ThrottledError", "Slow down"), {"Retry-After": "900"}), "ThrottledError"),
        (Answer(401, _error("InvalidAuthenticationTokenTenant", "Another tenant")), "InvalidAuthenticationTokenTenant"),
        (Answer(400, _error("BadArgumentError", "The request had some invalid properties")), "BadArgumentError"),
        (Answer(200, {**table(PULLED), "error": _error("PartialError", "x")["error"]}), "PartialError"),
        (Answer(200, {"tables": []}), "BadAnswer"),
        (Answer(200, table([("First", "datetime")], ("yesterday",))), "BadAnswer"),
    ],
)
def test_what_cannot_be_read_is_unknown_with_its_reason(
    wire: Canned, azure: AzureSession, answer: Answer, code: str
) -> None:
    found = read(wire, azure, answer)
    assert (found.since, found.pulls, found.logged) == (None, (), True)
    assert [refusal.error.code for refusal in found.unread] == [code]
    assert found.why.startswith("Pulls could not be read: ")


def test_pulls_that_are_cut_are_not_the_pulls(wire: Canned, azure: AzureSession) -> None:
    cut = {**table(PULLED, ("a", "", DIGEST, 1, "2026-11-20T08:00:00Z", "", "")), **_error("PartialError", "Too large")}
    found = read(wire, azure, logged(), Answer(200, cut))
    assert (found.since, found.pulls) == (None, ())


def test_settings_that_cannot_be_read_leave_unknown_whether_pulls_are_logged(wire: Canned, azure: AzureSession) -> None:
    rows = table(PULLED, ("a", "v1", DIGEST, 1, "2026-11-20T08:00:00Z", "", ""))
    refused = Answer(403, _error("AuthorizationFailed", "No"))
    found = read(wire, azure, logged(), Answer(200, rows), settings=refused)
    assert (found.logged, found.since) == (None, None)
    assert found.of("a", [DIGEST]).last is not None
    assert "still logged" in found.why


@given(
    st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=400))),
    st.timedeltas(timedelta(0), timedelta(days=400)),
    st.sampled_from([True, False, None]),
)
def test_since_is_known_only_while_logs_arrive(age: timedelta | None, span: timedelta, logs: bool | None) -> None:
    last = NOW - age if age is not None else None
    first = last - span if last else None
    since, why = judge_since(first, last, logs, NOW)
    assert (since is None) is bool(why)
    assert since is None or (logs is True and since == first and last is not None and last >= NOW - QUIET)


times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))
digests = st.sampled_from(["", "sha256:1", "sha256:2", "sha256:3"])
image_pulls = st.builds(
    ImagePull, st.sampled_from(["a", "b"]), st.sampled_from(["", "v1", "v2"]), digests, times, st.just(""), st.just(""),
    st.integers(0, 5),
)  # fmt: skip


@given(st.lists(image_pulls), st.sampled_from(["a", "b"]))
def test_the_last_pull_of_a_digest_is_no_older_than_any_pull_of_it(found: list[ImagePull], repository: str) -> None:
    tags = {"v1": "sha256:1", "v2": "sha256:2"}
    last = RegistryPulls(tuple(found), NOW, "", True).last_by_digest(repository, tags)
    for one in found:
        digest = one.digest or tags.get(one.tag, "")
        if one.repository == repository and digest:
            assert last[digest] >= one.at
    assert set(last.values()) <= {one.at for one in found if one.repository == repository}


def test_more_events_than_are_read_are_said(wire: Canned, azure: AzureSession) -> None:
    columns = [("TimeGenerated", "datetime"), ("OperationName", "string"), ("Repository", "string"), ("Tag", "string")]
    row = ("2026-11-20T08:00:00Z", "Push", "team/app", "v1")
    wire.on("POST", QUERY, Answer(200, table(columns, *[row] * (MOST_EVENTS + 1))))
    found = read_changes(azure, REGISTRY)
    assert (len(found.values), found.more) == (MOST_EVENTS, True)
    assert found.values[0].identity == ""


def of(session: AzureSession, name: str) -> Registry:
    return next(one for one in list_registries(session).values if one.name == name)


def test_the_estate_s_pulls_without_defender_s(session: AzureSession) -> None:
    hub = of(session, "contosohub")
    found = read_pulls(session, hub)
    assert found.logged
    assert found.since is not None
    assert found.pulls
    assert not any("Defender" in pull.agent for pull in found.pulls)
    agents = {one.agent for one in read_events(session, hub, timedelta(days=2)).values}
    assert any("Defender" in agent for agent in agents)
    removed = [one.operation for one in read_changes(session, hub).values if one.operation in ("Untag", "Delete")]
    assert removed == ["Delete", "Untag"]


def test_a_workspace_that_may_not_be_read_is_unknown(session: AzureSession) -> None:
    found = read_pulls(session, of(session, "contosopayments"))
    assert (found.logged, found.since) == (True, None)
    assert [one.error.code for one in found.unread] == ["InsufficientAccessError"]
    assert "Log Analytics Reader" in found.unread[0].error.remedy


def test_another_query_is_an_error_of_the_sandbox(session: AzureSession) -> None:
    with pytest.raises(ServiceError) as refused:
        run_query(session, of(session, "contosohub"), PULLS + "\n| take 1")
    assert refused.value.code == "BadArgumentError"


def test_what_is_done_to_a_registry_is_logged_with_who_did_it(own: OwnSandbox) -> None:
    session, registry = own.session(), own.registry()
    logs = own.make_workspace()
    assert read_pulls(session, registry).why == NOT_LOGGED
    with Client(own.sandbox.ready, registry.name) as client:
        client("GET", "/v2/nodejstemplate/manifests/v1.0.0")
        own.send_logs(logs)
        assert read_pulls(session, registry).why == NO_EVENT
        manifest = client("GET", "/v2/nodejstemplate/manifests/v1.0.0")
        assert client.put_manifest("nodejstemplate", "copy", manifest.content, OCI_INDEX).status_code == 201
        assert client("DELETE", "/acr/v1/nodejstemplate/_tags/copy").status_code == 202
    digest = manifest.headers["Docker-Content-Digest"]
    found = read_pulls(session, registry).of("nodejstemplate", [digest])
    assert found.last is not None
    assert (found.month, found.last.tag, found.last.identity) == (1, "v1.0.0", session.identity.object_id)
    done = read_changes(session, registry).of_image("nodejstemplate", digest)
    assert [(one.operation, one.tag) for one in done] == [("Untag", "copy"), ("Push", "copy")]


def test_what_the_console_itself_reads_is_no_pull(own: OwnSandbox) -> None:
    session, registry = own.session(), own.registry()
    own.send_logs(own.make_workspace())
    client = session.registry(registry.login_server)
    assert read_manifest(client, "nodejstemplate", get_tag(client, "nodejstemplate", "v1.0.0").digest)
    assert [one.operation for one in read_events(session, registry, timedelta(days=1)).values] == ["Pull"]
    found = read_pulls(session, registry)
    assert found.since is not None
    assert found.pulls == ()
