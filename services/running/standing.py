"""Whether what runs is still what its registry has: its tag may have moved on, and its image may be gone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from threading import Event
from typing import TypeVar

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.names import image_name
from services.connection.parallel import Partial, Progress, Refusal, counter, parallel_map
from services.connection.session import AzureSession
from services.images.repositories import ManifestRow, Tag, find_manifest_row, find_tag
from services.running.images import DOCKER_HUB
from services.running.join import PlacedImage

Found = TypeVar("Found", Tag, ManifestRow)
# A login server, a repository, and a tag or a digest.
_Key = tuple[str, str, str]


# Hosts that are no Azure container registry of anybody's.
_OTHERS = (DOCKER_HUB, "mcr.microsoft.com", "quay.io", "ghcr.io", "gcr.io", "registry.k8s.io", "public.ecr.aws")


class Standing(StrEnum):
    """GONE: new pods can't pull it, as the manifest or tag that they ask for is not there. MOVED: they pull another
    image. INVALID: what they ask for is no image's reference."""

    GONE = "Not in the registry"
    INVALID = "Not a valid reference"
    UNKNOWN = "Unknown"
    MOVED = "Tag moved on"
    CURRENT = "Current"
    OUTSIDE = "Outside your registries"


@dataclass(frozen=True)
class ImageFacts:
    """What registries have of the images that run, None where they have it not, or why that could not be read; by login
    server, repository, and tag or digest."""

    tags: Mapping[_Key, Tag | ServiceError | None] = field(default_factory=dict)
    rows: Mapping[_Key, ManifestRow | ServiceError | None] = field(default_factory=dict)
    untried: int = 0

    @property
    def partial(self) -> Partial[None]:
        """What could not be read."""
        refused = [
            Refusal(f"{server}/{image_name(repository, reference)}", found)
            for (server, repository, reference), found in (*self.tags.items(), *self.rows.items())
            if isinstance(found, ServiceError)
        ]
        return Partial((), tuple(refused), self.untried)


@dataclass(frozen=True)
class StandingImage:
    """An image that runs, how it stands, why in a sentence, and when what runs was pushed, None where that is unknown.
    `digest` is what runs, or what a new pod would run; "" where neither is known."""

    placed: PlacedImage
    standing: Standing
    why: str
    digest: str = ""
    pushed: datetime | None = None


def read_facts(
    session: AzureSession,
    placed: Iterable[PlacedImage],
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> ImageFacts:
    """Asks the registries for the tags and manifests that these images name: a request for each, once."""
    images = [one for one in placed if one.registry and one.named]
    tags = {_key(one, one.named.tag) for one in images if one.named and not one.named.digest}
    digests = {_key(one, one.digest) for one in images if one.digest}
    found_tags, left = _read_each(
        session, tags, lambda client, key: find_tag(client, key[1], key[2]), "tags", progress, stop
    )
    now = {(*key[:2], tag.digest) for key, tag in found_tags.items() if isinstance(tag, Tag)}
    rows, also = _read_each(
        session, digests | now, lambda client, key: find_manifest_row(client, key[1], key[2]), "images", progress, stop
    )
    return ImageFacts(found_tags, rows, left + also)


def _read_each(
    session: AzureSession,
    keys: Iterable[_Key],
    read: Callable[[RegistryClient, _Key], Found | None],
    what: str,
    progress: Progress | None,
    stop: Event | None,
) -> tuple[dict[_Key, Found | ServiceError | None], int]:
    """What was read of each key, or why not, and how many were not tried."""
    ordered = sorted(keys)
    errors: dict[_Key, ServiceError] = {}
    count = counter(progress, what, len(ordered))

    def done(index: int, found: object) -> None:
        if isinstance(found, ServiceError):
            errors[ordered[index]] = found
        count(index, found)

    got = parallel_map(
        lambda key: (key, read(session.registry(key[0]), key)),
        ordered,
        server=lambda key: key[0],
        name=lambda key: "/".join(key),
        done=done,
        stop=stop,
    )
    return {**errors, **dict(got.values)}, got.untried


def _key(placed: PlacedImage, reference: str) -> _Key:
    server = placed.registry.login_server if placed.registry else ""
    return server, placed.named.repository if placed.named else "", reference


def stand(placed: PlacedImage, facts: ImageFacts, *, all_registries: bool = True) -> StandingImage:
    """How an image stands. Pure. What was not read is unknown; where not `all_registries` were listed, an image of
    another host may be of one of them."""
    named = placed.named
    if named is None:
        return StandingImage(placed, Standing.INVALID, "No node can pull it.", placed.digest)
    if placed.registry is None and not all_registries and named.host not in _OTHERS:
        why = f"Not all registries could be listed: {named.host} may be one of yours."
        return StandingImage(placed, Standing.UNKNOWN, why, placed.digest)
    if placed.registry is None:
        return StandingImage(placed, Standing.OUTSIDE, f"It comes from {named.host}.", placed.digest)
    if named.digest:
        return _by_digest(placed, named.digest, facts)
    tag = facts.tags.get(_key(placed, named.tag), _UNREAD)
    if isinstance(tag, ServiceError):
        return StandingImage(placed, Standing.UNKNOWN, f"The tag could not be read. {tag.cause}", placed.digest)
    runs = placed.digest
    if tag is None:
        why = "The tag is not in the registry: new pods can't pull it."
        return StandingImage(placed, Standing.GONE, why, runs, _pushed(placed, runs, facts))
    if not runs:
        why = "By tag: no node reported which image it pulled."
        return StandingImage(placed, Standing.CURRENT, why, tag.digest, _pushed(placed, tag.digest, facts))
    pushed = _pushed(placed, runs, facts)
    if tag.digest == runs:
        return StandingImage(placed, Standing.CURRENT, "The tag points to what runs.", runs, pushed)
    gone = " What runs is not in the registry any more." if _row(placed, runs, facts) is None else ""
    why = f"The tag points to another image since: new pods run that.{gone}"
    return StandingImage(placed, Standing.MOVED, why, runs, pushed)


def _by_digest(placed: PlacedImage, digest: str, facts: ImageFacts) -> StandingImage:
    row = _row(placed, digest, facts)
    if isinstance(row, ServiceError):
        return StandingImage(placed, Standing.UNKNOWN, f"The image could not be read. {row.cause}", digest)
    if row is None:
        why = "The image is not in the registry: new pods can't pull it."
        return StandingImage(placed, Standing.GONE, why, digest)
    return StandingImage(placed, Standing.CURRENT, "Named by its digest.", digest, row.created)


def _row(placed: PlacedImage, digest: str, facts: ImageFacts) -> ManifestRow | ServiceError | None:
    return facts.rows.get(_key(placed, digest), _UNREAD)


def _pushed(placed: PlacedImage, digest: str, facts: ImageFacts) -> datetime | None:
    row = _row(placed, digest, facts) if digest else None
    return row.created if isinstance(row, ManifestRow) else None


_UNREAD = ServiceError("It was not read", "It was not read.", "Refresh.")
