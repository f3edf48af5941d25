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
    where it names none (Docker Hub's short names); `reference` is the digest, else the tag, else ""."""

    name: str
    digest: str
    server: str
    repository: str
    reference: str


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
    return BaseImage(name, digest, first if has_server else "", rest if has_server else path, reference)
