"""What the page of an image shows: read once, before anything is drawn."""

from dataclasses import dataclass

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.images.evidence import Evidence
from services.images.manifests import Descriptor, ImageConfig, Kind, Manifest
from services.images.platforms import indexes_of
from services.images.repositories import PAGE, ManifestRow
from ui.elements.errors import Part
from ui.loaders import images as image_loaders
from ui.runtime.background import Reading

# An image may be in many indexes: of these, whether they are signed is read.
READ_INDEXES = 3
PLATFORM = "platform"


@dataclass(frozen=True)
class ImageView:
    """A manifest with all around it.

    `platforms` of an index, by name. `shown` is the image whose layers and config are shown: the manifest itself, or
    one platform of an index; None where there is none, or where it was not read. `indexes` list the manifest: None
    where they have not been read, and `reading` where that is under way. `evidence` is its own, `index_evidence` that
    of its indexes.
    """

    row: ManifestRow
    manifest: Manifest
    platforms: dict[str, Descriptor]
    platform: str
    shown: Manifest | None
    config: ImageConfig | None
    evidence: Partial[Evidence]
    indexes: tuple[ManifestRow, ...] | None
    reading: Reading[image_loaders.Indexes] | None
    index_evidence: tuple[Partial[Evidence], ...]
    unread: tuple[Part, ...]

    @property
    def digest(self) -> str:
        return self.manifest.digest


def read_view(
    who: str, login_server: str, repository: str, row: ManifestRow, manifest: Manifest, *, ask_indexes: bool
) -> ImageView:
    """All that the page shows of a manifest. What refuses is named in `unread`. `ask_indexes`: the indexes of a
    repository of any size are read."""
    refused: list[Refusal] = []
    platforms: dict[str, Descriptor] = {}
    if manifest.kind is Kind.INDEX:
        try:
            platforms = dict(image_loaders.platforms(who, login_server, repository, manifest.digest))
        except ServiceError as error:
            refused.append(Refusal("an index within this one", error))
    named = st.query_params.get(PLATFORM, "")
    platform = named if named in platforms else next(iter(platforms), "")
    shown: Manifest | None = manifest if manifest.kind is not Kind.INDEX else None
    config: ImageConfig | None = None
    try:
        if platform:
            shown = image_loaders.manifest(who, login_server, repository, platforms[platform].digest)
        if shown and shown.kind is Kind.IMAGE and not shown.is_schema_1:
            config = image_loaders.config(who, login_server, repository, shown.digest)
    except ServiceError as error:
        refused.append(Refusal(platform or "its config", error))
    evidence = image_loaders.evidence(who, login_server, repository, manifest.digest).value
    indexes, running, unread_indexes = _read_indexes(who, login_server, repository, manifest, ask=ask_indexes)
    above = [
        image_loaders.evidence(who, login_server, repository, one.digest).value
        for one in (indexes or ())[:READ_INDEXES]
    ]
    unread = (
        Part(Partial((), tuple(refused)), "part of the image", "parts of the image"),
        Part(Partial((), evidence.refused), "list of signatures", "lists of signatures"),
        Part(Partial((), tuple(refusal for one in above for refusal in one.refused)), "list of signatures of an index"),
        Part(unread_indexes, "index", "indexes"),
    )
    return ImageView(
        row,
        manifest,
        platforms,
        platform,
        shown,
        config,
        evidence,
        indexes,
        running,
        tuple(above),
        unread,
    )


def _read_indexes(
    who: str, login_server: str, repository: str, manifest: Manifest, *, ask: bool
) -> tuple[tuple[ManifestRow, ...] | None, Reading[image_loaders.Indexes] | None, Partial[Manifest]]:
    """The indexes that list a manifest, None where not all were read; the read that runs; what refused.

    Those of a repository with more manifests than one page lists are read only when asked for.
    """
    if manifest.kind is Kind.ARTIFACT:
        return (), None, Partial(())
    try:
        few = image_loaders.repository(who, login_server, repository).value.manifest_count <= PAGE
    except ServiceError:
        few = False  # The page says nothing of the repository itself.
    if not few and not ask:
        return None, None, Partial(())
    reading = image_loaders.indexes(who, login_server, repository)
    if not reading.finished.wait(reading.moment):
        return None, reading, Partial(())
    if reading.error:
        return None, None, Partial((), (Refusal("the list of manifests", reading.error),))
    read = reading.value.read
    found = indexes_of(manifest.digest, reading.value.rows, read.values)
    known = found if found or read.complete else None
    return known, None, Partial((), read.refused, read.untried)
