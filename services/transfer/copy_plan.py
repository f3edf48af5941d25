"""The plan for copying an image, with its signatures, to another repository or registry, inside Azure.

Azure copies, not the console: `importImage` of the target registry. Its rules:
https://learn.microsoft.com/azure/container-registry/container-registry-import-images
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.commands import images as az_images
from services.connection.errors import ServiceError, lacks_registry_role
from services.connection.names import image_name, require_digest, require_repository, require_tag
from services.connection.parallel import parallel_map
from services.connection.session import AzureSession
from services.images.image_graph import ImageContent, read_content
from services.images.repositories import Repository, Tag, find_repository, find_tag
from services.registries.registry import Registry
from services.transfer.copy_referrers import ReferrerItem, read_all_referrers, read_referrer_items

# "The maximum number of manifests for an imported image is 50."
MOST_MANIFESTS = 50
DOCKER_HUB = "docker.io"

_SERVER = re.compile(r"(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+(?::\d{1,5})?")
# What keeps the console from reading a registry, and not Azure from copying: it passes network rules.
_OUT_OF_REACH = ("Unreachable", "NotTrusted")
_SOURCE_BLOCKERS = ("TooManyManifests", "REGISTRY_DISALLOWED_OPERATION")


@dataclass(frozen=True)
class Source:
    """An image to copy. `registry` is one that the console knows and Azure copies from by its resource id; None is one
    known by its address alone, with a user name and password where it wants them."""

    server: str
    repository: str
    reference: str
    registry: Registry | None = None
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def image(self) -> str:
        """repository:tag, or repository@digest."""
        return image_name(self.repository, self.reference)

    @property
    def name(self) -> str:
        """The image with its registry's address before it."""
        return f"{self.server}/{self.image}"


@dataclass(frozen=True)
class CopyItem:
    """One place to copy to: a tag, or with `tag` '' a repository that gets the manifest without any.

    `current_digest` is where the tag points now, None for a new one; `known` is False where the console can't read the
    target, with the reason in `why`. `there`: it is at the source's digest already. `blocker` is '' where it can
    be copied.
    """

    repository: str
    tag: str
    current_digest: str | None = None
    known: bool = True
    there: bool = False
    blocker: str = ""
    why: str = ""

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}" if self.tag else self.repository


@dataclass(frozen=True)
class CopyPlan:
    """What a copy would do. `content` is None where the console can't read the source.

    `referrers`: the signatures, SBOMs and attestations of the image and of its platforms, imported after it. Nothing is
    sent while there are `blockers`, those of the items among them; `warnings` say what could not be checked before, and
    which referrers stay behind. `unread_referrers` says why there may be more, '' where all were read.
    """

    source: Source
    target: Registry
    items: tuple[CopyItem, ...]
    content: ImageContent | None
    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    referrers: tuple[ReferrerItem, ...] = ()
    unread_referrers: str = ""

    @property
    def commands(self) -> tuple[str, ...]:
        """The lines of the same: the image's, then one for each referrer."""
        return (*((self._image_command,) if self.todo else ()), *map(self._referrer_command, self.referrers_todo))

    @property
    def _image_command(self) -> str:
        source, todo = self.source, self.todo
        return az_images.import_image(
            self.target.name,
            self.source_image if source.registry else f"{source.server}/{self.source_image}",
            *(item.name for item in todo if item.tag),
            repositories=tuple(item.repository for item in todo if not item.tag),
            resource_id=source.registry.id if source.registry else "",
            user=source.user,
            force=bool(self.moves),
        )

    def _referrer_command(self, item: ReferrerItem) -> str:
        return az_images.import_image(
            self.target.name,
            f"{self.source.repository}@{item.referrer.digest}",
            *((item.name,) if item.referrer.tag else ()),
            repositories=() if item.referrer.tag else (item.repository,),
            resource_id=self.source.registry.id if self.source.registry else "",
        )

    @property
    def referrers_todo(self) -> tuple[ReferrerItem, ...]:
        """The referrers that are imported: those that do not stay behind, and are not there already."""
        return tuple(item for item in self.referrers if not item.left and not item.there)

    @property
    def digest(self) -> str:
        """The source's digest, '' where it is not known."""
        return self.content.top.digest if self.content else ""

    @property
    def todo(self) -> tuple[CopyItem, ...]:
        """The items that are copied to: not blocked, and not there already."""
        return tuple(item for item in self.items if not item.blocker and not item.there)

    @property
    def moves(self) -> tuple[CopyItem, ...]:
        """The tags that exist and would point elsewhere: they need to be confirmed."""
        return tuple(item for item in self.todo if item.current_digest)

    @property
    def source_image(self) -> str:
        """What Azure is asked to copy: by digest where that is known, so that a tag that moves in between changes
        nothing (https://github.com/Azure/azure-cli/issues/29974)."""
        return f"{self.source.repository}@{self.digest}" if self.digest else self.source.image


