"""Contents of a repository as a test writes them down: rows, manifests, and their tags. Digests are numbers."""

from datetime import UTC, datetime, timedelta

from services.images.manifests import Descriptor, Kind, Manifest
from services.images.repositories import Locks, ManifestRow, Repository, Tag
from services.images.repository_contents import RepositoryContents
from tests.support.documents import OCI_INDEX, OCI_MANIFEST, digest_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def days(number: float) -> datetime:
    return NOW - timedelta(days=number)


def row(number: int, *tags: str, age: float = 100, platform: str = "linux/amd64", index: bool = False) -> ManifestRow:
    os, _, architecture = platform.partition("/")
    return ManifestRow(
        digest_of(number),
        OCI_INDEX if index else OCI_MANIFEST,
        "",
        "",
        10,
        days(age),
        days(age),
        "" if index else os,
        "" if index else architecture,
        tags,
        Locks(),
    )


def manifest(number: int, *children: tuple[int, str], subject: str = "") -> Manifest:
    found = tuple(Descriptor(digest_of(child), OCI_MANIFEST, 1, platform) for child, platform in children)
    kind = Kind.INDEX if children else Kind.IMAGE
    media_type = OCI_INDEX if children else OCI_MANIFEST
    return Manifest(digest_of(number), media_type, 1, kind, None, (), found, subject, "", ())


def contents(
    *rows: ManifestRow, manifests: tuple[Manifest, ...] = (), ages: dict[str, float] | None = None
) -> RepositoryContents:
    by_digest = {found.digest: manifest(0) for found in rows} | {found.digest: found for found in manifests}
    tags = tuple(
        Tag(name, found.digest, days(200), days((ages or {}).get(name, 100)), Locks())
        for found in rows
        for name in found.tags
    )
    repository = Repository("contoso.azurecr.io", "app", days(300), days(0), len(rows), len(tags), Locks())
    return RepositoryContents(repository, tags, rows, by_digest)
