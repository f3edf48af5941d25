"""What ran in clusters of late, by the logs of Container insights: nothing is asked of the cluster.

The agent logs the containers of pods, so neither what is scaled to zero nor what it was told to leave out. It adds to
what is known, and says of no cluster that all of it is known. Its Repository is the host of an image's name, its
ImageID the manifest that the node pulled; where a node names an image by its digest alone, that is its Image and
ImageTag: https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerinventory
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.aks.clusters import Cluster
from services.arm.logs import Row, query_logs
from services.connection.answers import checked, time_or_none
from services.connection.errors import as_service_error
from services.connection.names import is_digest
from services.connection.parallel import Partial, parallel_map
from services.connection.session import AzureSession
from services.running.images import ClusterImages, RunningImage, merge_images

SPAN = timedelta(days=1)
QUERY = """let pods = KubePodInventory
| where isnotempty(ContainerID)
| summarize arg_max(TimeGenerated, Namespace, ControllerKind, ControllerName, Name) by ContainerID;
ContainerInventory
| where isnotempty(ContainerID)
| summarize arg_max(TimeGenerated, Repository, Image, ImageTag, ImageID, ContainerState) by ContainerID
| join kind=leftouter pods on ContainerID
| summarize Last = max(TimeGenerated), Running = countif(ContainerState == "Running")\
 by Repository, Image, ImageTag, ImageID, Namespace, ControllerKind, ControllerName, Name"""
_ROLE = "Log Analytics Reader on the workspace allows it; so may Reader on the cluster."


def read_logged(session: AzureSession, clusters: Iterable[Cluster]) -> Partial[ClusterImages]:
    """What ran within `SPAN` in those of the clusters that have Container insights; `at` is when the last of it was
    seen. A cluster of which nothing is logged is left out: its agent may be off."""
    logged = [one for one in clusters if one.container_insights]
    found = parallel_map(lambda cluster: _read(session, cluster), logged, name=lambda cluster: cluster.name)
    return Partial(tuple(one for one in found.values if one), found.refused, found.untried)


def _read(session: AzureSession, cluster: Cluster) -> ClusterImages | None:
    title = f"Could not read the logs of {cluster.name}"
    rows = query_logs(session, cluster.id, title, QUERY, SPAN, _ROLE)
    with as_service_error(title):
        read = [checked(_image(row)) for row in rows]
    if not read:
        return None
    return ClusterImages(cluster, max(at for at, _ in read), merge_images(_added(image for _, image in read)))


def _image(row: Row) -> tuple[datetime, RunningImage]:
    text = {name: str(value or "") for name, value in row.items()}
    at = time_or_none(row["Last"])
    if at is None or not text["Image"]:
        raise ValueError("a container without a time or an image")
    digest = text["ImageID"] if is_digest(text["ImageID"]) else ""
    host, tag = text["Repository"], text["ImageTag"]
    reference = f"{host}/{text['Image']}" if host else text["Image"]
    owner = (text["ControllerKind"], text["ControllerName"]) if text["ControllerName"] else ("Pod", text["Name"])
    return at, RunningImage(
        text["Namespace"], *owner, f"{reference}:{tag}" if tag else reference, digest, int(row["Running"])
    )


def _added(images: Iterable[RunningImage]) -> Iterable[RunningImage]:
    """The pods of one owner and image as one."""
    numbers: dict[RunningImage, int] = {}
    for one in images:
        key = one._replace(replicas=0)
        numbers[key] = numbers.get(key, 0) + one.replicas
    return [key._replace(replicas=number) for key, number in numbers.items()]
