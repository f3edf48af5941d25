"""A cluster's two identities: which one pulls images, and what the other is for."""

import streamlit as st

from services.aks.clusters import Cluster, ManagedIdentity
from ui.elements.text import plain


def show_identities(cluster: Cluster) -> None:
    """Both identities, with their ids to copy."""
    st.subheader("The two identities", anchor=False)
    st.markdown(f"The cluster acts as a {cluster.identity_model}. {plain(cluster.puller.why)}")
    pulls, acts = st.columns(2)
    with pulls, st.container(border=True, height="stretch"):
        st.markdown(":green-badge[:material/download: pulls images] **Kubelet identity**")
        if cluster.kubelet:
            _show_ids(cluster.kubelet, "identityProfile.kubeletidentity")
        elif cluster.service_principal_id:
            st.markdown("None: the nodes pull as the cluster's service principal.")
            _id("Client id (servicePrincipalProfile.clientId)", cluster.service_principal_id)
        else:
            st.markdown("Azure reports none.")
        st.caption("Used by the node pools. Assign pull roles to its object id, never to its client id.")
    with acts, st.container(border=True, height="stretch"):
        st.markdown(":gray-badge[:material/settings: manages the cluster] **Control plane's identity**")
        if cluster.control_plane:
            _show_ids(cluster.control_plane, "identity")
        else:
            st.markdown("None")
        st.caption("Used for load balancers, disks and node pools. It never pulls images.")


def _show_ids(identity: ManagedIdentity, where: str) -> None:
    principal = "principalId" if where == "identity" else "objectId"
    _id(f"Object id ({where}.{principal})", identity.object_id)
    if identity.client_id:
        _id(f"Client id ({where}.clientId)", identity.client_id)
    if identity.resource_id:
        _id("Resource id", identity.resource_id)


def _id(label: str, value: str) -> None:
    st.caption(label)
    st.code(value or "not reported", language=None, wrap_lines=True)
