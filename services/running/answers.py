"""What clusters answered, in the console's database: it survives a restart, and serves all who see the same cluster.

Kept are the newest answer of each cluster, and each person's newest error. An answer is of the cluster of that address:
one that was deleted and created again has another.
"""

import json
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, or_, select

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.database.engine import clock, put_rows, reading, writing
from services.database.tables import cluster_answers as table
from services.jobs.audit import login_of
from services.running.images import ClusterImages, RunningImage

# Long past what a plan counts as known: what ran some days ago tells whom to ask again.
KEPT = timedelta(days=7)
# Of all answers, compressed: an answer of 20,000 pods has about 100 kB. Beyond it the oldest go.
MOST_BYTES = 64 * 1024 * 1024
# Of one answer, unpacked: more than the console asks a cluster for.
_MOST_UNPACKED = 64 * 1024 * 1024
# The clocks of replicas differ by less.
_MOST_SKEW = timedelta(minutes=5)
_PART = 500  # Clusters in one statement.
_ROW = [str, str, str, str, str, int]
_TITLE = "What clusters answered could not be read"
_LOG = logging.getLogger(__name__)
_Key = tuple[str, str, str]  # Azure, a cluster's id in lower case, and whose error it is: "" for an answer.


_NONE_LOGGED: Partial[ClusterImages] = Partial(())


@dataclass(frozen=True)
class FoundAnswers:
    """The answers of clusters by their ids in lower case. `error`: why those of the database could not be read;
    `unsaved`: why some are in this process's memory alone; `logged`: what Container insights has of the clusters."""

    by_cluster: Mapping[str, ClusterImages] = field(default_factory=dict)
    error: ServiceError | None = None
    unsaved: ServiceError | None = None
    logged: Partial[ClusterImages] = _NONE_LOGGED

    @property
    def seen(self) -> tuple[ClusterImages, ...]:
        """The answers, and of clusters that did not answer what is logged."""
        answered = {key for key, one in self.by_cluster.items() if not one.error}
        return (
            *self.by_cluster.values(),
            *(one for one in self.logged.values if one.cluster.id.lower() not in answered),
        )


@dataclass(frozen=True)
class _Kept:
    """An answer or an error as it is kept. `images` None: in the database, and not read yet."""

    at: datetime
    address: str
    login: str
    images: tuple[RunningImage, ...] | None = None
    error: ServiceError | None = None


def azure_of(who: str) -> str:
    """The cloud and tenant of an identity, by its key."""
    return who.rpartition("/")[0]


