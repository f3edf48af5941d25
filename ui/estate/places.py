"""Where a registry, a cluster, a repository or an image is shown: its page, and that page's query."""

from collections.abc import Sequence

from services.aks.clusters import Cluster
from services.registries.registry import Registry
from ui.aks.cluster_choice import cluster_key
from ui.navigation import pages
from ui.navigation.pages import PageLink
from ui.navigation.selection import key_of

Place = tuple[PageLink, dict[str, str]]


def place_of_registry(
    registry: Registry, registries: Sequence[Registry], repository: str = "", image: str = ""
) -> Place:
    """The page of a registry, of its `repository`, or of the `image` (a tag or a digest) in that."""
    query = {"registry": key_of(registry, registries)}
    if not repository:
        return pages.REGISTRY, query
    query["repository"] = repository
    return (pages.IMAGE, {**query, "reference": image}) if image else (pages.REPOSITORY, query)


def place_of_cluster(cluster: Cluster, clusters: Sequence[Cluster]) -> Place:
    """The integration checker at a cluster."""
    return pages.INTEGRATION_CHECKER, {"cluster": cluster_key(cluster, clusters)}
