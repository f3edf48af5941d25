"""Checks of the image itself: that it is there whole and may be read, and that the nodes can run it."""

from dataclasses import dataclass

from services.aks.clusters import Cluster, NodePool
from services.connection.errors import ServiceError
from services.pull_checks.checks import Check, CheckState, unknown

PLATFORM, IMAGE = "Platform", "Image"


@dataclass(frozen=True)
class ImageFacts:
    """What the registry holds under a tag or digest.

    `digest` "": nothing, and then the rest says nothing either. `unreadable` names what locks close to pulls;
    `missing`: manifests that an index names and the registry has not. `platforms` such as linux/arm64/v8, empty where
    the image does not say. `layers` counts those of the image, or of the index's largest.
    """

    name: str
    digest: str
    platforms: tuple[str, ...] = ()
    layers: int = 0
    unreadable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def image_state(found: ImageFacts | ServiceError) -> Check:
    """C16: whether it can be pulled whole."""
    if isinstance(found, ServiceError):
        return unknown("C16", IMAGE, found)
    if not found.digest:
        said, fix = f"There is no {found.name} in the registry.", "Push it, or correct the name in the pod's manifest."
        return Check("C16", IMAGE, CheckState.FAILED, said, "manifest unknown, or: not found", fix)
    if found.unreadable:
        said = f"A lock prevents reading {', '.join(found.unreadable)}."
        fix = "Unlock it: `az acr repository update --read-enabled true`."
        return Check("C16", IMAGE, CheckState.FAILED, said, "unexpected status: 405 Method Not Allowed", fix)
    if found.missing:
        said = f"{found.digest} is an index, and the registry lacks {len(found.missing)} of its manifests: "
        said += f"{', '.join(found.missing)}."
        fix = "Push the image again with all its platforms."
        return Check("C16", IMAGE, CheckState.FAILED, said, "manifest unknown, on nodes of the missing platform", fix)
    return Check("C16", IMAGE, CheckState.PASSED, f"{found.name} is there: {found.digest}.")


def platform(cluster: Cluster, found: ImageFacts | ServiceError) -> Check:
    """C15: whether it is built for the nodes. A pool that it is not built for is a warning while there is another."""
    if isinstance(found, ServiceError):
        return unknown("C15", PLATFORM, found)
    if not found.digest or found.unreadable:
        return unknown("C15", PLATFORM, f"There is no {found.name} to read it from.")
    if not found.platforms:
        return unknown("C15", PLATFORM, f"{found.name} does not say which platform it is built for.")
    pools = [pool for pool in cluster.pools if pool.count]
    if not pools:
        return unknown("C15", PLATFORM, "The cluster has no nodes at present.")
    suited = [(pool, _suits(pool, found.platforms)) for pool in pools]
    built_for = f"{found.name} is built for {', '.join(found.platforms)}"
    symptom = "no match for platform in manifest, or: exec format error"
    unsuited = [f"{pool.name} ({_words(pool)})" for pool, suits in suited if suits is False]
    undetermined = [f"{pool.name} ({pool.vm_size})" for pool, suits in suited if suits is None]
    fix = "Build it for these platforms too, or keep its pods off those pools: nodeSelector kubernetes.io/arch and os."
    if len(unsuited) == len(pools):
        said = f"{built_for}, and no pool runs that: {', '.join(unsuited)}."
        return Check("C15", PLATFORM, CheckState.FAILED, said, symptom, fix)
    if undetermined:
        return unknown("C15", PLATFORM, f"{built_for}; the processors of {', '.join(undetermined)} are unknown.")
    if unsuited:
        said = f"{built_for}, which the pools {', '.join(unsuited)} can't run."
        return Check("C15", PLATFORM, CheckState.WARNING, said, symptom, fix)
    return Check("C15", PLATFORM, CheckState.PASSED, f"{built_for}, as all pools are.")


def _suits(pool: NodePool, platforms: tuple[str, ...]) -> bool | None:
    mine = [one.split("/") for one in platforms if one.split("/")[0].lower() == pool.os.lower()]
    if not mine:
        return False
    if not pool.architecture:
        return None
    return any(parts[1:2] == [pool.architecture] for parts in mine)


def _words(pool: NodePool) -> str:
    return f"{pool.os.lower()}/{pool.architecture or pool.vm_size}"
