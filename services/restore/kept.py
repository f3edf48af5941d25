"""The manifests that a deletion deletes, kept with its job: where soft delete is off, pushing them is the way back.

A registry has the layers of what was deleted until it collects them, and those that other images share for longer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine, delete, select

from services.connection.data_plane import RegistryClient
from services.connection.parallel import parallel_map
from services.database.contents import LARGEST, content_row, is_content_of
from services.database.engine import clock, put_rows, reading, writing
from services.database.tables import contents, kept_manifests
from services.images.manifest_reading import read_raw
from services.images.manifests import Manifest
from services.jobs.jobs import Job

KEPT = timedelta(days=30)
# Digests in one statement.
_PART = 500


@dataclass(frozen=True)
class KeptManifest:
    """A manifest that a deletion deleted: its bytes, which have this digest, and their media type."""

    digest: str
    media_type: str
    raw: bytes


def keep_manifests(engine: Engine, client: RegistryClient, job: Job, known: Mapping[str, Manifest]) -> None:
    """Keeps the manifests of the job's open items, whose bytes are read where the database lacks them.

    One that can't be read, or is too large, is not kept. Removes what is older than `KEPT`. Raises ServiceError
    (NoDatabase).
    """
    title = "The manifests could not be kept before their deletion"
    digests = [item.digest for item in job.open]
    for at in range(0, len(digests), _PART):
        part = digests[at : at + _PART]
        with reading(engine, title) as db:
            there = set(db.execute(select(contents.c.digest).where(contents.c.digest.in_(part))).scalars())
        types = {digest: known[digest].media_type for digest in part if digest in there and digest in known}
        left = [digest for digest in part if digest not in types]
        read = parallel_map(
            lambda digest: (digest, *read_raw(client, job.repository, digest)), left, server=client.login_server
        )
        fresh = {
            digest: (raw, media_type)
            for digest, raw, media_type in read.values
            if len(raw) <= LARGEST and is_content_of(digest, raw)
        }
        types |= {digest: media_type for digest, (_, media_type) in fresh.items()}
        with writing(engine, title) as db:
            now = clock(db)
            db.execute(delete(kept_manifests).where(kept_manifests.c.kept < now - KEPT))
            if fresh:
                put_rows(db, contents, [content_row(digest, raw, now) for digest, (raw, _) in sorted(fresh.items())])
            if types:
                put_rows(
                    db,
                    kept_manifests,
                    [
                        {"job": job.id, "digest": digest, "media_type": media_type, "kept": now}
                        for digest, media_type in types.items()
                    ],
                )


def kept_manifests_of(engine: Engine, job: str, digests: Iterable[str]) -> Mapping[str, KeptManifest]:
    """Those of `digests` that the job of that id kept. Raises ServiceError (NoDatabase)."""
    wanted = list(digests)
    found: dict[str, KeptManifest] = {}
    both = contents.join(kept_manifests, kept_manifests.c.digest == contents.c.digest)
    for at in range(0, len(wanted), _PART):
        asked = select(kept_manifests.c.digest, kept_manifests.c.media_type, contents.c.raw).select_from(both)
        asked = asked.where(kept_manifests.c.job == job, kept_manifests.c.digest.in_(wanted[at : at + _PART]))
        with reading(engine, "The kept manifests could not be read") as db:
            rows = db.execute(asked).all()
        found |= {
            row.digest: KeptManifest(row.digest, row.media_type, row.raw)
            for row in rows
            if is_content_of(row.digest, row.raw)
        }
    return found
