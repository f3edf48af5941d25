"""Checks of who pulls: the cluster's identity model, its kubelet identity, whether it exists, and its tenant."""

from dataclasses import dataclass

from services.aks.clusters import Cluster, IdentityModel
from services.connection.errors import ServiceError
from services.connection.resource_ids import same_id
from services.pull_checks.checks import Check, CheckState, unknown

MODEL, KUBELET, EXISTENCE, TENANT = "Identity model", "Kubelet identity", "Kubelet identity exists", "Tenant"
_UNAUTHORIZED = "failed to authorize: failed to fetch anonymous token: 401 Unauthorized"


@dataclass(frozen=True)
class IdentityResource:
    """The managed identity as a resource. `object_id` "" where Azure does not report it."""

    object_id: str
    client_id: str


def identity_model(cluster: Cluster) -> Check:
    """C3: as what the cluster acts."""
    match cluster.identity_model:
        case IdentityModel.UNKNOWN:
            return unknown("C3", MODEL, "Azure reports neither a managed identity nor a service principal.")
        case IdentityModel.SERVICE_PRINCIPAL:
            said = f"A service principal: {cluster.service_principal_id}. Pulls stop when its secret expires."
            return Check("C3", MODEL, CheckState.PASSED, said)
    return Check("C3", MODEL, CheckState.PASSED, f"A {cluster.identity_model}.")


def puller(cluster: Cluster) -> Check:
    """C3: whom a role has to be assigned to, with all its ids."""
    who = cluster.puller
    if not who.known:
        return unknown("C3", KUBELET, who.why, "Wait until the cluster is created, then check again.")
    ids = [f"client id {who.client_id}"] if who.client_id else []
    ids += [f"object id {who.object_id}"] if who.object_id else []
    ids += [cluster.kubelet.resource_id] if cluster.kubelet and cluster.kubelet.resource_id else []
    return Check("C3", KUBELET, CheckState.PASSED, f"{', '.join(ids)}. {who.why}")


def existence(cluster: Cluster, found: IdentityResource | ServiceError | None) -> Check:
    """C3: whether that identity is there, and still the one that the cluster knows. None: it was not looked for."""
    fix = "Assign the kubelet identity to the cluster again: `az aks update --assign-kubelet-identity`."
    if found is None:
        why = (
            "A service principal: only the directory knows whether it is there and its secret valid."
            if cluster.identity_model is IdentityModel.SERVICE_PRINCIPAL
            else "Azure reports no resource id of the identity."
        )
        return unknown("C3", EXISTENCE, why)
    if isinstance(found, ServiceError):
        # A refusal, or a 404 of something else, proves nothing.
        if found.status == 404 and found.code == "ResourceNotFound":
            said = "The identity's resource is gone, and nodes get no token as it."
            return Check("C3", EXISTENCE, CheckState.FAILED, said, _UNAUTHORIZED, fix)
        return unknown("C3", EXISTENCE, found)
    known = cluster.puller.object_id
    if found.object_id and known and not same_id(found.object_id, known):
        said = f"It was recreated: its object id is {found.object_id}, and the cluster knows {known}."
        return Check("C3", EXISTENCE, CheckState.FAILED, said, _UNAUTHORIZED, fix)
    return Check("C3", EXISTENCE, CheckState.PASSED, f"It is there: object id {found.object_id or known}.")


def tenant(cluster: Cluster, registry_tenant: str | ServiceError) -> Check:
    """C4: a managed identity can hold no role in another tenant.

    https://learn.microsoft.com/azure/container-registry/authenticate-aks-cross-tenant
    """
    if isinstance(registry_tenant, ServiceError):
        return unknown("C4", TENANT, registry_tenant)
    if not registry_tenant or not cluster.tenant_id:
        return unknown("C4", TENANT, "The tenant of the registry or of the cluster is not reported.")
    if same_id(registry_tenant, cluster.tenant_id):
        return Check("C4", TENANT, CheckState.PASSED, f"Both are of the tenant {registry_tenant}.")
    said = f"The registry is of the tenant {registry_tenant}, the cluster of {cluster.tenant_id}."
    if cluster.identity_model is IdentityModel.SERVICE_PRINCIPAL:
        fix = "The application has to be multi-tenant, with a service principal and a role in the registry's tenant."
        return Check("C4", TENANT, CheckState.WARNING, said, _UNAUTHORIZED, fix)
    fix = "Use a multi-tenant service principal, a token of the registry, or a registry of the cluster's tenant."
    return Check("C4", TENANT, CheckState.FAILED, f"{said} A managed identity can't cross them.", _UNAUTHORIZED, fix)