def parse_source(reference: str, user: str = "", password: str = "") -> Source:
    """`docker.io/library/nginx:1.29`, `mcr.microsoft.com/dotnet/runtime@sha256:…`, or `nginx` as docker reads it.

    Nothing is asked of that address by the console. Raises ServiceError: InvalidReference, InvalidRepository,
    InvalidTag, InvalidDigest.
    """
    title = "Could not read the name of the source"
    first, slash, rest = reference.strip().partition("/")
    if not slash or not (set(".:") & set(first) or first == "localhost"):
        first, rest = DOCKER_HUB, reference.strip()
    if first in ("index.docker.io", "registry-1.docker.io", "hub.docker.com"):
        first = DOCKER_HUB
    if not _SERVER.fullmatch(first):
        raise ServiceError(
            title,
            f"{first} is not the address of a registry.",
            "Write it as for docker pull: mcr.microsoft.com/dotnet/runtime:10.0.",
            "InvalidReference",
        )
    rest, _, digest = rest.partition("@")
    repository, _, tag = rest.partition(":")
    if first == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    require_repository(title, repository)
    if digest:
        require_digest(title, digest)
    else:
        require_tag(title, tag or "latest")
    return Source(first, repository, digest or tag or "latest", user=user, password=password)


def plan_copy(
    source: Source,
    target: Registry,
    content: ImageContent | ServiceError | None,
    items: Iterable[CopyItem],
    referrers: Iterable[ReferrerItem] = (),
    unread_referrers: str = "",
) -> CopyPlan:
    """What copying `source` to these items of `target` would do. Pure.

    `content`: what the source holds, the error that kept it from being read, or None where this console does not read
    it at all. `referrers` of it, as planned; `unread_referrers` says why there may be more.
    """
    items, referrers = tuple(items), tuple(referrers)
    blocker, warning = _about_source(source, content)
    blockers = (blocker, *_closed_networks(source, target), *(item.blocker for item in items))
    warnings = (
        warning,
        "" if all(item.known for item in items) else _unread_target(target, items),
        *_about_referrers(source, content, referrers, unread_referrers),
    )
    read = content if isinstance(content, ImageContent) else None
    unread = "" if isinstance(content, ImageContent) else content.cause if content else "the source is not read"
    return CopyPlan(
        source,
        target,
        items,
        read,
        tuple(filter(None, blockers)),
        tuple(filter(None, warnings)),
        referrers,
        unread_referrers or unread,
    )


def _about_referrers(
    source: Source, content: ImageContent | ServiceError | None, referrers: Iterable[ReferrerItem], unread: str
) -> Iterator[str]:
    """What stays behind of the image's signatures, SBOMs and attestations, and what is not known of them."""
    unknown = "Not known whether signatures, SBOMs or attestations refer to it"
    if content is None:
        yield f"{unknown}: this console does not read {source.server}. Azure does not copy them with the image."
    elif isinstance(content, ServiceError):
        yield f"{unknown}: {content.cause.rstrip('.')}. Azure does not copy them with the image."
    elif unread:
        yield f"Not known whether more signatures, SBOMs or attestations refer to it: {unread}"
    for item in referrers:
        if item.left:
            yield f"Stays behind: {item.referrer.artifact_type} {item.referrer.digest}. {item.left}"


def plan_item(repository: str, tag: str, digest: str, found: Repository | None, current: Tag | None) -> CopyItem:
    """What copying `digest` ('' where unknown) to a tag of a repository, both as found, would do. Pure.

    A lock against writing keeps tags from being set, of the repository any, of the tag its own:
    https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
    """
    at = current.digest if current else None
    there = bool(digest) and at == digest
    blocker = ""
    if not there and found and not found.locks.write:
        blocker = f"The repository {repository} is locked against writing: none of its tags moves. Unlock it first."
    elif not there and current and not current.locks.write:
        blocker = (
            f"The tag {tag} is locked against writing: it stays at {at}, and whoever pulls it goes on to get that. "
            "Unlock it first, or copy to another tag."
        )
    return CopyItem(repository, tag, at, there=there, blocker=blocker)


