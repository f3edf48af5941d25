"""Checks of the image itself: it is complete and may be read, and the nodes can run it."""

from dataclasses import dataclass

from services.aks.clusters import Cluster, NodePool, NodeSize
from services.connection.errors import ServiceError
from services.pull_checks.checks import TITLES, Check, CheckState, unknown

PLATFORM, IMAGE = TITLES["C15"], TITLES["C16"]


@dataclass(frozen=True)
class ImageFacts:
    """What the registry holds under a tag or digest.

    `digest` "": nothing, and then the rest is empty too. `unreadable`: what has a lock against reading; `missing`:
    manifests that an index lists and the registry lacks. `platforms` such as linux/arm64/v8 or
    windows/amd64:10.0.20348.2227, empty if the image does not say. `layers` counts those of the image, or of the
    index's largest. `schema_1`: it is in Docker's old format.
    """

    name: str
    digest: str
    platforms: tuple[str, ...] = ()
    layers: int = 0
    unreadable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    schema_1: bool = False


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
    if found.schema_1:
        evidence = f"{found.name} exists, in Docker's old format (schema 1), which nodes with containerd 2 do not pull."
        fix = "Build and push it again, or convert it with `skopeo copy`."
        return Check(
            "C16", IMAGE, CheckState.WARNING, evidence, "schema 1 image manifests are no longer supported", fix
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
    suited = [(pool, size, _suits(pool, size, found.platforms)) for pool, size in nodes]
    built_for = f"{found.name} is built for {', '.join(found.platforms)}"
    symptom = "no match for platform in manifest, or: exec format error"
    unsuited = [f"{pool.name} ({_platform_of(pool, size)})" for pool, size, suits in suited if suits is False]
    undetermined = [f"{pool.name} ({_unclear(pool, size)})" for pool, size, suits in suited if suits is None]
    fix = "Build it for these platforms too, or keep its pods off those pools: nodeSelector kubernetes.io/arch and os."
    if len(unsuited) == len(nodes):
        evidence = f"{built_for}, and no node pool can run it: {', '.join(unsuited)}."
        return Check("C15", PLATFORM, CheckState.FAILED, evidence, symptom, fix)
    if undetermined:
        evidence = f"{built_for}. Whether these node pools can run it is not known: {', '.join(undetermined)}."
        return unknown("C15", PLATFORM, evidence)
    if unsuited:
        evidence = f"{built_for}, but the node pools {', '.join(unsuited)} can't run it."
        return Check("C15", PLATFORM, CheckState.WARNING, evidence, symptom, fix)
    return Check("C15", PLATFORM, CheckState.PASSED, f"{built_for}, as all pools are.")


# Processor of the nodes → what they run besides: containerd pulls linux/386 for amd64 where there is no better match.
# https://github.com/containerd/platforms/blob/main/compare.go
_ALSO_RUNS = {"amd64": ("386",)}
# AKS's osSKU → the builds of Windows whose images its nodes run: their own; later ones also those of Server 2022.
# https://learn.microsoft.com/virtualization/windowscontainers/deploy-containers/version-compatibility
_BUILDS = {
    "Windows2019": ("17763",),
    "Windows2022": ("20348",),
    "WindowsAnnual": ("20348", "25398"),
    "Windows2025": ("20348", "26100"),
}


def _suits(pool: NodePool, size: NodeSize, platforms: tuple[str, ...]) -> bool | None:
    """Whether nodes of the pool run an image of one of the platforms; None where that is not known."""
    answers = [_runs(pool, size.architecture, platform) for platform in platforms]
    return True if True in answers else None if None in answers else False


def _runs(pool: NodePool, processor: str, platform: str) -> bool | None:
    name, _, version = platform.partition(":")
    os, _, rest = name.lower().partition("/")
    architecture = rest.partition("/")[0]
    if os != pool.os.lower():
        return False
    if not processor or (processor, architecture) == ("arm64", "arm"):  # Few Arm processors still run 32 bits.
        return None
    if architecture not in (processor, *_ALSO_RUNS.get(processor, ())):
        return False
    if os != "windows":
        return True
    builds = _BUILDS.get(pool.os_sku)
    # 10.0.20348.2227: the third number is the build.
    build = version.split(".")[2] if version.count(".") >= 2 else ""
    return build in builds if builds and build else None


def _unclear(pool: NodePool, size: NodeSize) -> str:
    """What of the pool leaves open whether it runs the image."""
    if pool.os.lower() == "windows" and size.architecture:
        return f"{pool.os_sku or 'Windows version not reported'}; images run on nodes of their own Windows build"
    return size.vm_size or "size not reported"


def _platform_of(pool: NodePool, size: NodeSize) -> str:
    sku = f", {pool.os_sku}" if pool.os_sku and pool.os.lower() == "windows" else ""
    return f"{pool.os.lower()}/{size.architecture or size.vm_size}{sku}"
