"""The chart: what it renders is what Kubernetes takes, and keeps to what the console needs."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from ui.runtime.settings import NAMES

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "acr-console"
HELM = os.environ.get("HELM")
VERSIONS = ("1.29", "1.37")
REQUIRED: dict[str, Any] = {
    "image": {"repository": "example.azurecr.io/acr-console"},
    "publicUrl": "https://acr-console.example.com",
    "existingSecret": "acr-console",
    "entra": {"tenantId": "4abb5e5e-af15-4a34-b3c2-18f4a9303ee4", "clientId": "2f6c7b1a-93c5-4c0e-8f0d-1f5be2a7c3d4"},
    "ingress": {"tlsSecret": "tls"},
}
ALL: dict[str, Any] = REQUIRED | {
    "image": {"repository": "example.azurecr.io/acr-console", "digest": f"sha256:{'a' * 64}"},
    "settings": {"ACR_CONSOLE_IDLE_MINUTES": 30},
    "metrics": {"enabled": True},
    "networkPolicy": {"metricsFrom": [{"podSelector": {}}], "database": {"cidr": "10.1.0.0/24"}},
    "workloadIdentity": {"clientId": "11111111-2222-3333-4444-555555555555"},
    "archives": {"claim": "image-archives"},
    "reports": {"claim": "cost-reports"},
    "nodeSelector": {"pool": "team"},
    "tolerations": [{"key": "team", "operator": "Exists"}],
}
with_helm = pytest.mark.skipif(
    HELM is None, reason="there is no helm: `make deploy-test` brings one and names it in HELM"
)


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    assert HELM
    done = subprocess.run(
        [HELM, "template", "team", str(CHART), "--values", "-"],
        input=json.dumps(values), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ValueError(done.stderr)
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def by_kind(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in render(values)}


def container(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = by_kind(values)["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    return found


def environment(values: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(values)["env"]}


@with_helm
def test_helm_finds_no_fault() -> None:
    assert HELM
    done = subprocess.run(
        [HELM, "lint", "--strict", str(CHART), "--values", "-"],
        input=json.dumps(ALL), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@with_helm
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [REQUIRED, ALL, REQUIRED | {"replicas": 1, "ingress": {"enabled": False}}])
def test_kubernetes_takes_what_it_renders(values: dict[str, Any], version: str) -> None:
    found = render(values)
    assert {one["kind"] for one in found} >= {"ServiceAccount", "Deployment", "Service", "NetworkPolicy"}
    for one in found:
        kubernetes_validate.validate(one, version, strict=True)


@with_helm
def test_a_field_that_kubernetes_does_not_know_is_seen() -> None:
    found = by_kind(REQUIRED)["Deployment"]
    found["spec"]["template"]["spec"]["containers"][0]["readOnly"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(found, VERSIONS[-1], strict=True)


@with_helm
def test_the_console_runs_without_rights_it_does_not_need() -> None:
    pod = by_kind(ALL)["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 10001
    assert pod["automountServiceAccountToken"] is False
    assert container(ALL)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # Where it writes although the root is read-only.
    mounts = {one["mountPath"]: one["name"] for one in container(ALL)["volumeMounts"] if not one.get("readOnly")}
    assert mounts.keys() == {"/tmp", "/data", "/reports"}
    assert {one["name"] for one in pod["volumes"] if "emptyDir" in one} == set(mounts.values()) - {"reports"}


@with_helm
def test_probes_ask_the_routes_that_there_are() -> None:
    probes = {name: container(ALL)[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert probes == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}
    # /readyz itself takes a second at most.
    assert container(ALL)["readinessProbe"]["timeoutSeconds"] > 1


@with_helm
@pytest.mark.parametrize("values", [REQUIRED, ALL])
def test_secrets_are_named_and_no_values(values: dict[str, Any]) -> None:
    assert container(values)["envFrom"] == [{"secretRef": {"name": "acr-console"}}]
    assert not [name for name in environment(values) if re.search("SECRET|KEYS|DATABASE|PASSWORD", name)]
    assert "Secret" not in by_kind(values)


@with_helm
def test_settings_are_those_of_the_console() -> None:
    found = environment(ALL)
    assert found["ACR_CONSOLE_IDLE_MINUTES"] == "30"
    assert found["ACR_CONSOLE_METRICS_PORT"] == "9102"
    assert found["STREAMLIT_SERVER_ALLOWED_HOSTS"] == "acr-console.example.com"
    assert "ACR_CONSOLE_METRICS_PORT" not in environment(REQUIRED)


@with_helm
def test_a_tab_stays_at_its_pod_and_may_be_quiet() -> None:
    ingress = by_kind(ALL)["Ingress"]
    found = {name.partition("/")[2]: value for name, value in ingress["metadata"]["annotations"].items()}
    assert (found["affinity"], found["affinity-mode"]) == ("cookie", "persistent")
    assert found["proxy-read-timeout"] == found["proxy-send-timeout"] == "3600"
    assert found["proxy-body-size"] == "200m"
    assert environment(ALL)["STREAMLIT_SERVER_MAX_UPLOAD_SIZE"] == "200"
    assert ingress["spec"]["tls"] == [{"hosts": ["acr-console.example.com"], "secretName": "tls"}]


@with_helm
def test_nobody_but_the_ingress_reaches_it() -> None:
    policy = by_kind(ALL)["NetworkPolicy"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all(one["from"] for one in policy["ingress"])
    assert [one["ports"][0]["port"] for one in policy["ingress"]] == ["http", "metrics"]
    assert len(by_kind(REQUIRED)["NetworkPolicy"]["spec"]["ingress"]) == 1
    assert {port["port"] for one in policy["egress"] for port in one["ports"]} == {53, 443, 5432}
    collector = {"ports": [{"port": 4318, "protocol": "TCP"}]}
    more = by_kind(ALL | {"networkPolicy": ALL["networkPolicy"] | {"egress": [collector]}})["NetworkPolicy"]["spec"]
    assert more["egress"] == [*policy["egress"], collector]


@with_helm
def test_the_identity_of_the_pod_is_the_application_unless_another_is_named() -> None:
    for values, expected in ((REQUIRED, REQUIRED["entra"]["clientId"]), (ALL, ALL["workloadIdentity"]["clientId"])):
        annotations = by_kind(values)["ServiceAccount"]["metadata"]["annotations"]
        assert annotations["azure.workload.identity/client-id"] == expected
    without = by_kind(REQUIRED | {"workloadIdentity": {"enabled": False}})
    assert "annotations" not in without["ServiceAccount"]["metadata"]
    assert "azure.workload.identity/use" not in without["Deployment"]["spec"]["template"]["metadata"]["labels"]


@with_helm
def test_one_replica_may_be_moved() -> None:
    assert "PodDisruptionBudget" in by_kind(REQUIRED)
    assert "PodDisruptionBudget" not in by_kind(REQUIRED | {"replicas": 1})


@with_helm
def test_archives_are_a_volume_that_every_pod_reads() -> None:
    (mount,) = [one for one in container(ALL)["volumeMounts"] if one["name"] == "archives"]
    assert mount == {"name": "archives", "mountPath": environment(ALL)["ACR_CONSOLE_ARCHIVES"], "readOnly": True}
    (volume,) = [
        one for one in by_kind(ALL)["Deployment"]["spec"]["template"]["spec"]["volumes"] if one["name"] == "archives"
    ]
    assert volume["persistentVolumeClaim"] == {"claimName": "image-archives", "readOnly": True}
    assert "ACR_CONSOLE_ARCHIVES" not in environment(REQUIRED)
    assert len(container(REQUIRED)["volumeMounts"]) == 2


@with_helm
def test_reports_are_a_volume_that_every_pod_writes_to() -> None:
    (mount,) = [one for one in container(ALL)["volumeMounts"] if one["name"] == "reports"]
    assert mount == {"name": "reports", "mountPath": environment(ALL)["ACR_CONSOLE_REPORT_FOLDER"]}
    (volume,) = [
        one for one in by_kind(ALL)["Deployment"]["spec"]["template"]["spec"]["volumes"] if one["name"] == "reports"
    ]
    assert volume["persistentVolumeClaim"] == {"claimName": "cost-reports"}
    assert "ACR_CONSOLE_REPORT_FOLDER" not in environment(REQUIRED)


def defaults() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return found


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    return found


def merged(values: dict[str, Any]) -> dict[str, Any]:
    """As helm lays values over the defaults."""
    base = defaults()
    for name, value in values.items():
        base[name] = base[name] | value if isinstance(base.get(name), dict) else value
    return base


def test_the_schema_knows_every_value() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    jsonschema.validate(merged(REQUIRED), schema())
    assert schema()["properties"].keys() - {"global"} == defaults().keys()


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_release_without_what_it_needs_is_refused(missing: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged({name: value for name, value in REQUIRED.items() if name != missing}), schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"publicUrl": "http://acr-console.example.com"},
        {"publicUrl": "https://acr-console.example.com/"},
        {"settings": {"ACR_CONSOLE_KEYS": "x"}},
        {"settings": {"ACR_CONSOLE_CLIENT_SECRET": "x"}},
        {"settings": {"ACR_CONSOLE_DATABASE": "x"}},
        {"settings": {"ACR_CONSOLE_REPORT_WEBHOOK": "x"}},
        {"settings": {"PATH": "x"}},
        {"image": {"repository": "x", "digest": "latest"}},
        {"settings": {"OTEL_EXPORTER_OTLP_HEADERS": "x"}},
        {"networkPolicy": {"ingressFrom": []}},
        {"replica": 3},
    ],
)
def test_a_wrong_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged(REQUIRED | wrong), schema())


def test_the_chart_s_version_of_the_console_is_this_one() -> None:
    project = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == project[1]


FILES = [*CHART.rglob("*.yaml"), *(ROOT / "deploy").glob("*.*"), *(ROOT / "deploy" / "azure").glob("*.bicep")]


def test_every_setting_of_a_deployment_is_one_that_the_console_reads() -> None:
    named = {name for file in FILES for name in re.findall(r"ACR_CONSOLE_[A-Z_]+", file.read_text())}
    assert len(named) > 8
    assert named <= NAMES.keys()
