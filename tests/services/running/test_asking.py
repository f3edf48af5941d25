"""Asking the sandbox's clusters which images run in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.seeds.workloads import WORKLOADS
from sandbox.server import Sandbox
from services.aks.clusters import list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.session import AzureSession, connect_sandbox
from services.running.asking import AskPlan, ask_cluster, ask_clusters, plan_asking, split_namespaces
from services.running.images import ClusterImages
from services.running.listing import MOST_BYTES
from tests.support.own_sandbox import OwnSandbox, own_sandbox


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureSession]:
    with Sandbox.start(tmp_path_factory.mktemp("estate")) as sandbox:
        yield connect_sandbox(sandbox.ready)


def plan_all(session: AzureSession) -> AskPlan:
    return plan_asking(list_clusters(session, list_subscriptions(session).values).values)


def ask(own: OwnSandbox, *workloads: dict[str, Any], as_reader: bool = False, **properties: Any) -> ClusterImages:
    """What aks1 answers, with these workloads and properties."""
    (document,) = own.sandbox.store.list_resources(CLUSTER_TYPE)
    document["_sandbox"] = {"workloads": list(workloads)}
    document["properties"] |= properties
    own.sandbox.store.put_resource(document)
    session = own.session(as_reader=as_reader)
    (cluster,) = list_clusters(session, list_subscriptions(session).values).values
    return ask_cluster(session, cluster)


def test_every_workload_of_the_estate_is_read_but_those_of_a_stopped_cluster(estate: AzureSession) -> None:
    plan = plan_all(estate)
    assert plan.warnings == ("aks-dev is not asked. The cluster is stopped: no command can run in it.",)
    answers: list[str] = []
    asked = ask_clusters(estate, plan, on_answer=lambda one: answers.append(one.cluster.name))
    assert not asked.refused
    assert not [one for one in asked.values if one.error]
    assert sorted(answers) == sorted(one.cluster.name for one in asked.values)
    found = {
        (one.cluster.name, image.owner.kind, f"{image.namespace}/{image.name}")
        for one in asked.values
        for image in one.images
    }
    assert found == {(one.cluster, one.kind, one.owner) for one in WORKLOADS if one.cluster != "aks-dev"}
    by_name = {f"{image.namespace}/{image.name}": image for one in asked.values for image in one.images}
    assert by_name["default/nodejstemplate"].digest == ""  # It may not pull.
    assert by_name["shop/storefront"].digest.startswith("sha256:")
    assert by_name["shop/admin"].replicas == 0


def test_who_may_not_run_commands_learns_nothing(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        answer = ask(own, as_reader=True)
    assert answer.error
    assert answer.error.code == "AuthorizationFailed"


def test_a_cluster_without_run_command_and_a_stopped_one_are_unknown(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        off = ask(own, apiServerAccessProfile={"disableRunCommand": True})
        stopped = ask(own, apiServerAccessProfile=None, powerState={"code": "Stopped"})
        assert not [request for request in own.sandbox.requests if request.path.endswith("/runCommand")]
    assert off.error
    assert "disableRunCommand" in off.error.cause
    assert stopped.error
    assert "stopped" in stopped.error.cause


def pods(namespace: str, times: int) -> dict[str, Any]:
    image = "registry.example/a/repository/of/some/length:v1.2.3"
    return {"kind": "Pod", "namespace": namespace, "name": "worker", "image": image, "replicas": 1, "times": times}


def test_20_000_pods_are_asked_for_by_namespace(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        answer = ask(own, *(pods(f"team-{number}", 2000) for number in range(10)))
        commands = [request for request in own.sandbox.requests if request.path.endswith("/runCommand")]
    assert answer.error is None
    assert len(answer.images) == 20_000
    assert len(commands) > 2


def test_a_namespace_that_no_answer_holds_makes_the_cluster_unknown(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        answer = ask(own, pods("shop", 1), pods("batch", 20_000))
    assert answer.error
    assert answer.error.code == "TooManyImages"
    assert "namespace batch" in answer.error.cause
    assert not answer.images


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers(1, MOST_BYTES), max_size=20))
def test_namespaces_are_split_into_answers_that_fit(sizes: dict[str, int]) -> None:
    groups = split_namespaces(sizes, "x")
    assert sorted(name for group in groups for name in group) == sorted(sizes)
    assert all(sum(sizes[name] for name in group) <= MOST_BYTES for group in groups)


@pytest.mark.parametrize("name", ["x'; rm -rf /", "$(id)", "A", ""])
def test_what_is_no_namespace_reaches_no_shell(name: str) -> None:
    with pytest.raises(ServiceError):
        split_namespaces({name: 1}, "x")
