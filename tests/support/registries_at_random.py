"""Registries as hypothesis draws them, written into a sandbox's store, and read back from there without HTTP.

They have what makes deleting hard: layers, configs and whole manifests shared between repositories, indexes in
indexes, children that are missing, attestations, referrers by subject (of referrers too) and by tag, tags that moved,
manifests without tags, and locks everywhere.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from sandbox.storage.manifest import digest_of as digest_of_bytes
from sandbox.storage.store import Locks as StoredLocks
from sandbox.storage.store import Manifest as StoredManifest
from sandbox.storage.store import Store, timestamp
from services.connection.errors import ServiceError
from services.connection.parallel import Refusal
from services.images.manifests import parse_manifest
from services.images.repositories import Locks, ManifestRow, Repository, Tag
from services.images.repository_contents import RepositoryContents
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, digest_of

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("app", "base", "team/app")
TAGS = ("latest", "main", "v1", "v2", "v3")
# Content is known by its number. No two sums of sizes are alike, so that bytes tell which content it was.
LAYERS = 12
CONFIGS = 4
_MISSING = digest_of(999)
_LOCKED = (StoredLocks(delete=False), StoredLocks(write=False), StoredLocks(delete=False, write=False))
_UNREADABLE = StoredLocks(read=False)

# Three layers at most, from one draw: drawing takes most of a test's time.
_NUMBERS = st.integers(0, LAYERS**3 - 1).map(
    lambda number: list(dict.fromkeys((number % LAYERS, number // LAYERS % LAYERS, number // LAYERS**2)))
)


@dataclass(frozen=True)
class Pushed:
    """A manifest to push. `digest` is that of `body`."""

    body: bytes
    media_type: str
    locks: StoredLocks

    @property
    def digest(self) -> str:
        return digest_of_bytes(self.body)


@dataclass(frozen=True)
class Tagged:
    """A tag that is set, or moved where it is set already."""

    name: str
    digest: str
    locks: StoredLocks


@dataclass(frozen=True)
class Pushes:
    """All that is pushed to a repository, in this order: a manifest is younger than what it points to."""

    name: str
    manifests: tuple[Pushed, ...]
    tags: tuple[Tagged, ...]
    locks: StoredLocks


def registries(*, locks: bool = True, unreadable: bool = False) -> st.SearchStrategy[tuple[Pushes, ...]]:
    """One to three repositories of up to eight manifests each; `locks` against deleting and writing; `unreadable` also
    has manifests that are locked against reading."""
    kinds = [StoredLocks()] * 5 + (list(_LOCKED) if locks else [])
    of_manifests = st.sampled_from([*kinds, *([_UNREADABLE] if unreadable else [])])
    names = st.integers(1, len(NAMES)).map(lambda number: NAMES[:number])
    return names.flatmap(
        lambda found: st.tuples(*(_pushes(name, st.sampled_from(kinds), of_manifests) for name in found))
    )


@st.composite
def _pushes(
    draw: st.DrawFn, name: str, locks: st.SearchStrategy[StoredLocks], of_manifests: st.SearchStrategy[StoredLocks]
) -> Pushes:
    manifests: list[Pushed] = []
    for kind in draw(st.lists(st.sampled_from(_KINDS), min_size=1, max_size=8)):
        numbers = draw(_NUMBERS)
        body = kind(numbers, manifests)
        manifests.append(Pushed(json.dumps(body).encode(), body["mediaType"], draw(of_manifests)))
    some = st.sampled_from([manifest.digest for manifest in manifests])
    schema = st.builds(lambda digest, end: digest.replace(":", "-") + end, some, st.sampled_from(("", ".sig")))
    names = st.one_of(st.sampled_from(TAGS), st.sampled_from(TAGS), schema)
    tags = draw(st.lists(st.builds(Tagged, names, some, locks), max_size=6))
    return Pushes(name, tuple(manifests), tuple(tags), draw(locks))


def _image(numbers: list[int], _before: list[Pushed]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": OCI_CONFIG,
            "digest": digest_of(100 + numbers[0] % CONFIGS),
            "size": 1 + numbers[0] % CONFIGS,
        },
        "layers": [_layer(number) for number in numbers],
    }


def _index(numbers: list[int], before: list[Pushed]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [_pointing_to(before[-1 - number % len(before)]) for number in numbers if before],
        "annotations": {"number": str(numbers[0])},
    }


def _broken_index(numbers: list[int], before: list[Pushed]) -> dict[str, Any]:
    found = _index(numbers, before)
    found["manifests"].append({"mediaType": OCI_MANIFEST, "digest": _MISSING, "size": 100})
    return found


def _attested_index(numbers: list[int], before: list[Pushed]) -> dict[str, Any]:
    """Its last child says that it attests the first."""
    found = _index(numbers, before)
    if len(found["manifests"]) > 1:
        found["manifests"][-1]["annotations"] = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": found["manifests"][0]["digest"],
        }
    return found


def _referrer(numbers: list[int], before: list[Pushed]) -> dict[str, Any]:
    """Of any manifest before it, and sometimes of one that is not there."""
    found = _image(numbers, before)
    place = numbers[-1]
    found["subject"] = _pointing_to(before[-1 - place % len(before)]) if before else {"digest": _MISSING, "size": 100}
    return {**found, "artifactType": "application/vnd.contoso.signature"}


_KINDS = (_image, _image, _image, _index, _attested_index, _broken_index, _referrer, _referrer)


def _layer(number: int) -> dict[str, Any]:
    return {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": digest_of(number),
        "size": size_of(number),
    }


def size_of(layer: int) -> int:
    return 10_000 * 2**layer


def _pointing_to(manifest: Pushed) -> dict[str, Any]:
    return {"mediaType": manifest.media_type, "digest": manifest.digest, "size": len(manifest.body)}


def write(store: Store, registry: str, drawn: tuple[Pushes, ...]) -> None:
    """Puts a drawn registry into a store, a minute between one push and the next."""
    minute = 0
    with store.transaction():
        for pushes in drawn:
            for pushed in pushes.manifests:
                minute += 1
                at = timestamp(FIRST + timedelta(minutes=minute))
                store.add_manifest(registry, pushes.name, pushed.body, pushed.media_type, at, locks=pushed.locks)
            for tagged in pushes.tags:
                minute += 1
                at = timestamp(FIRST + timedelta(minutes=minute))
                store.add_tag(registry, pushes.name, tagged.name, tagged.digest, at, locks=tagged.locks)
            store.set_repository_locks(registry, pushes.name, pushes.locks)


def read(store: Store, registry: str) -> tuple[RepositoryContents, ...]:
    """What `read_contents` makes of a registry in a store."""
    return tuple(_contents(store, registry, name) for name in store.list_repositories(registry))


def _contents(store: Store, registry: str, name: str) -> RepositoryContents:
    attributes = store.get_repository(registry, name)
    assert attributes
    stored = store.list_manifests(registry, name)
    readable = [manifest for manifest in stored if manifest.locks.read]
    bodies = {manifest.digest: store.get_manifest_body(registry, name, manifest.digest) for manifest in readable}
    return RepositoryContents(
        Repository(
            registry,
            name,
            _time(attributes.created),
            _time(attributes.updated),
            attributes.manifests,
            attributes.tags,
            _locks(attributes.locks),
        ),
        tuple(
            Tag(tag.name, tag.digest, _time(tag.created), _time(tag.updated), _locks(tag.locks))
            for tag in store.list_tags(registry, name)
        ),
        tuple(_row(manifest) for manifest in stored),
        {found.digest: parse_manifest(bodies[found.digest] or b"", found.media_type) for found in readable},
        tuple(Refusal(found.digest, ServiceError("", "", "", "")) for found in stored if not found.locks.read),
    )


def _row(manifest: StoredManifest) -> ManifestRow:
    return ManifestRow(
        digest=manifest.digest,
        media_type=manifest.media_type,
        config_media_type=manifest.config_media_type or "",
        artifact_type=manifest.artifact_type or "",
        size=manifest.size,
        created=_time(manifest.created),
        updated=_time(manifest.updated),
        os=manifest.os or "",
        architecture=manifest.architecture or "",
        tags=manifest.tags,
        locks=_locks(manifest.locks),
    )


def _locks(locks: StoredLocks) -> Locks:
    return Locks(locks.delete, locks.write, locks.list, locks.read)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