class AnswerStore:
    """The answers in `database()`. What can't be written is in memory until the process ends. Safe for many threads."""

    def __init__(self, database: Callable[[], Engine], most_bytes: int = MOST_BYTES) -> None:
        self._database = database
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._unpacked: dict[_Key, _Kept] = {}
        self._unsaved: dict[_Key, tuple[_Kept, ServiceError]] = {}

    def keep(self, who: str, answer: ClusterImages) -> ServiceError | None:
        """Keeps what a cluster answered `who`, or the error; returns why it is in memory alone, or None."""
        key = (azure_of(who), answer.cluster.id.lower(), who if answer.error else "")
        kept = _Kept(answer.at, answer.cluster.network.fqdn, "", answer.images, answer.error)
        try:
            with writing(self._database(), "What a cluster answered could not be recorded") as db:
                # Whoever asked earlier may be answered later. One that is dated in the future is not the newer one.
                older = (table.c.at <= kept.at) | (table.c.at > clock(db) + _MOST_SKEW)
                put_rows(db, table, [_row(key, replace(kept, login=login_of(db, who)))], older)
                self._trim(db, answer.at)
        except ServiceError as error:
            _LOG.warning("%s", error)
            with self._lock:
                if key not in self._unsaved or self._unsaved[key][0].at <= kept.at:
                    self._unsaved[key] = kept, error
            return error
        with self._lock:
            if key in self._unsaved and self._unsaved[key][0].at <= kept.at:
                del self._unsaved[key]
        return None

    def find(self, who: str, clusters: Iterable[Cluster]) -> FoundAnswers:
        """What is kept of these clusters: those that `who` sees now, by their own list. Never raises ServiceError."""
        azure, listed = azure_of(who), {one.id.lower(): one for one in clusters}
        with self._lock:
            unsaved = {key: kept for key, kept in self._unsaved.items() if key[0] == azure and key[1] in listed}
        kept = {key: one for key, (one, _) in unsaved.items() if key[2] in ("", who)}
        failed: ServiceError | None = None
        try:
            for key, one in self._read(azure, who, listed).items():
                if key not in kept or one.at > kept[key].at:
                    kept[key] = one
        except ServiceError as error:
            _LOG.warning("%s", error)
            failed = error
        found = {}
        for id_, cluster in listed.items():
            mine = [_of_cluster(kept.get((azure, id_, whose)), cluster) for whose in ("", who)]
            if newest := _newest(cluster, *mine):
                found[id_] = newest
        return FoundAnswers(found, failed, next((why for _, why in unsaved.values()), None))

    def has_any(self, who: str) -> bool:
        """Whether any cluster of the tenant of `who` has been asked lately, as far as is known."""
        azure = azure_of(who)
        if any(key[0] == azure for key in [*self._unsaved]):
            return True
        try:
            with reading(self._database(), _TITLE) as db:
                return db.execute(select(table.c.at).where(table.c.azure == azure).limit(1)).first() is not None
        except ServiceError as error:
            _LOG.warning("%s", error)
            return False

    def _read(self, azure: str, who: str, listed: Mapping[str, Cluster]) -> dict[_Key, _Kept]:
        """What the database has of these clusters. Raises ServiceError (NoDatabase)."""
        if not listed:
            return {}
        since = datetime.now(UTC) - KEPT
        mine = (table.c.azure == azure) & table.c.error_of.in_(("", who)) & (table.c.at > since)
        small = [column for column in table.c if column is not table.c.images]
        with reading(self._database(), _TITLE) as db:
            rows = [row for row in db.execute(select(*small).where(mine)).all() if row.cluster in listed]
            found = {
                (azure, row.cluster, row.error_of): _Kept(row.at, row.address, row.login, error=_error(row.error))
                for row in rows
            }
            with self._lock:
                known = {key: one for key, one in self._unpacked.items() if key in found and one.at == found[key].at}
            missing = [key[1] for key in found if not key[2] and key not in known]
            for at in range(0, len(missing), _PART):
                answers = (table.c.azure == azure) & (table.c.error_of == "")
                part = table.c.cluster.in_(missing[at : at + _PART])
                for row in db.execute(select(table.c.cluster, table.c.at, table.c.images).where(answers & part)):
                    key = (azure, row.cluster, "")
                    known[key] = replace(found[key], at=row.at, images=_unpack(row.images))
        with self._lock:
            self._unpacked |= {key: one for key, one in known.items() if not key[2]}
        # One that is damaged is as if the cluster had not been asked.
        return {key: known.get(key, one) for key, one in found.items() if key[2] or known[key].images is not None}

    def _trim(self, db: Connection, now: datetime) -> None:
        """Removes what is too old, and where all together is too much the oldest."""
        db.execute(delete(table).where(table.c.at < now - KEPT))
        if (db.execute(select(func.sum(table.c.size))).scalar() or 0) <= self._most_bytes:
            return
        together = 0
        newest = select(table.c.azure, table.c.cluster, table.c.error_of, table.c.size).order_by(table.c.at.desc())
        beyond = []
        for row in db.execute(newest):
            together += row.size
            if together > self._most_bytes:
                one = (table.c.azure == row.azure) & (table.c.cluster == row.cluster)
                beyond.append(one & (table.c.error_of == row.error_of))
        for at in range(0, len(beyond), _PART):
            db.execute(delete(table).where(or_(*beyond[at : at + _PART])))


def _of_cluster(kept: _Kept | None, cluster: Cluster) -> _Kept | None:
    return kept if kept and kept.address == cluster.network.fqdn else None


def _newest(cluster: Cluster, answer: _Kept | None, failed: _Kept | None) -> ClusterImages | None:
    """What is known of a cluster: where it could not be asked since, what it answered before may still run."""
    images = (answer and answer.images) or ()
    if failed and (answer is None or failed.at > answer.at):
        return ClusterImages(cluster, failed.at, images, failed.error, failed.login)
    return ClusterImages(cluster, answer.at, images, by=answer.login) if answer else None


def _row(key: _Key, kept: _Kept) -> Mapping[str, Any]:
    rows = [] if kept.error else list(kept.images or ())
    packed = zlib.compress(json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode())
    error = json.dumps(astuple(kept.error)) if kept.error else ""
    return {
        "azure": key[0], "cluster": key[1], "error_of": key[2], "at": kept.at, "address": kept.address,
        "login": kept.login, "error": error, "size": len(packed), "images": packed,
    }  # fmt: skip


def _error(text: str) -> ServiceError | None:
    if not text:
        return None
    try:
        return ServiceError(*json.loads(text))
    except (ValueError, TypeError):
        return ServiceError("The cluster could not be asked", "Why was not recorded.", "Ask it again.", "NotUnderstood")


def _unpack(packed: bytes) -> tuple[RunningImage, ...] | None:
    """The images; None where the row is damaged."""
    try:
        rows = json.loads(zlib.decompressobj().decompress(packed, _MOST_UNPACKED))
        if all([type(value) for value in row] == _ROW for row in rows):
            return tuple(RunningImage(*row) for row in rows)
    except (zlib.error, ValueError, TypeError, RecursionError):
        pass
    return None
