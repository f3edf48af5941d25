"""Signatures, SBOMs and attestations that refer to an image: found in the source, and planned for the target of a copy.

Azure's import copies an index with its platforms, and nothing that refers to them
(https://github.com/dotnet/docker-tools/issues/1999): each referrer is imported by itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.parallel import parallel_map
from services.images.manifest_reading import read_referrers
from services.images.repositories import find_manifest_row, find_tag
from services.registries.registry import Registry

# A registry counts each request for referrers twice against its limit of 250 a minute (Basic and Standard).
MOST_REFERRERS = 100
# The tag schema of https://github.com/opencontainers/distribution-spec (no suffix) and of cosign before version 3.
_SUFFIXES = {
    "": "list of referrers",
    ".sig": "cosign signature",
    ".att": "cosign attestation",
    ".sbom": "cosign SBOM",
}


@dataclass(frozen=True)
class Referrer:
    """A manifest that refers to `subject`, which is the image, one of its platforms or another referrer.

    `tag` is the tag of the tag schema that it is found by (sha256-….sig), '' where the registry lists it.
    """

    digest: str
    subject: str
    artifact_type: str
    tag: str = ""


@dataclass(frozen=True)
class Referrers:
    """All that refers to an image, to any depth. `unread` says why there may be more, '' where all was read."""

    found: tuple[Referrer, ...] = ()
    unread: str = ""


@dataclass(frozen=True)
class ReferrerItem:
    """One referrer to import into one repository of the target, by digest and without a tag, or with its own.

    `there`: the target has it already. `left` says why it stays behind, '' where it is imported. `known` is False where
    the console can't read the target.
    """

    referrer: Referrer
    repository: str
    there: bool = False
    known: bool = True
    left: str = ""

    @property
    def name(self) -> str:
        at = f":{self.referrer.tag}" if self.referrer.tag else f"@{self.referrer.digest}"
        return self.repository + at


def read_all_referrers(client: RegistryClient, repository: str, digests: Iterable[str]) -> Referrers:
    """All referrers of these digests of a repository, and of those in turn. What can't be read is in `unread`."""
    level = list(digests)
    seen = set(level)
    found: dict[tuple[str, str], Referrer] = {}
    unread = ""
    while level and not unread:
        read = parallel_map(
            lambda digest: tuple(_referrers_of(client, repository, digest)), level, server=client.login_server
        )
        referrers = list(chain.from_iterable(read.values))
        found |= {(one.digest, one.tag): one for one in referrers if (one.digest, one.tag) not in found}
        level = list(dict.fromkeys(one.digest for one in referrers if one.digest not in seen))
        seen.update(level)
        if read.refused:
            unread = read.refused[0].error.cause
        elif len(found) > MOST_REFERRERS:
            unread = f"The console reads up to {MOST_REFERRERS}."
    return Referrers(tuple(found.values()), unread)


def _referrers_of(client: RegistryClient, repository: str, digest: str) -> Iterator[Referrer]:
    for entry in read_referrers(client, repository, digest):
        yield Referrer(entry.digest, digest, entry.artifact_type or entry.media_type)
    for suffix, kind in _SUFFIXES.items():
        if tag := find_tag(client, repository, digest.replace(":", "-") + suffix):
            yield Referrer(tag.digest, digest, kind, tag.name)


def plan_referrer(referrer: Referrer, repository: str, target: Registry, current: str | None) -> ReferrerItem:
    """What importing `referrer` into a repository of `target` would do. Pure.

    `current` is the digest that the target has under the referrer's tag or, without a tag, as that manifest; None where
    it has none.
    """
    left = ""
    if not referrer.tag and target.access.customer_key:
        # https://learn.microsoft.com/azure/container-registry/container-registry-manage-artifact
        left = f"{target.name} has a customer-managed key, and such a registry lists no referrers."
    elif current and current != referrer.digest:
        left = f"{repository} has the tag {referrer.tag} already, at another digest."
    return ReferrerItem(referrer, repository, there=current == referrer.digest, left=left)


def read_referrer_items(
    client: RegistryClient, target: Registry, referrers: Iterable[Referrer], repositories: Iterable[str]
) -> tuple[ReferrerItem, ...]:
    """Each referrer planned for each repository of `target`, which `client` reads. Raises nothing: see `known`."""
    repositories = list(dict.fromkeys(repositories))
    places = [(referrer, repository) for referrer in referrers for repository in repositories]

    def plan(place: tuple[Referrer, str]) -> ReferrerItem:
        referrer, repository = place
        try:
            current = find_referrer(client, repository, referrer)
        except ServiceError:
            return ReferrerItem(referrer, repository, known=False)
        return plan_referrer(referrer, repository, target, current)

    return parallel_map(plan, places, server=client.login_server).values


def find_referrer(client: RegistryClient, repository: str, referrer: Referrer) -> str | None:
    """The digest that a repository has under the referrer's tag or as its manifest; None where it has none. Raises
    ServiceError."""
    if referrer.tag:
        tag = find_tag(client, repository, referrer.tag)
        return tag.digest if tag else None
    row = find_manifest_row(client, repository, referrer.digest)
    return row.digest if row else None
