"""An image that runs somewhere, what it names, and a cluster that was asked for its images."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.names import is_digest, is_repository, is_tag

DOCKER_HUB = "docker.io"
# As the kubelet and containerd take a name apart: github.com/distribution/reference.
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?::\d+)?")


@dataclass(frozen=True)
class Reference:
    """What an image's reference names. `host` is in lower case; `tag` "" where it names a digest alone, `digest` ""
    where it names none."""

    host: str
    repository: str
    tag: str
    digest: str


class HostKind(StrEnum):
    """What runs images."""

    CLUSTER = "AKS cluster"
    APP = "Container App"
    APP_JOB = "Container Apps job"
    CONTAINER_GROUP = "Container Instances"


@dataclass(frozen=True)
class Host:
    """What runs images: a cluster, an app, a job, or a container group."""

    id: str
    name: str
    kind: HostKind
    resource_group: str
    subscription_id: str

    @classmethod
    def of(cls, cluster: Cluster) -> "Host":
        return cls(cluster.id, cluster.name, HostKind.CLUSTER, cluster.resource_group, cluster.subscription_id)

    @property
    def inside(self) -> str:
        """Where its workloads are, by name: the cluster itself, or the resource group of an app."""
        return self.name if self.kind is HostKind.CLUSTER else self.resource_group


@dataclass(frozen=True)
class Owner:
    """Whose pods they are, by namespace, kind and name: a Deployment; a ReplicaSet that is kept for rollback; a Pod; an
    app, which has no namespace."""

    namespace: str
    kind: str
    name: str

    @property
    def label(self) -> str:
        """Such as 'Deployment shop/web', or 'Container App web'."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class RunningImage(NamedTuple):
    """A container's image: of pods, or of the template of their owner.

    `reference` is as the pod or template names it, whatever that is. `digest` is the manifest that the node pulled, ""
    where none has, or in a template. `replicas`: pods of this image and digest, or those that the template asks for: 0
    where it is scaled to zero, suspended, or kept for rollback.
    """

    namespace: str
    kind: str
    name: str
    reference: str
    digest: str
    replicas: int

    @property
    def owner(self) -> Owner:
        return Owner(self.namespace, self.kind, self.name)


@dataclass(frozen=True)
class ClusterImages:
    """What a cluster answered `at` a time: `images`, or the `error` why it could not be asked. `by`: the name of who
    asked, where people sign in to the console."""

    cluster: Cluster
    at: datetime
    images: tuple[RunningImage, ...] = ()
    error: ServiceError | None = None
    by: str = ""


def parse_reference(text: str) -> Reference | None:
    """What a reference names, with the defaults of Docker Hub and of the tag latest. None where it is no reference: no
    node can pull it."""
    named, _, digest = text.partition("@")
    if digest and not is_digest(digest):
        return None
    first, slash, rest = named.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        host, path = first.casefold(), rest
    else:
        host, path = DOCKER_HUB, named
    repository, colon, tag = path.partition(":")
    if colon and not is_tag(tag):
        return None
    if host in (DOCKER_HUB, "index.docker.io"):
        host, repository = DOCKER_HUB, repository if "/" in repository else f"library/{repository}"
    if not (_HOST.fullmatch(host) and is_repository(repository)):
        return None
    return Reference(host, repository, tag or ("" if digest else "latest"), digest)


def merge_images(images: Iterable[RunningImage]) -> tuple[RunningImage, ...]:
    """The images in order, each once: those of pods are added up, and what a template names that its pods run too is
    left to them."""
    found = {one[:_OF_IMAGE]: one for one in images}
    run = {one[:_OF_REFERENCE] for one in found.values() if one.digest}
    return tuple(sorted(one for one in found.values() if one.digest or one[:_OF_REFERENCE] not in run))


# Fields of a RunningImage: its owner and reference, and with its digest.
_OF_REFERENCE, _OF_IMAGE = 4, 5
