"""Cached reads of repositories, tags and manifests, and what each change to them makes stale."""

import sys
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
from services.images.tag_list import MOST_INDEXES, NOTHING_READ, TagList, read_tag_list
from services.transfer import download
from ui.loaders import contents
from ui.loaders.index_changes import note_change
from ui.loaders.registries import Loaded, catalogue, loaded_fresh, read_now
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start
from ui.runtime.database import shared_contents

# More manifests than these are read only when asked for.
LARGE = 5000


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=500)
def repository(who: str, login_server: str, name: str) -> Loaded[repositories.Repository]:
    """One repository's attributes."""
    return read_now(repositories.get_repository(connection.session(who).registry(login_server), name))


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def tag_list(who: str, login_server: str, repository: str, *, every_index: bool = False) -> Reading[TagList]:
    """All tags of one repository with what they point to; the value grows as they are read. Where there are many
    indexes, the older ones are read only with `every_index`."""
    client = connection.session(who).registry(login_server)
    known = contents.known_manifests(who, login_server)

    def work(reading: Reading[TagList]) -> None:
        def got(part: TagList) -> None:
            reading.value = part

        got(
            read_tag_list(
                client,
                repository,
                known,
                store=shared_contents(),
                most_indexes=sys.maxsize if every_index else MOST_INDEXES,
                on_part=got,
                progress=reading.report,
                stop=reading.stop,
            )
        )
        reading.lacks = reading.value.tags.refused + reading.value.images.refused

    return start(NOTHING_READ, work)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=50)
def newest_tags(who: str, login_server: str, repository: str) -> repositories.TagPage:
    """The 50 newest tags of one repository."""
    return repositories.tag_page(connection.session(who).registry(login_server), repository, size=50)


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
            store=shared_contents(),
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
            store=shared_contents(),
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
    """Drops what a push makes stale: `digests` are those that have got or lost the tag."""
    forget_written(who, login_server, name)
    tag.clear(who, login_server, name, tag_name)
    for digest in digests:
        manifest_row.clear(who, login_server, name, digest)


def forget_written(who: str, login_server: str, name: str) -> None:
    """Drops what a push or a deletion in the background makes stale."""
    contents.forget(who, login_server)
    catalogue.clear(who, login_server)
    forget_changed(who, login_server, name)


def forget_changed(who: str, login_server: str, name: str) -> None:
    """Drops what was read of a repository that the console has changed, and has its index compared again."""
    forget_repository(who, login_server, name)
    note_change(who, login_server, name)


def forget_repository(who: str, login_server: str, name: str) -> None:
    """Drops what was read of one repository."""
    repository.clear(who, login_server, name)
    contents.repository.clear(who, login_server, name)
    contents.forget_several(who, login_server)
    manifest_rows_of.clear(who, login_server, name)
    tree.clear(who, login_server, name)
    newest_tags.clear(who, login_server, name)
    for every in (False, True):
        tag_list.clear(who, login_server, name, every_index=every)
