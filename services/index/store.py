"""The index in the database: registries and their repositories, each repository written in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, exists, insert, select, update

from services.connection.errors import ServiceError
from services.database.engine import reading, writing
from services.database.index_tables import manifests, registries, repositories, tags
from services.images.leftovers import find_leftovers
from services.images.manifests import Manifest
from services.images.repositories import ManifestRow, Repository, Tag
from services.index.rows import (
    UNKNOWN_SIZE,
    Standing,
    add_contents,
    find_known,
    lock_writing,
    numbers_of_digests,
    parts,
    remove_unused,
)

# The counts of a repository that the console has changed since it was read: those of none, so that it is read again.
CHANGED = "changed"
_WRITING = "The index could not be written"
_READING = "The index could not be read"


@dataclass(frozen=True)
class IndexTarget:
    """A registry to index. `created` tells it from another of the same name and id before it; None unknown."""

    id: str
    name: str
    login_server: str
    created: datetime | None


@dataclass(frozen=True)
class KnownRepository:
    """A repository as the index has it: what its registry said of it when it was read. `unread`: manifests that could
    not be read."""

    number: int
    updated: str
    counts: str
    unread: int


@dataclass(frozen=True)
class ReadRepository:
    """A repository as it was read. `manifests`: those of `rows` that are known, by digest; `fresh`: those of them that
    the index does not have yet. `begun`: when its reading began. `settled` False: it is to be read again, though it
    may not have changed."""

    repository: Repository
    tags: tuple[Tag, ...]
    rows: tuple[ManifestRow, ...]
    manifests: Mapping[str, Manifest]
    fresh: tuple[Manifest, ...]
    begun: datetime
    settled: bool = True


def created_key(created: datetime | None) -> str:
    """The time of creation as the index has it."""
    return created.isoformat() if created else ""


def updated_key(repository: Repository) -> str:
    """The last update of a repository as the index has it."""
    return repository.updated.isoformat() if repository.updated else ""


def counts_key(repository: Repository) -> str:
    """The counts of a repository as the index has them."""
    return f"{repository.manifest_count} {repository.tag_count}"


class IndexStore:
    """The index in `engine`, of one cloud and tenant, `azure`. All of it raises ServiceError (NoDatabase)."""

    def __init__(self, engine: Engine, azure: str) -> None:
        self.engine = engine
        self.azure = azure

    def add_registry(self, target: IndexTarget) -> int:
        """The number of a registry. One of the same id that was created at another time is removed."""
        mine = (registries.c.azure == self.azure) & (registries.c.resource == target.id.lower())
        created = created_key(target.created)
        with reading(self.engine, _READING) as db:
            others = db.execute(select(registries.c.id).where(mine, registries.c.created != created)).scalars().all()
        for other in others:
            self._remove_registry(other)
        with writing(self.engine, _WRITING) as db:
            lock_writing(db)
            now = {"name": target.name, "login_server": target.login_server}
            found = db.execute(
                update(registries).where(mine, registries.c.created == created).values(now).returning(registries.c.id)
            ).scalar_one_or_none()
            if found is None:
                row = {"azure": self.azure, "resource": target.id.lower(), "created": created, "unread": "", **now}
                found = db.execute(insert(registries).values(row).returning(registries.c.id)).scalar_one()
            return int(found)

    def _remove_registry(self, number: int) -> None:
        for name in self.repositories(number):
            self.remove_repository(number, name)
        with writing(self.engine, _WRITING) as db:
            lock_writing(db)
            db.execute(delete(registries).where(registries.c.id == number))

    def end_registry(self, number: int, tried: datetime, unread: str, *, complete: bool) -> None:
        """Notes when it was begun to compare a registry with the index, and what could not be read, in words.
        `complete`: its catalogue was read to the end."""
        now = {"tried": tried, "unread": unread, **({"read": tried} if complete else {})}
        with writing(self.engine, _WRITING) as db:
            db.execute(update(registries).where(registries.c.id == number).values(now))

    def repositories(self, registry: int) -> dict[str, KnownRepository]:
        """The repositories of a registry by name."""
        with reading(self.engine, _READING) as db:
            rows = db.execute(select(repositories).where(repositories.c.registry == registry)).all()
        return {row.name: KnownRepository(row.id, row.updated, row.counts, row.unread) for row in rows}

    def mark_changed(self, login_server: str, name: str, at: datetime) -> tuple[int, ...]:
        """Marks a repository of an indexed registry as changed by the console: it differs from the index until it is
        read again. Returns `indexed_numbers`."""
        numbers = self.indexed_numbers(login_server, name)
        for number in numbers:
            here = (repositories.c.registry == number) & (repositories.c.name == name)
            with writing(self.engine, _WRITING) as db:
                lock_writing(db)
                if not db.execute(update(repositories).where(here).values(counts=CHANGED, read=at)).rowcount:
                    row = {"registry": number, "name": name, "updated": "", "counts": CHANGED, "read": at, "unread": 0}
                    db.execute(insert(repositories).values(row))
        return numbers

    def indexed_numbers(self, login_server: str, name: str) -> tuple[int, ...]:
        """The numbers of the registries in the index with that login server that were compared to the end, or of which
        the index has that repository."""
        mine = (registries.c.azure == self.azure) & (registries.c.login_server == login_server)
        here = exists().where(repositories.c.registry == registries.c.id, repositories.c.name == name)
        with reading(self.engine, _READING) as db:
            found = select(registries.c.id).where(mine, registries.c.read.is_not(None) | here)
            return tuple(db.execute(found).scalars())

    def known_manifests(self, wanted: Iterable[str]) -> dict[str, Manifest]:
        """Those of the manifests that were read before, with their children and subject alone."""
        with reading(self.engine, _READING) as db:
            return find_known(db, wanted)

    def write_repository(self, registry: int, read: ReadRepository) -> None:
        """Puts a repository as it was read in the place of what the index has of it, all of it or nothing. One that was
        changed, or read anew, after this reading began is to be read again.

        Raises ServiceError (NoDatabase, RegistryRemoved) where another process has removed the registry meanwhile.
        """
        with writing(self.engine, _WRITING) as db:
            lock_writing(db)
            if db.execute(select(registries.c.id).where(registries.c.id == registry)).scalar_one_or_none() is None:
                raise ServiceError(
                    _WRITING,
                    "The registry was removed from the index meanwhile: another one has its name.",
                    "Index registries again.",
                    "RegistryRemoved",
                )
            number = _repository_row(db, registry, read)
            before = set(db.execute(select(manifests.c.digest).where(manifests.c.repository == number)).scalars())
            before |= set(db.execute(select(tags.c.digest).where(tags.c.repository == number)).scalars())
            for table in (tags, manifests):
                db.execute(delete(table).where(table.c.repository == number))
            platforms = {row.digest: row.platform for row in read.rows}
            for part in parts(read.fresh):
                add_contents(db, part, platforms)
            now = _add_listed(db, number, read)
            remove_unused(db, before - now)

    def remove_repository(self, registry: int, name: str) -> None:
        """Removes a repository, and what nothing else has of it."""
        mine = (repositories.c.registry == registry) & (repositories.c.name == name)
        with writing(self.engine, _WRITING) as db:
            lock_writing(db)
            number = db.execute(select(repositories.c.id).where(mine)).scalar_one_or_none()
            if number is None:
                return
            before = set(db.execute(select(manifests.c.digest).where(manifests.c.repository == number)).scalars())
            before |= set(db.execute(select(tags.c.digest).where(tags.c.repository == number)).scalars())
            for table in (tags, manifests):
                db.execute(delete(table).where(table.c.repository == number))
            db.execute(delete(repositories).where(repositories.c.id == number))
            remove_unused(db, before)


def _repository_row(db: Connection, registry: int, read: ReadRepository) -> int:
    one = read.repository
    mine = (repositories.c.registry == registry) & (repositories.c.name == one.name)
    before = db.execute(select(repositories.c.read).where(mine)).scalar_one_or_none()
    late = before is not None and before > read.begun
    now = {
        "updated": updated_key(one),
        "counts": CHANGED if late else counts_key(one) if read.settled else "",
        "read": before if late else read.begun,
        "unread": len({row.digest for row in read.rows} - read.manifests.keys()),
        "configs_unread": None,
    }
    found = db.execute(update(repositories).where(mine).values(now).returning(repositories.c.id)).scalar_one_or_none()
    if found is None:
        row = {"registry": registry, "name": one.name, **now}
        found = db.execute(insert(repositories).values(row).returning(repositories.c.id)).scalar_one()
    return int(found)


def _add_listed(db: Connection, number: int, read: ReadRepository) -> set[int]:
    """Adds the manifests and tags of a repository; returns the numbers of those that could be read."""
    listed = {row.digest for row in read.rows} | {tag.digest for tag in read.tags}
    numbers = numbers_of_digests(db, ((digest, UNKNOWN_SIZE) for digest in listed))
    leftovers = find_leftovers(read.rows, read.manifests, {tag.digest for tag in read.tags})
    standing = dict.fromkeys(leftovers.certain, Standing.UNTAGGED)
    standing |= dict.fromkeys(leftovers.undetermined, Standing.UNKNOWN)
    sizes = {row.digest: row.size for row in read.rows}
    rows = [
        {
            "repository": number,
            "digest": numbers[row.digest, UNKNOWN_SIZE],
            "readable": int(row.digest in read.manifests),
            "standing": standing.get(row.digest, Standing.USED),
            "created": _seconds(row.created),
            "updated": _seconds(row.updated),
            "size": _size(row, read.manifests.get(row.digest), sizes),
        }
        for row in read.rows
    ]
    if rows:
        db.execute(insert(manifests), rows)
    tagged = [
        {
            "repository": number,
            "name": tag.name,
            "digest": numbers[tag.digest, UNKNOWN_SIZE],
            "created": _seconds(tag.created),
            "updated": _seconds(tag.updated),
        }
        for tag in read.tags
    ]
    if tagged:
        db.execute(insert(tags), tagged)
    return {numbers[row.digest, UNKNOWN_SIZE] for row in read.rows if row.digest in read.manifests}


def _size(row: ManifestRow, manifest: Manifest | None, sizes: Mapping[str, int | None]) -> int | None:
    """Bytes of the layers; of an index, those of its images together, None where one is not known."""
    if manifest is None or not manifest.children:
        return row.size
    found = [sizes.get(child.digest) for child in manifest.children]
    known = [size for size in found if size is not None]
    return sum(known) if len(known) == len(found) else None


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None
