"""What a pasted text names: an image reference, a `docker pull` line, a digest, a resource id or a portal address.

Nothing is looked up here, and no text is refused: what names nothing is searched for as words.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import unquote

from services.connection.resource_ids import ResourceId, parse_id

# A digest that is typed by hand needs as many of its first characters as git and docker show.
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{7,64})", re.IGNORECASE)
# …and one that is too short, or none.
_NO_DIGEST = re.compile(r"sha256:(?![0-9a-f]{7})\S*", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S*", re.IGNORECASE)
_RESOURCE = re.compile(r"/subscriptions/[^\s?#\"']+", re.IGNORECASE)
# The portal writes the repository's name behind the registry's id: …/repository/team%2Fapp
_PORTAL_REPOSITORY = re.compile(r"/(?:repository|repositories|repositoryName)/(.+)", re.IGNORECASE)
_QUOTES = "\"'`,;"
_SCHEMES = ("docker://", "oci://", "https://", "http://")


@dataclass(frozen=True)
class ImageReference:
    """`server` is a login server or a registry's name, "" where none is named; `repository` "" names the registry
    alone; `reference` is a tag or a digest, "" where there is neither."""

    server: str
    repository: str
    reference: str = ""

    @property
    def text(self) -> str:
        mark = "@" if ":" in self.reference else ":"
        path = "/".join(part for part in (self.server, self.repository) if part)
        return f"{path}{mark}{self.reference}" if self.reference else path


@dataclass(frozen=True)
class ResourceReference:
    """A resource of Resource Manager, and the repository that a portal address names in it."""

    resource_id: str
    parts: ResourceId
    repository: str = ""


def digest_prefix(text: str) -> str:
    """'sha256:' and the characters given, in lower case, where `text` is a digest or its first 7 characters or more;
    else ""."""
    found = _DIGEST.fullmatch(text.strip())
    return f"sha256:{found[1].lower()}" if found else ""


def is_short_digest(text: str) -> bool:
    """Whether `text` is meant as a digest, and has too few hexadecimal characters to be one."""
    return bool(_NO_DIGEST.fullmatch(text.strip()))


def is_address(text: str) -> bool:
    """Whether `text` is written as an address of the web, with a scheme."""
    return bool(_ADDRESS.fullmatch(text.strip()))


def resource_reference(text: str) -> ResourceReference | None:
    """The resource whose id is in `text`, as it is or within an address of the portal."""
    found = _RESOURCE.search(unquote(text.strip()))
    if not found:
        return None
    # /subscriptions/S/resourceGroups/G/providers/P/T/N: what follows is the portal's own.
    segments = found[0].split("/")
    resource_id = "/".join(segments[:9]).rstrip("/")
    parts = parse_id(resource_id)
    if not parts.kind or not parts.name:
        return None
    repository = _PORTAL_REPOSITORY.search("/" + "/".join(segments[9:]))
    return ResourceReference(resource_id, parts, repository[1].strip("/") if repository else "")


def image_reference(text: str, servers: Collection[str] = ()) -> ImageReference | None:
    """The image, repository or registry that a word of `text` names; None where none does.

    `servers`: login servers and names of registries, in lower case. Without one of them, a first part with a dot, a
    colon or "localhost" is a server, as docker reads it
    (https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed).
    """
    words = [_bare(word) for word in text.split()]
    parsed = [found for word in words if (found := _parsed(word, servers))]
    named = (found for found in parsed if found.server.lower() in servers)
    with_server = (found for found in parsed if found.server)
    # A repository and a tag without a server: only as the whole text, as most words with a colon are something else.
    alone = parsed[0] if len(words) == 1 and parsed else None
    return next(named, None) or next(with_server, alone)


def _bare(word: str) -> str:
    word = word.strip(_QUOTES)
    for scheme in _SCHEMES:
        word = word.removeprefix(scheme)
    return word.rstrip("/")


def _parsed(word: str, servers: Collection[str]) -> ImageReference | None:
    first, slash, rest = word.partition("/")
    is_server = first.lower() in servers or (slash and ("." in first or ":" in first or first == "localhost"))
    if is_server and not slash:
        return ImageReference(first, "")
    server, path = (first, rest) if is_server else ("", word)
    path, _, digest = path.partition("@")
    before, colon, tag = path.rpartition(":")
    repository = before if colon and "/" not in tag else path
    reference = digest or (tag if repository == before else "")
    if not repository or not (server or reference):
        return None
    return ImageReference(server, repository, reference)
