"""Checks of the present state: registry and cluster, the age of the role assignment, and the limit of requests."""

from datetime import datetime, timedelta

from services.access.decisions import Decision
from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.resource_ids import same_id
from services.pull_checks.checks import TITLES, Check, CheckState, unknown
from services.registries.registry import Registry
from services.registries.skus import LIMITS, sku_of
from services.wording import counted

REGISTRY, AGE, THROTTLING, CLUSTER = (TITLES[one] for one in ("C1", "C8", "C18", "C19"))
# https://learn.microsoft.com/azure/role-based-access-control/troubleshooting: "can take up to 10 minutes".
PROPAGATION = timedelta(minutes=10)
# Assumed if no image is named.
_USUAL_LAYERS = 12
_UNAUTHORIZED = "failed to authorize: failed to fetch anonymous token: 401 Unauthorized, then it works"


def registry_state(registry: Registry) -> Check:
    """C1: the registry's state, with its login server as Azure reports it."""
    evidence = f"{registry.login_server}: {registry.unsettled or 'state Succeeded'}."
    match registry.provisioning_state:
        case "Succeeded":
            return Check("C1", REGISTRY, CheckState.PASSED, evidence)
        case "":
            return unknown("C1", REGISTRY, evidence)
        case "Creating" | "Deleting":
            fix = "Wait until it is created, or choose another registry."
            return Check("C1", REGISTRY, CheckState.FAILED, evidence, "dial tcp: lookup: no such host", fix)
    fix = "Pulls may still work. See the activity log."
    return Check("C1", REGISTRY, CheckState.WARNING, evidence, "", fix)


def assignment_age(decision: Decision | ServiceError, now: datetime) -> Check | None:
    """C8: whether the role assignment is old enough to have taken effect. None if no role is known."""
    if isinstance(decision, ServiceError) or not decision.granting:
        return None
    times = [reason.assignment.created for reason in decision.granting]
    known = [time for time in times if time]
    if not known:
        return unknown("C8", AGE, "Azure does not report when the role was assigned.")
    age = now - min(known)
    if age < PROPAGATION:
        evidence = f"The role was assigned {max(0, int(age.total_seconds() // 60))} minutes ago."
        fix = "It takes up to 10 minutes to take effect; a node keeps an old token for up to an hour: restart the pod."
        return Check("C8", AGE, CheckState.WARNING, evidence, _UNAUTHORIZED, fix)
    return Check("C8", AGE, CheckState.PASSED, f"The role was assigned on {min(known):%d %B %Y}: it has taken effect.")


def throttling(cluster: Cluster, registry: Registry, layers: int | None = None) -> Check:
    """C18: whether all nodes can pull at once: they share the kubelet identity, and its limit of reads a minute.

    https://learn.microsoft.com/azure/container-registry/container-registry-skus
    """
    sku = sku_of(registry.sku)
    if sku is None:
        return unknown("C18", THROTTLING, f"The limits of {registry.sku} are not known.")
    if cluster.nodes is None:
        return unknown("C18", THROTTLING, f"Azure does not report how many nodes {cluster.name} has.")
    # One request each for the token, the index and the manifest.
    each = 3 + (layers or _USUAL_LAYERS)
    requests, limit = cluster.nodes * each, LIMITS[sku].reads // 2
    nodes = counted(cluster.nodes, "node")
    size = "" if layers else f" if the image has {_USUAL_LAYERS} layers, as its own are not known"
    evidence = f"{nodes} pulling at once: {requests} requests{size}; one identity may make {limit} a minute."
    if requests > limit:
        fix = "Roll out in steps, keep images on the nodes (artifact streaming, a cache), or choose a larger SKU."
        return Check("C18", THROTTLING, CheckState.WARNING, evidence, "429 Too Many Requests (toomanyrequests)", fix)
    return Check("C18", THROTTLING, CheckState.PASSED, evidence)


def cluster_state(cluster: Cluster, registry: Registry) -> Check:
    """C19: whether the cluster runs, and pulls from this registry as this identity."""
    if cluster.power == "Stopped":
        evidence, fix = "The cluster is stopped: no node pulls.", "Start it: `az aks start`."
        return Check("C19", CLUSTER, CheckState.FAILED, evidence, "Pods stay Pending", fix)
    if not cluster.provisioning_state:
        return unknown("C19", CLUSTER, "State not reported.")
    concerns = []
    if cluster.provisioning_state != "Succeeded":
        concerns.append(f"Its state is {cluster.provisioning_state}: settings may still change.")
    if cluster.artifact_source == "Cache" and not same_id(cluster.bootstrap_registry_id, registry.id):
        concerns.append("It is network isolated, and gets even system images from another registry than this.")
    if cluster.node_provisioning:
        concerns.append("Nodes of node auto-provisioning may pull as another identity.")
    if cluster.virtual_nodes:
        concerns.append("Virtual nodes do not pull as the kubelet identity.")
    if concerns:
        return Check("C19", CLUSTER, CheckState.WARNING, " ".join(concerns), "", "Check these nodes separately.")
    power = f", {cluster.power.lower()}" if cluster.power else ""
    nodes = "number of nodes not reported" if cluster.nodes is None else counted(cluster.nodes, "node")
    return Check("C19", CLUSTER, CheckState.PASSED, f"{cluster.provisioning_state}{power}, {nodes}.")
