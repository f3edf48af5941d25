"""Leftovers: manifests without a tag that nothing refers to and that refer to nothing. The one rule for them.

The registry lists an index's platforms and referrers without tags too: only what the manifests point to tells them
apart, and taking those for leftovers has broken many registries (https://github.com/Azure/acr-cli/issues/131).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.images.manifests import DOCKER_MANIFEST, IMAGE_CONFIGS, INDEXES, Manifest
from services.images.repositories import ManifestRow, last_update_of
from services.images.schema_1 import SCHEMA_1


@dataclass(frozen=True)
class Leftovers:
    """Digests, the newest first. `undetermined`: no tag and in nothing that was read, but a manifest that could hold
    it, or its own, was not read."""

    certain: tuple[str, ...]
    undetermined: tuple[str, ...]


def find_leftovers(
    rows: Iterable[ManifestRow], manifests: Mapping[str, Manifest], tagged: Collection[str] = ()
) -> Leftovers:
    """The leftovers among all manifests of a repository. Pure.

    `manifests` by digest, as far as they were read. `tagged`: digests that the list of tags has, which may be newer
    than the rows. Platforms that only a leftover index lists are not among them: they are deleted with it.
    """
    rows = sorted(rows, key=last_update_of, reverse=True)
    digests = {row.digest for row in rows}
    below_others = {child.digest for manifest in manifests.values() for child in manifest.children}
    below_others |= {digest for digest, manifest in manifests.items() if manifest.subject in digests}
    alone = [row for row in rows if not row.tags and row.digest not in tagged and row.digest not in below_others]
    every_index_read = all(row.digest in manifests for row in rows if may_be_index(row))
    certain = [
        row.digest for row in alone if every_index_read and (row.digest in manifests or not may_have_subject(row))
    ]
    known = set(certain)
    return Leftovers(tuple(certain), tuple(row.digest for row in alone if row.digest not in known))


def is_index(row: ManifestRow) -> bool:
    """Whether it lists other manifests."""
    return row.media_type in INDEXES


def may_be_index(row: ManifestRow) -> bool:
    """Whether it may list other manifests: also where the registry gives no type of it."""
    return is_index(row) or not (row.media_type or row.config_media_type)


def may_have_subject(row: ManifestRow) -> bool:
    """Whether only its bytes can tell if it refers to another manifest: Docker's formats know no subject."""
    if is_index(row) or row.media_type in (DOCKER_MANIFEST, *SCHEMA_1):
        return False
    return not row.tags or row.config_media_type not in IMAGE_CONFIGS