def read_copy_plan(
    session: AzureSession,
    source: Source,
    target: Registry,
    tags: Iterable[tuple[str, str]],
    untagged: Iterable[str] = (),
) -> CopyPlan:
    """Reads what `plan_copy` needs of the source and of these tags (repository and tag) and untagged repositories of
    `target`, where the console can.

    Raises ServiceError: InvalidRepository, InvalidTag, NoTarget, MANIFEST_UNKNOWN where the source says that there is
    no such image, and what reading raises.
    """
    title = f"Could not plan the copy of {source.name}"
    places = list(dict.fromkeys([*tags, *((name, "") for name in untagged)]))
    if not places:
        raise ServiceError(title, "There is no target.", "Name a repository and a tag to copy to.", "NoTarget")
    for repository, tag in places:
        require_repository(title, repository)
        if tag:
            require_tag(title, tag)
    content = _read_source(session, source)
    digest = content.top.digest if isinstance(content, ImageContent) else ""
    client = session.registry(target.login_server)

    def read(place: tuple[str, str]) -> CopyItem:
        repository, tag = place
        try:
            found = find_repository(client, repository)
            current = find_tag(client, repository, tag) if found and tag else None
        except ServiceError as error:
            if not _is_closed(error):
                raise
            return CopyItem(repository, tag, known=False, why=error.cause)
        return plan_item(repository, tag, digest, found, current)

    items = parallel_map(read, places, server=client.login_server)
    if items.refused:
        raise items.refused[0].error
    if not isinstance(content, ImageContent) or source.registry is None:
        return plan_copy(source, target, content, items.values)
    digests = [stored.manifest.digest for stored in content.manifests]
    referrers = read_all_referrers(session.registry(source.registry.login_server), source.repository, digests)
    planned = read_referrer_items(client, target, referrers.found, (item.repository for item in items.values))
    return plan_copy(source, target, content, items.values, planned, referrers.unread)


def _read_source(session: AzureSession, source: Source) -> ImageContent | ServiceError | None:
    """What the source holds, or why a plan goes without it. Raises the errors that no plan goes without."""
    if source.registry is None:
        return None
    client = session.registry(source.registry.login_server)
    try:
        return read_content(client, source.repository, source.reference, most=MOST_MANIFESTS)
    except ServiceError as error:
        if error.code in _SOURCE_BLOCKERS or _is_closed(error):
            return error
        raise


def _about_source(source: Source, content: ImageContent | ServiceError | None) -> tuple[str, str]:
    """Why the source can't be copied, and what could not be checked of it."""
    limit = f"Azure copies images of up to {MOST_MANIFESTS} manifests"
    if content is None:
        return "", f"{limit}; this console does not read {source.server}, so it can't count them before."
    if isinstance(content, ImageContent):
        return "", ""
    if content.code == "TooManyManifests":
        return f"{limit}, and this one has more. {content.remedy}", ""
    if content.code == "REGISTRY_DISALLOWED_OPERATION":
        return f"The source is locked against reading: {content.cause}", ""
    why = f"this console can't read the source ({content.cause.rstrip('.')})"
    unread = f"{limit}; {why}, so it can't count them before, nor compare digests after."
    if lacks_registry_role(content):
        unread += f" Azure copies as the same identity, and refuses where that has no role to pull. {content.remedy}"
    return "", unread


def _is_closed(error: ServiceError) -> bool:
    """Whether the registry is closed to this console, by its network or for want of a role: Azure may still copy."""
    return error.code in _OUT_OF_REACH or error.status in (401, 403)


def _unread_target(target: Registry, items: Iterable[CopyItem]) -> str:
    why = ", ".join(dict.fromkeys(item.why.rstrip(".") for item in items if item.why))
    return (
        f"This console can't read {target.name}{f' ({why})' if why else ''}: whether the tags exist is not known, and "
        "afterwards can't be read back. Azure refuses to copy over a tag that exists."
    )


def _closed_networks(source: Source, target: Registry) -> list[str]:
    """Azure's own copying passes a registry's network rules as a trusted service, where those are allowed."""
    closed = {
        registry.id: registry
        for registry in (source.registry, target)
        if registry and not registry.network.open_to_all and not registry.network.trusted_services
    }
    return [
        f"{registry.name} is not open to all networks, and does not allow trusted Azure services: the copy could not "
        f"reach it. Allow them first: az acr update --name {registry.name} --allow-trusted-services true"
        for registry in closed.values()
    ]
