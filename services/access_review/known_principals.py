"""What clusters report of principals: the identities that are theirs. The directory is not asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.aks.clusters import Cluster


@dataclass(frozen=True)
class KnownPrincipals:
    """'the kubelet identity of aks1', by object id and by client id, both in lower case."""

    object_ids: Mapping[str, str] = field(default_factory=dict)
    client_ids: Mapping[str, str] = field(default_factory=dict)


def known_principals(clusters: Iterable[Cluster]) -> KnownPrincipals:
    """The identities of clusters. One that several share is named by the last."""
    object_ids: dict[str, str] = {}
    client_ids: dict[str, str] = {}
    for cluster in clusters:
        for identity, what in (
            (cluster.control_plane, "control plane's identity"),
            (cluster.kubelet, "kubelet identity"),
        ):
            if identity and identity.object_id:
                object_ids[identity.object_id.lower()] = f"the {what} of {cluster.name}"
            if identity and identity.client_id:
                also = f", whose object id is {identity.object_id}" if identity.object_id else ""
                client_ids[identity.client_id.lower()] = f"the {what} of {cluster.name}{also}"
        if cluster.service_principal_id:
            client_ids[cluster.service_principal_id.lower()] = f"the service principal of {cluster.name}"
    # Who has one GUID for both is no mistake.
    return KnownPrincipals(object_ids, {one: whose for one, whose in client_ids.items() if one not in object_ids})
