"""What pages read, cached. `who` (cloud and identity) is part of every key; nothing here is ever shared past it.

Values are frozen or only read, so that sessions share one copy. Ages: settings and lists live minutes; what a digest
says never changes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import streamlit as st

from services.access.reading import own_if_told
from services.access.role_definitions import PermissionBlock
from services.connection.parallel import Partial, each
from services.images import manifests as images
from services.images import repositories
from services.images import summaries as image_summaries
from services.images import tree as manifest_tree
from services.registries import registry as registries
from services.transfer import download
from ui.loaders import contents
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start

Value = TypeVar("Value")

TAGS_A_PAGE = 50
# More manifests than these are read only when asked for.
LARGE = 5000


@dataclass(frozen=True)
class Loaded(Generic[Value]):
    """A value, and when it was read."""

    value: Value
    at: datetime


def _now(value: Value) -> Loaded[Value]:
    return Loaded(value, datetime.now(UTC))


@dataclass(frozen=True)
class Inventory:
    """Every registry, and how many repositories each has where that could be read (by registry id)."""

    registries: Partial[registries.Registry]
    repository_counts: dict[str, int]
    counts: Partial[int]

    @property
    def detailed(self) -> bool:
        """Whether every registry is in with its usages, or with why they can't be read."""
        found = self.registries.values
        return bool(found) and all(registry.usages is not None or registry.unread for registry in found)


@st.cache_resource(ttl="10m", show_spinner=False, validate=fresh)
def inventory(who: str) -> Reading[Inventory]:
    """All registries of all subscriptions, then the size of their catalogues."""
    session = connection.session(who)

    def work(reading: Reading[Inventory]) -> None:
        def listed(so_far: Partial[registries.Registry]) -> None:
            reading.value = Inventory(so_far, {}, Partial(()))

        found = registries.list_registries(session, progress=reading.report, listed=listed, stop=reading.stop)
        reading.value = Inventory(found, {}, Partial(()))
        reachable = [registry for registry in found.values if registry.login_server]
        counts: dict[str, int] = {}

        def counted(index: int, number: int | None) -> None:
            if number is not None:
                counts[reachable[index].id] = number
            reading.report(index + 1, len(reachable), "catalogues")

        read = each(
            lambda registry: repositories.count_repositories(session.registry(registry.login_server)),
            reachable,
            name=lambda registry: registry.name,
            done=counted,
            stop=reading.stop,
        )
        reading.value = Inventory(found, counts, read)

    return start(Inventory(Partial(()), {}, Partial(())), work)


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=500)
def registry(who: str, resource_id: str) -> Loaded[registries.Registry]:
    """One registry, whole."""
    return _now(registries.get_registry(connection.session(who), resource_id))


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=200)
def own_permissions(
    who: str,
    registry_id: str,  # noqa: ARG001 The key.
    _registry: registries.Registry,
) -> tuple[PermissionBlock, ...] | None:
    """What the caller may do at a registry; None where that can't be read."""
    return own_if_told(connection.session(who), _registry)


@dataclass(frozen=True)
class Catalogue:
    """The names of a registry's repositories, and the attributes of those that are in."""

    names: tuple[str, ...]
    repositories: Partial[repositories.Repository]

    @property
    def manifests(self) -> int | None:
        """How many the registry has, as far as each repository tells; None while not all have been asked."""
        known = self.repositories.values
        asked = len(known) + len(self.repositories.refused) == len(self.names)
        return sum(repository.manifest_count for repository in known) if asked else None


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def catalogue(who: str, login_server: str) -> Reading[Catalogue]:
    """Names first, then attributes; both are shown as they come in."""
    client = connection.session(who).registry(login_server)

    def work(reading: Reading[Catalogue]) -> None:
        names: list[str] = []
        for page in repositories.repository_names(client):
            names += page
            reading.report(len(names), 0, "names")
            reading.value = Catalogue(tuple(names), Partial(()))
            if reading.stop.is_set():
                return
        so_far: list[repositories.Repository] = []
        tried = 0

        def got(repository: repositories.Repository | None) -> None:
            nonlocal tried
            tried += 1
            if repository:
                so_far.append(repository)
            if tried % 200 == 0:
                reading.value = Catalogue(tuple(names), Partial(tuple(so_far)))
            reading.report(tried, len(names), "repositories")

        read = repositories.get_repositories(client, names, done=got, stop=reading.stop)
        reading.value = Catalogue(tuple(names), read)

    return start(Catalogue((), Partial(())), work)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=500)
def repository(who: str, login_server: str, name: str) -> Loaded[repositories.Repository]:
    """One repository's attributes."""
    return _now(repositories.get_repository(connection.session(who).registry(login_server), name))


