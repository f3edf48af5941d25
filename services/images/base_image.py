"""The image that another was built from, where its builder says so.

https://github.com/opencontainers/image-spec/blob/main/annotations.md: org.opencontainers.image.base.name and .digest,
which some builders write as labels.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.connection.names import is_digest

NAME, DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


@dataclass(frozen=True)
class BaseImage:
    """`name` and `digest` as the builder wrote them, one of them may be "". The parts of the name: `server` is ""
    where it names none (Docker Hub's short names); `reference` is the digest, else the tag, else ""; `tag`: that of the
    name."""

    name: str
    digest: str
    server: str
    repository: str
    reference: str
    tag: str = ""

    @property
    def built_on(self) -> str:
        """The digest of the base at that time; "" where the builder did not write it."""
        return self.reference if is_digest(self.reference) else ""


@dataclass(frozen=True)
class BaseTag:
    """What a base's tag points to now: a manifest, and the platforms that it lists. `chains`: the layers of each image
    among these, from the base up; `complete`: whether those of all of them are known."""

    digest: str
    platforms: tuple[str, ...] = ()
    chains: tuple[tuple[str, ...], ...] = ()
    complete: bool = True


def has_moved(built_on: str, layers: tuple[str, ...], tag: BaseTag) -> bool | None:
    """Whether a base's tag points to another image than the one that an image of these `layers` was built on; None:
    not known. `built_on`: the base's digest, "" where only layers can tell: an image has all of its base's. Pure."""
    if built_on:
        return built_on not in (tag.digest, *tag.platforms)
    chains = [chain for chain in tag.chains if chain]
    if any(layers[: len(chain)] == chain for chain in chains):
        return False
    return True if layers and chains and tag.complete else None


def base_image_of(*pairs: Iterable[tuple[str, str]]) -> BaseImage | None:
    """The base image by annotations and labels, the first that has it; None where none says it. Pure."""
    for one in pairs:
        found = dict(one)
        name, digest = found.get(NAME, "").strip(), found.get(DIGEST, "").strip()
        if name or digest:
            return _base_image(name, digest)
    return None


def _base_image(name: str, digest: str) -> BaseImage:
    before, _, given = name.partition("@")
    path, colon, tag = before.rpartition(":")
    if not colon or "/" in tag:  # The colon is that of a port.
        path, tag = before, ""
    first, slash, rest = path.partition("/")
    has_server = bool(slash) and ("." in first or ":" in first or first == "localhost")
    reference = next((one for one in (digest, given) if is_digest(one)), tag)
    return BaseImage(name, digest, first if has_server else "", rest if has_server else path, reference, tag)
