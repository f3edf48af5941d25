"""Whose an id is, from the clusters of the estate."""

from services.access_review.known_principals import known_principals
from services.aks.clusters import list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.session import AzureSession


def test_both_identities_of_a_cluster_are_known_by_each_of_their_ids(session: AzureSession) -> None:
    clusters = list_clusters(session, list_subscriptions(session).values).values
    known = known_principals(clusters)
    (guide,) = (cluster for cluster in clusters if cluster.name == "aks1")
    assert guide.kubelet and guide.control_plane
    assert known.object_ids[guide.kubelet.object_id] == "the kubelet identity of aks1"
    assert known.object_ids[guide.control_plane.object_id] == "the control plane's identity of aks1"
    assert known.client_ids[guide.kubelet.client_id] == (
        f"the kubelet identity of aks1, whose object id is {guide.kubelet.object_id}"
    )
    (batch,) = (cluster for cluster in clusters if cluster.name == "aks-batch")
    assert known.client_ids[batch.service_principal_id] == "the service principal of aks-batch"
    assert not known.object_ids.keys() & known.client_ids.keys()