@dataclass(frozen=True)
class Tags:
    """A page of tags, and what their digests are."""

    page: repositories.TagPage
    summaries: Partial[image_summaries.ImageSummary]


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=500)
def tag_page(who: str, login_server: str, name: str, after: str | None) -> Loaded[Tags]:
    """One page of a repository's tags, the newest first."""
    client = connection.session(who).registry(login_server)
    page = repositories.tag_page(client, name, size=TAGS_A_PAGE, after=after)
    manifest_count = repository(who, login_server, name).value.manifest_count
    digests = [tag.digest for tag in page.tags]
    return _now(Tags(page, image_summaries.summarise(client, name, digests, manifest_count)))


def turned_pages(login_server: str, repository: str) -> list[str | None]:
    """What each page of tags that this session has turned to begins after; the last is the one shown."""
    turned: list[str | None] = st.session_state.setdefault(f"pages of {login_server}/{repository}", [None])
    return turned


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=50)
def manifest_rows_of(who: str, login_server: str, repository: str) -> tuple[repositories.ManifestRow, ...]:
    """The metadata of all manifests of one repository."""
    return repositories.manifest_rows(connection.session(who).registry(login_server), repository)


@dataclass(frozen=True)
class Tree:
    """A repository's manifests as a tree, and what of them could not be read."""

    rows: tuple[repositories.ManifestRow, ...]
    nodes: tuple[manifest_tree.Node, ...]
    read: Partial[images.Manifest]


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def tree(who: str, login_server: str, repository: str) -> Reading[Tree]:
    """All manifests of one repository and what hangs on what."""
    client = connection.session(who).registry(login_server)

    def work(reading: Reading[Tree]) -> None:
        rows = repositories.manifest_rows(client, repository)
        reading.value = Tree(rows, (), Partial(()))
        read = manifest_tree.read_for_tree(
            client,
            repository,
            rows,
            done=lambda done, of: reading.report(done, of, "manifests"),
            stop=reading.stop,
        )
        reading.value = Tree(rows, manifest_tree.build_tree(rows, read.values), read)

    return start(Tree((), (), Partial(())), work)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=2000)
def tag(who: str, login_server: str, repository: str, name: str) -> repositories.Tag:
    """One tag: which digest it points to now."""
    return repositories.get_tag(connection.session(who).registry(login_server), repository, name)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=2000)
def manifest_row(who: str, login_server: str, repository: str, digest: str) -> Loaded[repositories.ManifestRow]:
    """What the registry knows of one manifest: its tags, times and locks."""
    return _now(repositories.get_manifest_row(connection.session(who).registry(login_server), repository, digest))


@st.cache_resource(show_spinner=False, max_entries=5000)
def manifest(who: str, login_server: str, repository: str, digest: str) -> images.Manifest:
    """A manifest by digest: the same for good."""
    return images.read_manifest(connection.session(who).registry(login_server), repository, digest)


@st.cache_resource(show_spinner=False, max_entries=500)
def config(who: str, login_server: str, repository: str, digest: str) -> images.ImageConfig:
    """The config of the image at `digest`: the same for good."""
    client = connection.session(who).registry(login_server)
    return images.read_config(client, repository, manifest(who, login_server, repository, digest))


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=500)
def referrers(who: str, login_server: str, repository: str, digest: str) -> tuple[images.Descriptor, ...]:
    """What refers to `digest`."""
    return images.read_referrers(connection.session(who).registry(login_server), repository, digest)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=50)
def archive(who: str, login_server: str, repository: str, digest: str, tag: str, platform: str) -> download.Archive:
    """The archive of an image, each of its blobs looked for."""
    client = connection.session(who).registry(login_server)
    return download.plan_archive(client, repository, digest, tag=tag, platform=platform)


def forget_pushed(who: str, login_server: str, name: str, tag_name: str, *digests: str) -> None:
    """Reads anew what a push has changed. Unlike `forget_repository` it needs no session: pushes outlive theirs."""
    forget_written(who, login_server, name)
    tag.clear(who, login_server, name, tag_name)
    for digest in digests:
        manifest_row.clear(who, login_server, name, digest)


def forget_registry(who: str, resource_id: str, login_server: str) -> None:
    """Reads one registry anew: its settings, what the caller may do at it, and its catalogue."""
    registry.clear(who, resource_id)
    own_permissions.clear()
    catalogue.clear(who, login_server)


def forget_written(who: str, login_server: str, name: str) -> None:
    """What a push or a deletion in the background makes stale, for every session. Pages turned to are each its own."""
    contents.forget(who, login_server)
    catalogue.clear(who, login_server)
    _forget(who, login_server, name)


def _forget(who: str, login_server: str, name: str) -> None:
    repository.clear(who, login_server, name)
    contents.repository.clear(who, login_server, name)
    manifest_rows_of.clear(who, login_server, name)
    tree.clear(who, login_server, name)
    tag_page.clear(who, login_server, name, None)


def forget_repository(who: str, login_server: str, name: str) -> None:
    """Reads one repository anew, its tags from the first page on."""
    _forget(who, login_server, name)
    turned = turned_pages(login_server, name)
    for after in turned:
        tag_page.clear(who, login_server, name, after)
    turned[:] = [None]
