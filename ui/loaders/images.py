"""Cached reads of repositories, tags and manifests, and what each change to them makes stale."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from services.connection.parallel import Partial
from services.images import repositories
from services.images import tree as manifest_trees
from services.images.evidence import Evidence, read_evidence
from services.images.manifest_reading import indent_json, read_config, read_manifest, read_raw, read_referrers
from services.images.manifests import Descriptor, ImageConfig, Manifest
from services.images.platforms import read_children, read_indexes, read_platforms
from services.images.summaries import ImageSummary, summarise
from services.transfer import download
from ui.loaders import contents
from ui.loaders.registries import Loaded, catalogue, loaded_fresh, read_now
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start

TAGS_A_PAGE = 50
# More manifests than these are read only when asked for.
LARGE = 5000


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=500)
def repository(who: str, login_server: str, name: str) -> Loaded[repositories.Repository]:
    """One repository's attributes."""
    return read_now(repositories.get_repository(connection.session(who).registry(login_server), name))


@dataclass(frozen=True)
class Tags:
    """A page of tags, and a summary of the image behind each digest."""

    page: repositories.TagPage
    summaries: Partial[ImageSummary]


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=500, validate=loaded_fresh)
def tag_page(who: str, login_server: str, name: str, after: str | None) -> Loaded[Tags]:
    """One page of a repository's tags, the newest first."""
    client = connection.session(who).registry(login_server)
    page = repositories.tag_page(client, name, size=TAGS_A_PAGE, after=after)
    manifest_count = repository(who, login_server, name).value.manifest_count
    digests = [tag.digest for tag in page.tags]
    summaries = summarise(client, name, digests, manifest_count)
    return read_now(Tags(page, summaries), summaries.refused)


def turned_pages(login_server: str, repository: str) -> list[str | None]:
    """The tag after which each page of tags begins, for the pages this session has turned to; the last is shown."""
    turned: list[str | None] = st.session_state.setdefault(f"pages of {login_server}/{repository}", [None])
    return turned


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=50)
def manifest_rows_of(who: str, login_server: str, repository: str) -> Partial[repositories.ManifestRow]:
    """The metadata of all manifests of one repository."""
    return repositories.manifest_rows(connection.session(who).registry(login_server), repository)


@dataclass(frozen=True)
class Tree:
    """A repository's manifests as a tree, and what of them could not be read."""

    rows: tuple[repositories.ManifestRow, ...]
    nodes: tuple[manifest_trees.Node, ...]
    read: Partial[Manifest]


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def tree(who: str, login_server: str, repository: str) -> Reading[Tree]:
    """All manifests of one repository, and which belong to which."""
    client = connection.session(who).registry(login_server)

    def work(reading: Reading[Tree]) -> None:
        listed = repositories.manifest_rows(client, repository)
        rows = listed.values
        reading.value = Tree(rows, (), Partial((), listed.refused))
        read = manifest_trees.read_for_tree(
            client,
            repository,
            rows,
            done=lambda done, of: reading.report(done, of, "manifests"),
            stop=reading.stop,
        )
        read = replace(read, refused=listed.refused + read.refused)
        nodes = manifest_trees.build_tree(rows, read.values, every_row=not listed.refused)
        reading.value = Tree(rows, nodes, read)
        reading.lacks = read.refused

    return start(Tree((), (), Partial(())), work)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=2000)
def tag(who: str, login_server: str, repository: str, name: str) -> repositories.Tag:
    """One tag: which digest it points to now."""
    return repositories.get_tag(connection.session(who).registry(login_server), repository, name)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=2000)
def manifest_row(who: str, login_server: str, repository: str, digest: str) -> Loaded[repositories.ManifestRow]:
    """What the registry knows of one manifest: its tags, times and locks."""
    return read_now(repositories.get_manifest_row(connection.session(who).registry(login_server), repository, digest))


@st.cache_resource(show_spinner=False, max_entries=5000)
def manifest(who: str, login_server: str, repository: str, digest: str) -> Manifest:
    """A manifest by digest, which never changes."""
    return read_manifest(connection.session(who).registry(login_server), repository, digest)


@st.cache_resource(show_spinner=False, max_entries=200)
def manifest_text(who: str, login_server: str, repository: str, digest: str) -> str:
    """A manifest as the registry has it, indented where it is JSON."""
    raw, _ = read_raw(connection.session(who).registry(login_server), repository, digest)
    return indent_json(raw)


