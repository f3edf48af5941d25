"""A cluster's two identities side by side: which one pulls images, and what the other is for."""

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from services.access.role_assignments import AccessRecords
from services.aks.clusters import Cluster, ManagedIdentity
from services.aks.puller import PullerAccess
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.loaders.principals import PrincipalNames, assignments_reaching

_HELP = (
    "Azure stores a role assignment under the identity's object id. `az role assignment create --assignee` also "
    "accepts the client id: it looks the object id up in the directory."
)


def show_identities(
    cluster: Cluster,
    registry: Registry,
    access: PullerAccess | None,
    records: AccessRecords | None,
    names: PrincipalNames,
) -> None:
    """The guide's table of both identities with this cluster's values; their ids are folded.

    `access`: what the checks read of who pulls, None where it is unknown. `records`: of the registry's subscription,
    None where they could not be read.
    """
    st.subheader("Kubelet identity and control plane identity", anchor=False, help=_HELP)
    kubelet, control = cluster.kubelet, cluster.control_plane
    puller_id = access.principal_id if access else cluster.puller.object_id
    puller_records = access.access.records if access else records
    groups = access.access.groups if access else frozenset()
    one_for_both = bool(cluster.service_principal_id and not kubelet)
    control_id = puller_id if one_for_both else control.object_id if control else ""
    rows = {
        "Purpose": ("Used by kubelet on the nodes", "Used by AKS to manage the cluster"),
        "Identity type": (_kubelet_type(cluster), _control_plane_type(cluster)),
        "Scope": ("Every node of the cluster", "The control plane"),
        "Used for": ("Image pulls, Key Vault and storage from nodes", "Load balancers, disks, node pools"),
        "Lifecycle": _lifecycles(cluster),
        "Pulls images": (
            ":green-badge[:material/download: yes]",
            "As the service principal" if one_for_both else ":gray-badge[:material/close: no]",
        ),
        "Name": (_name(puller_id, names), _name(control_id, names)),
        f"Roles on {plain(registry.name)}": (
            _roles(puller_records, registry, (puller_id, *groups)),
            _roles(records, registry, (control_id,)),
        ),
    }
    st.table(
        pd.DataFrame(list(rows.values()), index=list(rows), columns=["Kubelet identity", "Control plane identity"]),
        border="horizontal",
    )
    with st.expander("Ids to copy", icon=":material/content_copy:"):
        left, right = st.columns(2)
        with left:
            st.markdown("**Kubelet identity**" if kubelet else "**Service principal**")
            _show_ids(kubelet or ManagedIdentity(puller_id, cluster.service_principal_id), "Object id")
        with right:
            st.markdown("**Control plane identity**")
            _show_ids(control, "Object id (identity.principalId)")


def _kubelet_type(cluster: Cluster) -> str:
    if cluster.kubelet:
        return "User-assigned managed identity"
    return "Service principal" if cluster.service_principal_id else "Not reported"


def _control_plane_type(cluster: Cluster) -> str:
    if cluster.control_plane:
        return str(cluster.identity_model).capitalize()
    return "The same service principal" if cluster.service_principal_id else "Not reported"


def _lifecycles(cluster: Cluster) -> tuple[str, str]:
    if not cluster.kubelet:
        kept = "Created and kept by its owner" if cluster.service_principal_id else "Not reported"
        return kept, kept
    by_aks = f"/{cluster.name}-agentpool" in cluster.kubelet.resource_id
    kubelet = "Created by AKS with the cluster, deleted with it" if by_aks else "Created and kept by its owner"
    control = cluster.control_plane
    if control is None:
        return kubelet, "Not reported"
    return kubelet, "Created and kept by its owner" if control.resource_id else "Created and deleted with the cluster"


def _name(principal_id: str, names: PrincipalNames) -> str:
    if not principal_id:
        return "Unknown: its object id is not known"
    why = names.why_unnamed(principal_id)
    return why.capitalize() if why else plain(names.name(principal_id))


def _roles(records: AccessRecords | None, registry: Registry, principals: Iterable[str]) -> str:
    ids = {one.lower() for one in principals if one}
    if records is None:
        return "Unknown: role assignments could not be read"
    if not ids:
        return "Unknown: its object id is not known"
    if not records.all_assignments:
        return "Unknown: not every role assignment could be read"
    found = [one for one in assignments_reaching(records, registry) if one.principal_id.lower() in ids]
    names = ((role.name if (role := records.role(one.role)) else one.role) for one in found)
    return plain(", ".join(dict.fromkeys(names))) or "None"


def _show_ids(identity: ManagedIdentity | None, object_id: str) -> None:
    if identity is None:
        st.markdown("None")
        return
    for label, value in (
        (object_id, identity.object_id),
        ("Client id", identity.client_id),
        ("Resource id", identity.resource_id),
    ):
        st.caption(label)
        st.code(value or "not reported", language=None, wrap_lines=True)
