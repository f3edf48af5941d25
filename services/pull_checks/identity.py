"""Checks of who pulls: the cluster's identity model, its kubelet identity, whether it exists, and its tenant."""

from dataclasses import dataclass

from services.aks.clusters import Cluster, IdentityModel
from services.connection.errors import ServiceError
from services.connection.resource_ids import same_id
from services.pull_checks.checks import EXISTENCE, TITLES, Check, CheckState, unknown

MODEL, KUBELET, TENANT = "Identity model", TITLES["C3"], TITLES["C4"]
_UNAUTHORIZED = "failed to authorize: failed to fetch anonymous token: 401 Unauthorized"


@dataclass(frozen=True)
class IdentityResource:
    """The managed identity as a resource. `object_id` is "" if Azure does not report it."""

    object_id: str
    client_id: str


def identity_model(cluster: Cluster) -> Check:
    """C3: which kind of identity the cluster has."""
    match cluster.identity_model:
        case IdentityModel.UNKNOWN:
            return unknown("C3", MODEL, "Azure reports neither a managed identity nor a service principal.")
        case IdentityModel.SERVICE_PRINCIPAL:
            evidence = f"A service principal: {cluster.service_principal_id}. Pulls stop when its secret expires."
            return Check("C3", MODEL, CheckState.PASSED, evidence)
    return Check("C3", MODEL, CheckState.PASSED, f"A {cluster.identity_model}.")


def puller(cluster: Cluster) -> Check:
    """C3: the identity that needs the role, with all its ids."""
    who = cluster.puller
    if not who.known:
        return unknown("C3", KUBELET, who.why, "Wait until the cluster is created, then check again.")
    ids = [f"client id {who.client_id}"] if who.client_id else []
    ids += [f"object id {who.object_id}"] if who.object_id else []
    ids += [cluster.kubelet.resource_id] if cluster.kubelet and cluster.kubelet.resource_id else []
    return Check("C3", KUBELET, CheckState.PASSED, f"{', '.join(ids)}. {who.why}")


def existence(cluster: Cluster, found: IdentityResource | ServiceError | None) -> Check:
    """C3: whether that identity exists, and is still the one that the cluster uses. `found` None: not read."""
    fix = "Assign the kubelet identity to the cluster again: `az aks update --assign-kubelet-identity`."
    if found is None:
        why = (
            "A service principal: whether its secret is still valid is not read."
            if cluster.identity_model is IdentityModel.SERVICE_PRINCIPAL
            else "Azure reports no resource id of the identity."
        )
        return unknown("C3", EXISTENCE, why)
    if isinstance(found, ServiceError):
        # A refusal, or a 404 of something else, does not show that it is deleted.
        if found.status == 404 and found.code == "ResourceNotFound":
            evidence = "The managed identity is deleted: nodes get no token for it."
            return Check("C3", EXISTENCE, CheckState.FAILED, evidence, _UNAUTHORIZED, fix)
        return unknown("C3", EXISTENCE, found)
    known = cluster.puller.object_id
    if found.object_id and known and not same_id(found.object_id, known):
        evidence = f"The identity was recreated: its object id is {found.object_id}, but the cluster uses {known}."
        return Check("C3", EXISTENCE, CheckState.FAILED, evidence, _UNAUTHORIZED, fix)
    return Check("C3", EXISTENCE, CheckState.PASSED, f"It exists: object id {found.object_id or known}.")


def tenant(
    cluster: Cluster, registry_tenant: str | ServiceError, cluster_tenant: str | ServiceError | None = None
) -> Check:
    """C4: whether both are in one tenant: a managed identity can't have a role in another. `cluster_tenant`: of the
    cluster's subscription, where the cluster itself does not report it.

    https://learn.microsoft.com/azure/container-registry/authenticate-aks-cross-tenant
    """
    if isinstance(registry_tenant, ServiceError):
        return unknown("C4", TENANT, registry_tenant)
    mine = cluster.tenant_id or cluster_tenant
    if isinstance(mine, ServiceError):
        return unknown("C4", TENANT, mine)
    if not registry_tenant or not mine:
        return unknown("C4", TENANT, "The tenant of the registry or of the cluster is not reported.")
    if same_id(registry_tenant, mine):
        return Check("C4", TENANT, CheckState.PASSED, f"Both are in the tenant {registry_tenant}.")
    evidence = f"The registry is in the tenant {registry_tenant}, the cluster in {mine}."
    if cluster.identity_model is IdentityModel.SERVICE_PRINCIPAL:
        fix = "The application has to be multi-tenant, with a service principal and a role in the registry's tenant."
        return Check("C4", TENANT, CheckState.WARNING, evidence, _UNAUTHORIZED, fix)
    fix = "Use a multi-tenant service principal, a repository token, or a registry in the cluster's tenant."
    return Check(
        "C4",
        TENANT,
        CheckState.FAILED,
        f"{evidence} A managed identity can't have a role in another tenant.",
        _UNAUTHORIZED,
        fix,
    )