@st.cache_resource(show_spinner=False, max_entries=500)
def platforms(who: str, login_server: str, repository: str, digest: str) -> Mapping[str, Descriptor]:
    """Platform → the image for it in the index at `digest`, those of indexes within it too; they never change."""
    client = connection.session(who).registry(login_server)
    return read_platforms(client, repository, manifest(who, login_server, repository, digest))


@st.cache_resource(show_spinner=False, max_entries=500, validate=loaded_fresh)
def children(who: str, login_server: str, repository: str, digest: str) -> Loaded[Partial[Manifest]]:
    """The manifests that the index at `digest` lists, the first of them where they are many."""
    client = connection.session(who).registry(login_server)
    read = read_children(client, repository, manifest(who, login_server, repository, digest))
    return read_now(read, read.refused)


@dataclass(frozen=True)
class Indexes:
    """The indexes of a repository, and the metadata of all its manifests."""

    rows: tuple[repositories.ManifestRow, ...]
    read: Partial[Manifest]


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def indexes(who: str, login_server: str, repository: str) -> Reading[Indexes]:
    """Every index of a repository: the way from a platform up to what lists it."""
    client = connection.session(who).registry(login_server)

    def work(reading: Reading[Indexes]) -> None:
        listed = repositories.manifest_rows(client, repository)
        read = read_indexes(
            client,
            repository,
            listed.values,
            done=lambda done, of: reading.report(done, of, "indexes"),
            stop=reading.stop,
        )
        reading.lacks = listed.refused + read.refused
        reading.value = Indexes(listed.values, replace(read, refused=reading.lacks))

    return start(Indexes((), Partial(())), work)


@st.cache_resource(show_spinner=False, max_entries=500)
def config(who: str, login_server: str, repository: str, digest: str) -> ImageConfig:
    """The config of the image at `digest`, which never changes."""
    client = connection.session(who).registry(login_server)
    return read_config(client, repository, manifest(who, login_server, repository, digest))


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=500)
def referrers(who: str, login_server: str, repository: str, digest: str) -> tuple[Descriptor, ...]:
    """What refers to `digest`."""
    return read_referrers(connection.session(who).registry(login_server), repository, digest)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=500, validate=loaded_fresh)
def evidence(who: str, login_server: str, repository: str, digest: str) -> Loaded[Partial[Evidence]]:
    """The signatures, SBOMs and attestations of `digest`; of an index also those of its platforms."""
    client = connection.session(who).registry(login_server)
    own = manifest(who, login_server, repository, digest)
    subjects = {child.digest: child.attests for child in own.children if child.attests}
    attestations: Partial[Manifest] = Partial(())
    if subjects:
        read = children(who, login_server, repository, digest).value
        values = tuple(one for one in read.values if one.digest in subjects)
        refused = tuple(refusal for refusal in read.refused if refusal.what in subjects)
        attestations = Partial(values, refused, len(subjects) - len(values) - len(refused))
    pieces = read_evidence(
        client,
        repository,
        digest,
        lambda: referrers(who, login_server, repository, digest),
        attestations,
        lambda attestation: subjects[attestation],
    )
    return read_now(pieces, pieces.refused)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=50)
def archive(who: str, login_server: str, repository: str, digest: str, tag: str, platform: str) -> download.Archive:
    """The archive of an image, whose blobs have all been found in the registry."""
    client = connection.session(who).registry(login_server)
    return download.plan_archive(client, repository, digest, tag=tag, platform=platform)


def forget_pushed(who: str, login_server: str, name: str, tag_name: str, *digests: str) -> None:
    """Drops what a push has changed. Unlike `forget_repository` it needs no session: pushes outlive theirs."""
    forget_written(who, login_server, name)
    tag.clear(who, login_server, name, tag_name)
    for digest in digests:
        manifest_row.clear(who, login_server, name, digest)


def forget_written(who: str, login_server: str, name: str) -> None:
    """Drops what a push or a deletion in the background makes stale in every session, except later pages of tags."""
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
    """Drops what was read of one repository, and returns to the first page of its tags."""
    _forget(who, login_server, name)
    turned = turned_pages(login_server, name)
    for after in turned:
        tag_page.clear(who, login_server, name, after)
    turned[:] = [None]
