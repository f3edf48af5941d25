"""What Container insights has logged adds to what is known to run, and makes no cluster known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.aks.clusters import Cluster, list_clusters
from services.arm.logs import query_logs
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.pull_checks.matrix import Pulls
from services.running.answers import FoundAnswers
from services.running.apps import KnownApps
from services.running.images import ClusterImages, RunningImage, parse_reference
from services.running.insights import QUERY, read_logged
from services.running.known import known_running
from tests.services.pull_checks.test_matrix import CLUSTER, registry
from tests.support.canned import Answer, Canned

LOGGED = replace(CLUSTER, container_insights=True)
REGISTRY = registry()
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def clusters_of(session: AzureSession) -> dict[str, Cluster]:
    return {one.name: one for one in list_clusters(session, list_subscriptions(session).values).values}


def test_the_estate_s_secure_cluster_is_logged_with_what_runs_alone(session: AzureSession) -> None:
    (found,) = read_logged(session, clusters_of(session).values()).values
    (image,) = found.images
    named = parse_reference(image.reference)
    assert found.cluster.name == "aks-secure"
    assert named
    assert (named.repository, named.tag) == ("vault/signer", "v1.1.0")
    assert image.digest.startswith("sha256:")
    assert (image.namespace, image.kind, image.replicas) == ("vault", "ReplicaSet", 2)
    assert datetime.now(UTC) - found.at < timedelta(hours=1)


def test_a_cluster_without_the_add_on_is_not_asked_for_logs(session: AzureSession) -> None:
    clusters = clusters_of(session)
    assert [one.name for one in clusters.values() if one.container_insights] == ["aks-secure"]
    assert read_logged(session, [clusters["aks-platform"]]).values == ()


def test_another_query_is_an_error_of_the_sandbox(session: AzureSession) -> None:
    secure = clusters_of(session)["aks-secure"]
    with pytest.raises(ServiceError) as raised:
        query_logs(session, secure.id, "Logs", QUERY + "\n| take 1", None, "")
    assert raised.value.code == "BadArgumentError"


COLUMNS = ("Repository", "Image", "ImageTag", "ImageID", "Namespace", "ControllerKind", "ControllerName", "Name")
DIGEST = f"sha256:{'a' * 64}"
AT = "2026-11-28T11:00:00Z"


def answered(*rows: Sequence[Any]) -> dict[str, Any]:
    columns = [{"name": name, "type": "string"} for name in COLUMNS]
    columns += [{"name": "Last", "type": "datetime"}, {"name": "Running", "type": "long"}]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [list(row) for row in rows]}]}


def read(wire: Canned, azure: AzureSession, answer: Answer) -> Partial[ClusterImages]:
    wire.on("POST", f"https://api.loganalytics.io/v1{LOGGED.id}/query", answer)
    return read_logged(azure, [LOGGED])


def test_an_image_is_as_its_node_named_it_and_the_pods_of_an_owner_are_added(wire: Canned, azure: AzureSession) -> None:
    replica_set = ("shop", "ReplicaSet", "web-5d4f")
    rows = [
        ("contoso.azurecr.io", "team/web", "v1", DIGEST, *replica_set, "web-5d4f-a", AT, 1),
        ("contoso.azurecr.io", "team/web", "v1", DIGEST, *replica_set, "web-5d4f-b", AT, 0),
        ("", "sha256", "b" * 64, f"sha256:{'b' * 64}", "shop", "", "", "debug", "2026-11-28T11:05:00Z", 1),
    ]
    (found,) = read(wire, azure, Answer(200, answered(*rows))).values
    assert found.images == (
        RunningImage("shop", "Pod", "debug", f"sha256:{'b' * 64}", f"sha256:{'b' * 64}", 1),
        RunningImage(*replica_set, "contoso.azurecr.io/team/web:v1", DIGEST, 1),
    )
    assert found.at == datetime(2026, 11, 28, 11, 5, tzinfo=UTC)


def test_a_cluster_of_which_nothing_is_logged_is_not_one_that_runs_nothing(wire: Canned, azure: AzureSession) -> None:
    assert read(wire, azure, Answer(200, answered())).values == ()


@pytest.mark.parametrize(
    "row", [("", "", "", "", "", "", "", "", AT, 1), ("h.io", "a", "", "", "", "", "", "p", "", 1)]
)
def test_an_odd_row_makes_the_cluster_s_logs_unread(wire: Canned, azure: AzureSession, row: Sequence[Any]) -> None:
    found = read(wire, azure, Answer(200, answered(row)))
    assert found.values == ()
    assert [one.what for one in found.refused] == [LOGGED.name]


def test_logs_that_may_not_be_read_say_which_role_allows_it(wire: Canned, azure: AzureSession) -> None:
    refused = {"error": {"code": "InsufficientAccessError", "message": "The provided credentials have no access"}}
    (refusal,) = read(wire, azure, Answer(403, refused)).refused
    assert "Log Analytics Reader" in refusal.error.remedy


def test_what_is_logged_protects_and_leaves_its_cluster_unasked() -> None:
    reference = f"{REGISTRY.login_server}/team/web:v1"
    logged = ClusterImages(LOGGED, NOW, (RunningImage("shop", "ReplicaSet", "web-5d4f", reference, DIGEST, 1),))
    found = FoundAnswers(logged=Partial((logged,)))
    pulls = Pulls(clusters=Partial((LOGGED,)), registries=Partial((REGISTRY,)))
    known = known_running(pulls, REGISTRY, found, KnownApps(at=NOW), NOW)
    assert [one.image.digest for one in known.placed[REGISTRY.login_server, "team/web"]] == [DIGEST]
    assert [(one.cluster, one.why) for one in known.unasked] == [(LOGGED, "not asked")]


def test_an_answer_goes_before_what_is_logged_of_its_cluster() -> None:
    logged, answer = ClusterImages(LOGGED, NOW), ClusterImages(LOGGED, NOW)
    refused = replace(answer, error=ServiceError("x", "y", "z", "Refused"))
    key = LOGGED.id.lower()
    assert FoundAnswers({key: answer}, logged=Partial((logged,))).seen == (answer,)
    assert FoundAnswers({key: refused}, logged=Partial((logged,))).seen == (refused, logged)
