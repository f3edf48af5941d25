"""Which cluster the URL names."""

from collections.abc import Sequence

import streamlit as st

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.wording import counted
from ui.elements.errors import show_error
from ui.elements.page import empty
from ui.elements.text import plain
from ui.navigation.choice_links import Choice, show_choices
from ui.navigation.pages import INTEGRATION_CHECKER
from ui.navigation.selection import not_read
from ui.navigation.url_choice import choice_box, offer_nearest

BOX = "cluster"
NEED_READER = "You need Reader on a subscription or cluster to see it here."


def cluster_key(cluster: Cluster, clusters: Sequence[Cluster]) -> str:
    """What the URL calls a cluster: its name, with its group where two share a name, else its id."""
    alike = [other for other in clusters if other.name.casefold() == cluster.name.casefold()]
    if len(alike) == 1:
        return cluster.name
    in_group = [other for other in alike if other.resource_group.casefold() == cluster.resource_group.casefold()]
    return f"{cluster.resource_group}/{cluster.name}" if len(in_group) == 1 else cluster.id


def choose_cluster(listed: Partial[Cluster]) -> Cluster | None:
    """The cluster that is chosen here or in the URL, whatever its case; the only one that there is; else None."""
    keys = {cluster_key(cluster, listed.values): cluster for cluster in listed.values}
    if len(keys) == 1 and listed.complete and "cluster" not in st.query_params:
        st.query_params["cluster"] = next(iter(keys))
    given = st.query_params.get("cluster", "")
    named = next((key for key in keys if key.casefold() == given.casefold()), None)

    # Not bound to the URL by Streamlit: that drops a name that it does not know.
    def remember(key: str) -> None:
        if key:
            st.query_params["cluster"] = key
        else:
            st.query_params.pop("cluster", None)

    unread = not_read(listed)
    choice_box(
        "Cluster",
        list(keys),
        named or "",
        remember,
        name=BOX,
        nothing="No cluster",
        placeholder="Choose one",
        tip=f"Not listed, as they could not be read: the clusters of {plain(', '.join(unread))}" if unread else None,
    )
    return keys[named] if named else None


def show_clusters(listed: Partial[Cluster]) -> None:
    """The clusters as links that open the integration checker on each."""
    if not listed.values:
        what = "No clusters found" if listed.complete else "Clusters unknown"
        why = NEED_READER if listed.complete else "Not every subscription could be read."
        empty(":material/hub:", what, why)
        return
    choices = [
        Choice(
            f"**{plain(one.name)}** · {plain(one.resource_group)}, {plain(one.location)}",
            {
                "Cluster": one.name,
                "Resource group": one.resource_group,
                "Location": one.location,
                "Subscription": one.subscription,
            },
            {"cluster": cluster_key(one, listed.values)},
        )
        for one in sorted(listed.values, key=lambda one: (one.name.casefold(), one.id))
    ]
    show_choices(INTEGRATION_CHECKER, "Choose a cluster", choices, kept=True)


def show_unknown_cluster(listed: Partial[Cluster], chosen: Cluster | None) -> bool:
    """Whether the URL names a cluster that is not listed; says so then, and offers the nearest."""
    given = st.query_params.get("cluster", "")
    if chosen or not given:
        return False
    unread = not_read(listed)
    title, cause = f"There is no cluster {given} here", "No subscription that this identity sees has one of that name."
    if unread:
        title = f"Unknown whether there is a cluster {given}"
        cause = f"The clusters of {counted(len(unread), 'subscription')} could not be read: {', '.join(unread)}."
    show_error(ServiceError(title, cause, "Choose another one, or refresh to read the list again."))
    offer_nearest("cluster", given, [cluster_key(cluster, listed.values) for cluster in listed.values])
    return True
