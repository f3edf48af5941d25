"""Running images joined with registries: which registry, repository and digests each needs. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.images.repository_contents import RepositoryContents
from services.registries.registry import Registry
from services.running.apps import KnownApps
from services.running.images import ClusterImages, Host, Reference, RunningImage, parse_reference

# A login server and a repository.
RepositoryKey = tuple[str, str]
# A registry's endpoint in one region: contoso.eastus.geo.azurecr.io.
_OF_REGION = re.compile(r"([^.]+)\.[^.]+\.geo\.(azurecr\..+)")
_OF_AZURE = re.compile(r"[^.]+\.azurecr\.[a-z.]+")


@dataclass(frozen=True)
class PlacedImage:
    """An image of a cluster that was asked, or of an app that was read, `at` a time, and what it names. `named` is None
    where its reference is none: no node can pull it. `registry` is None where that is none of those that are known: it
    comes from outside."""

    host: Host
    at: datetime
    image: RunningImage
    named: Reference | None
    registry: Registry | None

    @property
    def digest(self) -> str:
        """The manifest that runs or is named; "" where a tag alone names it, and no node has pulled it."""
        return self.image.digest or (self.named.digest if self.named else "")

    @property
    def by_tag(self) -> bool:
        """Whether only the tag says which manifest it is."""
        return self.named is not None and not self.digest

    @property
    def place(self) -> str:
        """Such as 'Deployment shop/web in aks-platform', or 'Container App web in shop-rg'."""
        return f"{self.image.owner.label} in {self.host.inside}"


def place_images(
    asked: Iterable[ClusterImages], registries: Iterable[Registry], apps: KnownApps | None = None
) -> tuple[PlacedImage, ...]:
    """Every image of the clusters that answered, and of the apps that were read, in their order, with the registry that
    its reference names."""
    servers = {registry.login_server.casefold(): registry for registry in registries if registry.login_server}
    references: dict[str, Reference | None] = {}
    placed = []
    listed = [(Host.of(answer.cluster), answer.at, answer.images) for answer in asked]
    listed += [(one.host, apps.at, one.images) for one in apps.found.values] if apps else []
    for host, at, images in listed:
        for image in images:
            if image.reference not in references:
                references[image.reference] = parse_reference(image.reference)
            named = references[image.reference]
            registry = servers.get(login_server_of(named.host)) if named else None
            placed.append(PlacedImage(host, at, image, named, registry))
    return tuple(placed)


def login_server_of(host: str) -> str:
    """The login server that a reference's host is: without the port of HTTPS, and without a region."""
    host = host.removesuffix(":443")
    of_region = _OF_REGION.fullmatch(host)
    return ".".join(of_region.groups()) if of_region else host


def pulled_by_other_names(placed: Iterable[PlacedImage]) -> tuple[PlacedImage, ...]:
    """The images that a node pulled by a name that no Azure registry has: a proxy, a mirror, a domain of one's own.
    Which registry they came from is not known."""
    return tuple(
        one
        for one in placed
        if one.image.digest and not (one.named and _OF_AZURE.fullmatch(login_server_of(one.named.host)))
    )


def group_by_repository(placed: Iterable[PlacedImage]) -> Mapping[RepositoryKey, Sequence[PlacedImage]]:
    """The images of known registries, by login server and repository."""
    found: defaultdict[RepositoryKey, list[PlacedImage]] = defaultdict(list)
    for one in placed:
        if one.registry and one.named:
            found[one.registry.login_server, one.named.repository].append(one)
    return found


def digests_in_use(placed: Iterable[PlacedImage], contents: RepositoryContents) -> dict[str, tuple[str, ...]]:
    """Digest → where it runs, of images of that repository: what nodes pulled, what references name, and what their
    tags point to now, which a node pulls next."""
    tags = {name: row.digest for row in contents.rows for name in row.tags}
    tags |= {tag.name: tag.digest for tag in contents.tags}
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one in placed:
        if one.named is None:
            continue
        now = one.named.digest or tags.get(one.named.tag, "")
        for digest in {one.image.digest, now} - {""}:
            found[digest][one.place] = None
    return {digest: tuple(places) for digest, places in found.items()}


def digests_by_other_names(placed: Iterable[PlacedImage], contents: RepositoryContents) -> dict[str, tuple[str, ...]]:
    """Digest → where it runs, of the repository's manifests that nodes pulled by whichever name."""
    here = {row.digest for row in contents.rows}
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one in placed:
        if one.image.digest in here:
            found[one.image.digest][one.place] = None
    return {digest: tuple(places) for digest, places in found.items()}
