"""The proof of a pull: a short-lived pod that names the very image, on a node of each architecture, by run command."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import uuid4

from services.aks.clusters import Cluster
from services.aks.run_command import run_command, run_command_blockers
from services.connection.errors import ServiceError
from services.connection.names import image_name, is_digest, is_tag, require_repository
from services.connection.session import AzureSession
from services.registries.registry import Registry

# A command has a minute in all, whatever the number of pods.
POLLS, BETWEEN_S = 12, 3
# The kubelet's reasons to wait. What comes after the pull proves it, even where the container then can't start.
# https://kubernetes.io/docs/concepts/containers/images/ and pkg/kubelet/images/types.go, container/sync_result.go
_NOT_PULLED = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)
_AFTER_THE_PULL = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff")
_DECIDED = _NOT_PULLED + _AFTER_THE_PULL
_LABEL = "acr-console-proof"


class Pulled(StrEnum):
    """UNKNOWN: the time was up before the node had pulled the image or failed to."""

    YES = "pulled"
    NO = "not pulled"
    NOWHERE = "no node to run on"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Proof:
    """What a node of one architecture made of the image; `message` in its own words."""

    architecture: str
    pulled: Pulled
    message: str


@dataclass(frozen=True)
class ProofPlan:
    """What would run in the cluster: all of `script`. Nothing is sent while there are `blockers`."""

    cluster: Cluster
    image: str
    architectures: tuple[str, ...]
    script: str
    blockers: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[str, ...]:
        """The script: no line of az does the same."""
        return (self.script,)


def plan_proof(
    cluster: Cluster, registry: Registry, repository: str, reference: str, run_id: str | None = None
) -> ProofPlan:
    """`reference` is a tag or a digest. Raises ServiceError for what can be no image's name."""
    title = "Could not plan the test pull"
    require_repository(title, repository)
    if not (is_tag(reference) or is_digest(reference)):
        raise ServiceError(title, f"{reference!r} is neither a tag nor a digest.", "Name one.", "InvalidReference")
    image = f"{registry.login_server}/{image_name(repository, reference)}"
    linux = [pool for pool in cluster.pools if pool.os.lower() == "linux"]
    architectures = tuple(sorted({size.architecture or "amd64" for pool in linux for size in pool.sizes_in_use}))
    blockers = [*run_command_blockers(cluster)]
    if not architectures:
        blockers.append("The cluster has no Linux node: the pod of this proof is one of Linux.")
    script = _script(image, architectures, run_id or uuid4().hex[:8])
    return ProofPlan(cluster, image, architectures, script, tuple(blockers))


def _script(image: str, architectures: Iterable[str], run_id: str) -> str:
    """Makes the pods, waits for each until it was pulled or not, prints what became of it, and always deletes them."""
    label = f"{_LABEL}={run_id}"
    lines = [
        f"trap 'kubectl delete pod -n default -l {label} --ignore-not-found --wait=false >/dev/null' EXIT",
    ]
    names = []
    for architecture in architectures:
        name = f"{_LABEL}-{run_id}-{architecture}"
        names.append(name)
        lines += [
            f"# acr-console: pull {image}",
            "kubectl apply -f - <<'END' >/dev/null",
            json.dumps(_pod(name, run_id, image, architecture)),
            "END",
        ]
    reason = '((.status.containerStatuses // [])[0] | .state.waiting.reason // "")'
    over = f'.status.phase != "Pending" or ({reason} | IN({", ".join(json.dumps(one) for one in _DECIDED)}))'
    lines.append("polls=0")
    for name in names:
        lines += [
            f"until kubectl get pod -n default {name} -o json > /tmp/{name}.json",
            f"  jq -e '{over}' < /tmp/{name}.json > /dev/null || [ $polls -ge {POLLS} ]",
            "do",
            "  polls=$((polls + 1))",
            f"  sleep {BETWEEN_S}",
            "done",
            f"jq -c '{{spec: {{nodeSelector: .spec.nodeSelector}}, status: .status}}' /tmp/{name}.json",
        ]
    return "\n".join(lines) + "\n"


def _pod(name: str, run_id: str, image: str, architecture: str) -> dict[str, Any]:
    """As little as a pod can be: no token, no privilege, no restart. Whatever the image runs is ended by the trap."""
    container = {
        "name": "pull",
        "image": image,
        "imagePullPolicy": "Always",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "100m", "memory": "64Mi"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {_LABEL: run_id}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": architecture},
            # A system pool kept for add-ons pulls as the others do, and may be the only one of its architecture.
            "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
            "containers": [container],
        },
    }


def run_proof(session: AzureSession, plan: ProofPlan) -> tuple[Proof, ...]:
    """Runs the script in the cluster, and reports what each node made of the image.

    Raises ServiceError where the command is refused or fails: then nothing is proved, either way.
    """
    title = f"Could not run the test pull in {plan.cluster.name}"
    if plan.blockers:
        raise ServiceError(title, " ".join(plan.blockers), "The plan refused it, and nothing was sent.", "Refused")
    output = run_command(session, plan.cluster, plan.script, title)
    proofs = tuple(_proofs(output.logs))
    if not proofs:
        said = output.logs.strip()[-500:] or f"It ended with {output.exit_code} and printed nothing."
        remedy = "A policy, or Kubernetes' own permissions, may forbid pods in the namespace default."
        raise ServiceError(title, said, remedy, "CommandFailed")
    return proofs


def _proofs(logs: str) -> Iterable[Proof]:
    for line in logs.splitlines():
        if not line.startswith("{"):
            continue
        try:
            yield _proof(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # Something else that begins with a brace.


def _proof(pod: Mapping[str, Any]) -> Proof:
    architecture = str(pod["spec"]["nodeSelector"]["kubernetes.io/arch"])
    status = pod["status"]
    for container in status.get("containerStatuses") or ():
        state = container.get("state") or {}
        waiting = state.get("waiting") or {}
        reason = str(waiting.get("reason") or "")
        said = f"{reason}: {waiting.get('message') or ''}".strip(": ")
        if reason in _NOT_PULLED:
            return Proof(architecture, Pulled.NO, said)
        if state.get("running") or state.get("terminated") or container.get("imageID") or reason in _AFTER_THE_PULL:
            return Proof(architecture, Pulled.YES, str(container.get("imageID") or said))
    for condition in status.get("conditions") or ():
        if condition.get("reason") == "Unschedulable":
            return Proof(architecture, Pulled.NOWHERE, str(condition.get("message") or "No node fits."))
    return Proof(architecture, Pulled.UNKNOWN, "The time was up before the node had the image, or failed to get it.")
