"""Checks of the image itself: it is complete and may be read, and the nodes can run it."""

from dataclasses import dataclass

from services.aks.clusters import Cluster, NodePool, NodeSize
from services.connection.errors import ServiceError
from services.pull_checks.checks import Check, CheckState, unknown

PLATFORM, IMAGE = "Platform", "Image"


@dataclass(frozen=True)
class ImageFacts:
    """What the registry holds under a tag or digest.

    `digest` "": nothing, and then the rest is empty too. `unreadable`: what has a lock against reading; `missing`:
    manifests that an index lists and the registry lacks. `platforms` such as linux/arm64/v8, empty if the image does
    not say. `layers` counts those of the image, or of the index's largest.
    """

    name: str
    digest: str
    platforms: tuple[str, ...] = ()
    layers: int = 0
    unreadable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def image_state(found: ImageFacts | ServiceError) -> Check:
    """C16: whether it exists, complete and readable."""
    if isinstance(found, ServiceError):
        return unknown("C16", IMAGE, found)
    if not found.digest:
        evidence, fix = f"{found.name} is not in the registry.", "Push it, or correct the name in the pod's manifest."
        return Check("C16", IMAGE, CheckState.FAILED, evidence, "manifest unknown, or: not found", fix)
    if found.unreadable:
        evidence = f"A lock prevents reading {', '.join(found.unreadable)}."
        fix = "Unlock it: `az acr repository update --read-enabled true`."
        return Check("C16", IMAGE, CheckState.FAILED, evidence, "unexpected status: 405 Method Not Allowed", fix)
    if found.missing:
        evidence = f"{found.digest} is an index, and the registry lacks {len(found.missing)} of its manifests: "
        evidence += f"{', '.join(found.missing)}."
        fix = "Push the image again with all its platforms."
        return Check(
            "C16", IMAGE, CheckState.FAILED, evidence, "manifest unknown, on nodes of the missing platform", fix
        )
    return Check("C16", IMAGE, CheckState.PASSED, f"{found.name} exists: {found.digest}.")


def platform(cluster: Cluster, found: ImageFacts | ServiceError) -> Check:
    """C15: whether it is built for the nodes. FAILED only if it suits no pool; WARNING if it suits some."""
    if isinstance(found, ServiceError):
        return unknown("C15", PLATFORM, found)
    if not found.digest or found.unreadable:
        return unknown("C15", PLATFORM, f"{found.name} is missing, or locked against reading.")
    if not found.platforms:
        return unknown("C15", PLATFORM, f"{found.name} does not say which platform it is built for.")
    nodes = [(pool, size) for pool in cluster.pools for size in pool.sizes_in_use]
    if not nodes:
        return unknown("C15", PLATFORM, "The cluster has no nodes at present.")
    suited = [(pool, size, _suits(pool.os, size.architecture, found.platforms)) for pool, size in nodes]
    built_for = f"{found.name} is built for {', '.join(found.platforms)}"
    symptom = "no match for platform in manifest, or: exec format error"
    unsuited = [f"{pool.name} ({_platform_of(pool, size)})" for pool, size, suits in suited if suits is False]
    undetermined = [
        f"{pool.name} ({size.vm_size or 'size not reported'})" for pool, size, suits in suited if suits is None
    ]
    fix = "Build it for these platforms too, or keep its pods off those pools: nodeSelector kubernetes.io/arch and os."
    if len(unsuited) == len(nodes):
        evidence = f"{built_for}, and no node pool can run it: {', '.join(unsuited)}."
        return Check("C15", PLATFORM, CheckState.FAILED, evidence, symptom, fix)
    if undetermined:
        return unknown("C15", PLATFORM, f"{built_for}; the processors of {', '.join(undetermined)} are unknown.")
    if unsuited:
        evidence = f"{built_for}, but the node pools {', '.join(unsuited)} can't run it."
        return Check("C15", PLATFORM, CheckState.WARNING, evidence, symptom, fix)
    return Check("C15", PLATFORM, CheckState.PASSED, f"{built_for}, as all pools are.")


def _suits(os: str, architecture: str, platforms: tuple[str, ...]) -> bool | None:
    mine = [one.split("/") for one in platforms if one.split("/")[0].lower() == os.lower()]
    if not mine:
        return False
    if not architecture:
        return None
    return any(parts[1:2] == [architecture] for parts in mine)


def _platform_of(pool: NodePool, size: NodeSize) -> str:
    return f"{pool.os.lower()}/{size.architecture or size.vm_size}"
