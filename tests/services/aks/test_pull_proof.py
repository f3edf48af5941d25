"""The test pull in the cluster: what runs, and what is made of what a cluster answers."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from services.aks.clusters import Cluster, NodeSize, list_clusters
from services.aks.pull_proof import Proof, ProofPlan, Pulled, _proofs, plan_proof, run_proof
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.session import AzureSession, connect_sandbox
from services.registries.reading import list_registries
from services.registries.registry import Registry
from tests.services.pull_checks.test_matrix import CLUSTER, registry
from tests.support.own_sandbox import OwnSandbox, own_sandbox
from tests.support.pull_samples import a_pool


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureSession]:
    with Sandbox.start(tmp_path_factory.mktemp("estate")) as sandbox:
        yield connect_sandbox(sandbox.ready)


def planned(session: AzureSession, cluster: str, name: str, repository: str, reference: str) -> ProofPlan:
    found: Cluster = next(
        one for one in list_clusters(session, list_subscriptions(session).values).values if one.name == cluster
    )
    registry: Registry = next(one for one in list_registries(session).values if one.name == name)
    return plan_proof(found, registry, repository, reference)


def test_a_cluster_without_the_role_gets_the_refusal_that_a_kubelet_gets(estate: AzureSession) -> None:
    plan = planned(estate, "aks1", "casaacr01", "nodejstemplate", "v1.0.0")
    (proof,) = run_proof(estate, plan)
    assert (proof.architecture, proof.pulled) == ("amd64", Pulled.NO)
    assert "401 Unauthorized" in proof.message


def test_a_cluster_with_the_role_pulls_on_each_architecture(estate: AzureSession) -> None:
    plan = planned(estate, "aks-platform", "contosohub", "api/orders", "latest")
    assert plan.architectures == ("amd64", "arm64")
    found = {proof.architecture: proof for proof in run_proof(estate, plan)}
    assert found["amd64"].pulled is Pulled.YES
    assert "sha256:" in found["amd64"].message


def test_what_is_not_there_is_said_in_the_node_s_words(estate: AzureSession) -> None:
    plan = planned(estate, "aks-platform", "contosohub", "api/orders", "v0.0.0-none")
    assert {proof.pulled for proof in run_proof(estate, plan)} == {Pulled.NO}


def test_a_stopped_cluster_runs_nothing(estate: AzureSession) -> None:
    plan = planned(estate, "aks-dev", "contosodev", "playground", "main")
    assert "The cluster is stopped" in plan.blockers[0]
    with pytest.raises(ServiceError) as raised:
        run_proof(estate, plan)
    assert raised.value.code == "Refused"


def test_who_may_not_run_commands_is_refused(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        reader = own.session(as_reader=True)
        with pytest.raises(ServiceError) as raised:
            run_proof(reader, planned(reader, "aks1", "casaacr01", "nodejstemplate", "v1.0.0"))
    assert raised.value.code == "AuthorizationFailed"


def test_a_cluster_with_entra_id_gets_the_caller_s_token(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        _set(own, aadProfile={"managed": True})
        plan = planned(own.session(), "aks1", "casaacr01", "nodejstemplate", "v1.0.0")
        assert plan.cluster.managed_entra
        (proof,) = run_proof(own.session(), plan)
        assert proof.pulled is Pulled.NO


def test_a_cluster_that_takes_no_commands_is_not_asked(tmp_path: Path) -> None:
    with own_sandbox(tmp_path) as own:
        _set(own, apiServerAccessProfile={"disableRunCommand": True})
        plan = planned(own.session(), "aks1", "casaacr01", "nodejstemplate", "v1.0.0")
    assert plan.blockers == ("Run command is switched off for this cluster (disableRunCommand).",)


def _set(own: OwnSandbox, **properties: Any) -> None:
    (document,) = own.sandbox.store.list_resources("Microsoft.ContainerService/managedClusters")
    document["properties"] |= properties
    own.sandbox.store.put_resource(document)


@pytest.mark.parametrize("name", ["app'; rm -rf /", "app$(id)", "app\nid", "", "App"])
def test_no_name_reaches_the_shell_that_is_none_of_an_image(name: str) -> None:
    with pytest.raises(ServiceError):
        plan_proof(CLUSTER, registry(), name, "v1")
    with pytest.raises(ServiceError):
        plan_proof(CLUSTER, registry(), "app", f"{name}'" if name else "")


def test_the_script_is_one_that_a_shell_reads_and_it_always_cleans_up() -> None:
    pools = (a_pool(sizes=(NodeSize("Standard_D2s_v5", 1), NodeSize("Standard_D2ps_v5", None))),)
    plan = plan_proof(replace(CLUSTER, pools=pools), registry(), "team/app", f"sha256:{'a' * 64}", "1234abcd")
    shell = shutil.which("bash")
    assert shell
    subprocess.run([shell, "-n"], input=plan.script.encode(), check=True)
    assert plan.script.startswith("trap 'kubectl delete pod -n default -l acr-console-proof=1234abcd")
    pods = [json.loads(line) for line in plan.script.splitlines() if line.startswith("{")]
    assert [pod["spec"]["nodeSelector"]["kubernetes.io/arch"] for pod in pods] == ["amd64", "arm64"]
    for pod in pods:
        (container,) = pod["spec"]["containers"]
        assert container["image"] == f"contosoacr.azurecr.io/team/app@sha256:{'a' * 64}"
        assert container["imagePullPolicy"] == "Always"
        assert pod["spec"]["automountServiceAccountToken"] is False


def _answer(**status: Any) -> str:
    return json.dumps({"spec": {"nodeSelector": {"kubernetes.io/arch": "amd64"}}, "status": status})


@pytest.mark.parametrize(
    ("line", "pulled"),
    [
        (_answer(containerStatuses=[{"state": {"terminated": {"exitCode": 1}}}]), Pulled.YES),
        (_answer(containerStatuses=[{"state": {"waiting": {"reason": "CreateContainerConfigError"}}}]), Pulled.YES),
        (_answer(containerStatuses=[{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]), Pulled.YES),
        (
            _answer(containerStatuses=[{"imageID": "old", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]),
            Pulled.NO,
        ),
        (_answer(containerStatuses=[{"state": {"waiting": {"reason": "ErrImagePull", "message": "x"}}}]), Pulled.NO),
        (_answer(containerStatuses=[{"state": {"waiting": {"reason": "ContainerCreating"}}}]), Pulled.UNKNOWN),
        (_answer(conditions=[{"reason": "Unschedulable", "message": "no"}]), Pulled.NOWHERE),
        (_answer(), Pulled.UNKNOWN),
    ],
)
def test_what_a_pod_s_status_says(line: str, pulled: Pulled) -> None:
    noise = "Warning: something\n{not json}\n{}\n"
    assert [proof.pulled for proof in _proofs(noise + line)] == [pulled]
    assert isinstance(next(iter(_proofs(line))), Proof)
