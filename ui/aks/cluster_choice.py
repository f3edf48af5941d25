"""Which cluster the URL names."""

from collections.abc import Sequence

import streamlit as st

from services.aks.clusters import Cluster


def cluster_key(cluster: Cluster, clusters: Sequence[Cluster]) -> str:
    """What the URL calls a cluster: its name, with its group where two share a name, else its id."""
    alike = [other for other in clusters if other.name.casefold() == cluster.name.casefold()]
    if len(alike) == 1:
        return cluster.name
    in_group = [other for other in alike if other.resource_group.casefold() == cluster.resource_group.casefold()]
    return f"{cluster.resource_group}/{cluster.name}" if len(in_group) == 1 else cluster.id


def choose_cluster(clusters: Sequence[Cluster]) -> Cluster | None:
    """The cluster that is chosen here or in the URL; None if none is."""
    keys = {cluster_key(cluster, clusters): cluster for cluster in clusters}
    key = st.selectbox("Cluster", list(keys), None, key="cluster", bind="query-params", placeholder="Choose one")
    return keys.get(key) if key else None
