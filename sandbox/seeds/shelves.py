"""What is in the estate's registries: a table of repositories, and how each kind of them comes about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sandbox.seeds.images import (
    MIB,
    Build,
    Descriptor,
    Layer,
    Shelf,
    layer,
    push_buildx,
    push_chart,
    push_cosign_signature,
    push_image,
    push_index,
    push_notation_signature,
    push_sbom,
    push_signature_tag,
    tag,
)
from sandbox.seeds.places import ABAC, BASE, BUILD, CI, DNL, HUB, NEARLY_FULL, OLD, PRIVATE, SMALL, UNSEEN
from sandbox.seeds.sboms import cyclonedx, spdx
from sandbox.storage.store import Locks, Store, timestamp

AMD64, ARM64, ARMV7 = ("linux", "amd64"), ("linux", "arm64"), ("linux", "arm")
LOCKED = Locks(delete=False, write=False)


def _base(name: str, *layers: tuple[float, str]) -> tuple[Layer, ...]:
    return tuple(layer(f"{name} {number}", int(size * MIB), made_by) for number, (size, made_by) in enumerate(layers))


# Shared by many images: counting them once is the difference between sizes shown and bytes stored.
DEBIAN = _base("debian", (46.2, "# debian.sh --arch 'amd64' out/ 'bookworm'"))
NODE = DEBIAN + _base("node", (22.9, "RUN apt-get install -y ca-certificates"), (45.9, "RUN install node 22"))
PYTHON = DEBIAN + _base("python", (22.9, "RUN apt-get install -y ca-certificates"), (18.4, "RUN install python 3.13"))
DOTNET = DEBIAN + _base("dotnet", (71.3, "COPY /dotnet /usr/share/dotnet"))
ALPINE = _base("alpine", (3.5, "ADD alpine-minirootfs-3.22.1-x86_64.tar.gz /"))
DISTROLESS = _base("distroless", (0.8, "bazel build //base:static_root"), (1.1, "bazel build //base:tzdata"))
CUDA = DEBIAN + _base("cuda", (1210.0, "RUN apt-get install -y cuda-runtime-12-8"), (2305.0, "RUN install torch"))


@dataclass(frozen=True)
class Row:
    """A repository: what made it, how many releases, and the age in days of the first and the last."""

    registry: str
    name: str
    kind: str
    releases: int
    first: float
    last: float
    base: tuple[Layer, ...] = NODE
    size: float = 40  # MiB that each release adds
    platforms: tuple[tuple[str, str], ...] = (AMD64,)

    @property
    def keeps_layers(self) -> bool:
        """Whether its images can be pulled: true of one repository of each kind, where layers are real."""
        return (self.registry, self.name) in KEEPING_LAYERS


_BOTH = (AMD64, ARM64)

REPOSITORIES = (
    Row(HUB.name, "web/storefront", "buildx", 12, 420, 2, NODE, 38, _BOTH),
    Row(HUB.name, "web/checkout", "buildx", 10, 400, 5, NODE, 31, _BOTH),
    Row(HUB.name, "web/admin", "buildx", 6, 610, 190, NODE, 44),
    Row(HUB.name, "api/orders", "signed", 8, 380, 3, DOTNET, 22, _BOTH),
    Row(HUB.name, "api/catalog", "signed", 6, 360, 9, DOTNET, 19),
    Row(HUB.name, "api/gateway", "cosign tags", 5, 500, 30, DISTROLESS, 17),
    Row(HUB.name, "jobs/mailer", "docker", 7, 730, 250, PYTHON, 28),
    Row(HUB.name, "charts/storefront", "chart", 5, 300, 12),
    Row(HUB.name, "golden/node", "locked", 3, 700, 40, NODE, 2),
    Row(HUB.name, "tools/markdown-viewer", "hostile", 2, 90, 20, ALPINE, 6),
    Row(BASE.name, "node", "docker list", 6, 800, 15, NODE, 1, _BOTH),
    Row(BASE.name, "python", "docker list", 6, 800, 16, PYTHON, 1, _BOTH),
    Row(BASE.name, "dotnet", "buildx", 4, 640, 22, DOTNET, 1, (AMD64, ARM64, ARMV7)),
    Row(BASE.name, "alpine", "docker", 4, 850, 33, ALPINE, 1),
    Row(CI.name, "ci/runner", "many tags", 300, 180, 0.1, DEBIAN, 12),
    Row(CI.name, "ci/storefront", "leftovers", 16, 60, 0.5, NODE, 38),
    Row(CI.name, "ci/checkout", "leftovers", 12, 60, 0.7, NODE, 31),
    Row(CI.name, "ci/cache", "untagged only", 8, 45, 1, NODE, 120),
    Row(BUILD.name, "builder", "docker", 9, 1300, 720, DEBIAN, 210),
    Row(BUILD.name, "legacy/intranet", "docker", 5, 1400, 800, DEBIAN, 95),
    Row(BUILD.name, "legacy/reports", "docker", 3, 1200, 760, PYTHON, 60),
    Row(OLD.name, "website", "docker", 3, 2800, 2500, DEBIAN, 140),
    Row(ABAC.name, "team/payments/api", "signed", 7, 380, 4, DOTNET, 18),
    Row(ABAC.name, "team/payments/worker", "buildx", 6, 350, 6, DOTNET, 16),
    Row(ABAC.name, "team/payments/ui", "buildx", 5, 340, 11, NODE, 36),
    Row(ABAC.name, "team/risk/scoring", "buildx", 4, 300, 25, PYTHON, 210),
    Row(ABAC.name, "team/risk/rules", "docker", 3, 280, 70, PYTHON, 14),
    Row(NEARLY_FULL.name, "training/vision", "docker", 4, 500, 20, CUDA, 640),
    Row(NEARLY_FULL.name, "training/language", "docker", 3, 420, 14, CUDA, 820),
    Row(NEARLY_FULL.name, "notebooks", "leftovers", 6, 600, 8, PYTHON, 350),
    Row(DNL.name, "team-a/portal", "buildx", 4, 200, 7, NODE, 33),
    Row(DNL.name, "team-b/scheduler", "buildx", 4, 190, 13, PYTHON, 21),
    Row(SMALL.name, "playground", "leftovers", 5, 480, 120, ALPINE, 9),
    Row(SMALL.name, "hello", "docker", 2, 490, 470, ALPINE, 0.01),
    Row(SMALL.name, "spike/graphql", "buildx", 2, 400, 390, NODE, 27),
    Row(SMALL.name, "emptied", "untagged only", 1, 300, 300, ALPINE, 3),
    Row(PRIVATE.name, "vault/signer", "signed", 4, 320, 18, DISTROLESS, 24),
    Row(PRIVATE.name, "vault/keys", "buildx", 3, 310, 45, DISTROLESS, 11),
    Row(UNSEEN.name, "ledger", "docker", 2, 700, 300, DOTNET, 30),
)

# One of each kind.
KEEPING_LAYERS = frozenset(
    {
        (SMALL.name, "spike/graphql"),
        (BASE.name, "alpine"),
        (NEARLY_FULL.name, "notebooks"),
        (SMALL.name, "emptied"),
        (BASE.name, "python"),
        (CI.name, "ci/runner"),
        (HUB.name, "api/catalog"),
        (HUB.name, "api/gateway"),
        (HUB.name, "charts/storefront"),
        (HUB.name, "golden/node"),
        (HUB.name, "tools/markdown-viewer"),
    }
)

# Deleted as a repository three days ago, where soft delete is on.
DELETED = Row(SMALL.name, "demo", "buildx", 3, 60, 20, ALPINE, 4)

# Other people's text: a console must show it, not follow it.
HOSTILE = {
    "org.opencontainers.image.title": '<img src=x onerror="alert(1)">',
    "org.opencontainers.image.description": "# Heading\n\n[x](javascript:alert(1)) **bold** `code` $x^2$",
    "org.opencontainers.image.authors": "</script><script>alert(1)</script>",
    "com.contoso.formula": '=HYPERLINK("https://contoso.example","open")',
    "com.contoso.direction": "abc\u202edcba",
}


@dataclass(frozen=True)
class Release:
    """One build of a repository, oldest first; `number` counts from 0."""

    shelf: Shelf
    row: Row
    number: int
    at: Callable[[float], str]  # the time that many minutes after the build
    build: Build

    @property
    def is_last(self) -> bool:
        return self.number == self.row.releases - 1

    @property
    def version(self) -> str:
        return f"v1.{self.number // 3}.{self.number % 3}"


def fill(store: Store, now: datetime) -> None:
    """Push every release of every repository, and delete one of them."""
    for row in (*REPOSITORIES, DELETED):
        random = Random(f"{row.registry}/{row.name}")
        shelf = Shelf(store, row.registry, row.name, row.keeps_layers)
        for number in range(row.releases):
            KINDS[row.kind](_release(shelf, row, number, random, now))
    store.set_repository_locks(HUB.name, "golden/node", LOCKED)
    store.deleted.keep_manifests(DELETED.registry, DELETED.name, None, timestamp(now - timedelta(days=3)))
    store.delete_repository(DELETED.registry, DELETED.name)


def _release(shelf: Shelf, row: Row, number: int, random: Random, now: datetime) -> Release:
    step = (row.first - row.last) / max(1, row.releases - 1)
    built = now - timedelta(days=row.first - step * number, microseconds=random.randrange(1_000_000))
    title = f"{row.registry}/{row.name}"
    added = max(1, int(row.size * MIB * random.uniform(0.9, 1.1)))
    labels = {
        "org.opencontainers.image.source": f"https://git.contoso.example/{row.name}",
        "org.opencontainers.image.revision": f"{random.getrandbits(160):040x}",
    }
    signed = row.kind == "signed"
    build = Build(
        timestamp(built),
        row.base,
        (
            # Dependencies change every third release only, so neighbours share them.
            layer(f"{title} dependencies {number // 3}", int(row.size * MIB), "RUN install dependencies"),
            layer(f"{title} source {number}", added // 8, "COPY . ."),
        ),
        labels,
        command=f"run {row.name}",
        env={"APP_VERSION": f"1.{number // 3}.{number % 3}", "ASPNETCORE_URLS": "http://+:8080"} if signed else {},
        ports=("8080/tcp",) if signed else (),
    )
    return Release(shelf, row, number, lambda minutes: timestamp(built + timedelta(minutes=minutes)), build)


def _tag_release(release: Release, pushed: Descriptor) -> None:
    tag(release.shelf, release.version, pushed, release.at(0))
    if release.is_last:
        tag(release.shelf, "latest", pushed, release.at(0.01))


def _buildx(release: Release) -> Descriptor:
    pushed = push_buildx(release.shelf, release.build, release.row.platforms)
    _tag_release(release, pushed)
    return pushed


def _docker(release: Release) -> None:
    _tag_release(release, push_image(release.shelf, release.build, docker=True))


def _docker_list(release: Release) -> None:
    images = [push_image(release.shelf, release.build, p, docker=True) for p in release.row.platforms]
    _tag_release(release, push_index(release.shelf, release.build.at, images, docker=True))


def _signed(release: Release) -> None:
    """Notation on all, cosign on every second; the last one has an SBOM, and that is signed too. So has the one before
    it where two are to be compared."""
    pushed = _buildx(release)
    push_notation_signature(release.shelf, release.at(2), pushed)
    if release.number % 2:
        push_cosign_signature(release.shelf, release.at(3), pushed)
    row, last = release.row, release.is_last
    if last or (release.number == row.releases - 2 and row.registry == HUB.name):
        at = release.at(4)
        if row.name == "api/catalog":
            content, media_type = cyclonedx(row.name, at, last=last), "application/vnd.cyclonedx+json"
        else:
            content, media_type = spdx(row.name, at, last=last), "application/spdx+json"
        sbom = push_sbom(release.shelf, at, pushed, content, media_type)
        if last:
            push_notation_signature(release.shelf, release.at(5), sbom)


def _cosign_tags(release: Release) -> None:
    push_signature_tag(release.shelf, release.at(2), _buildx(release))


def _chart(release: Release) -> None:
    version = f"0.{release.number}.0"
    tag(
        release.shelf,
        version,
        push_chart(release.shelf, release.build.at, release.row.name.rpartition("/")[2], version),
        release.at(0),
    )


def _locked(release: Release) -> None:
    """A locked tag on a locked manifest, a locked tag alone, a locked manifest alone."""
    lock_manifest, lock_tag = release.number in (0, 2), release.number in (0, 1)
    pushed = push_image(release.shelf, release.build, locks=LOCKED if lock_manifest else None)
    tag(release.shelf, release.version, pushed, release.at(0), LOCKED if lock_tag else None)


def _hostile(release: Release) -> None:
    build = Build(
        release.build.at, release.build.base, release.build.layers, HOSTILE, HOSTILE, "sh -c <b>$(touch x)</b>"
    )
    tag(release.shelf, release.version, push_buildx(release.shelf, build), release.at(0))


def _many_tags(release: Release) -> None:
    """A tag a build, where two builds in three change nothing: 300 tags on 100 manifests."""
    kept = release.number - release.number % 3
    if release.number == kept:
        pushed = push_image(release.shelf, release.build)
        tag(release.shelf, f"build-{release.number:04}", pushed, release.at(0))
        return
    before = release.shelf.store.get_tag(release.row.registry, release.row.name, f"build-{kept:04}")
    if before is not None:
        release.shelf.store.add_tag(
            release.row.registry, release.row.name, f"build-{release.number:04}", before.digest, release.at(0)
        )


def _leftovers(release: Release) -> None:
    """One moving tag: every earlier build stays behind, index and children, without any tag."""
    pushed = push_buildx(release.shelf, release.build)
    tag(release.shelf, "main", pushed, release.at(0))
    if release.number % 5 == 0:
        tag(release.shelf, release.version, pushed, release.at(0.01))


def _untagged(release: Release) -> None:
    push_image(release.shelf, release.build)


KINDS: dict[str, Callable[[Release], object]] = {
    "buildx": _buildx,
    "docker": _docker,
    "docker list": _docker_list,
    "signed": _signed,
    "cosign tags": _cosign_tags,
    "chart": _chart,
    "locked": _locked,
    "hostile": _hostile,
    "many tags": _many_tags,
    "leftovers": _leftovers,
    "untagged only": _untagged,
}
