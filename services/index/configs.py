"""The configs of images with a tag, read into the index: labels, names of the environment, author.

A config takes a request of its own (and one for its manifest, where that is not kept), so only so many are read a run;
the next run goes on. What is read stays: a digest's config never changes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from threading import Event
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select, update

from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import READ, Need
from services.connection.errors import ServiceError, as_service_error, says_gone
from services.connection.parallel import Refusal, parallel_map
from services.database.engine import reading, writing
from services.database.index_tables import (
    children,
    config_words,
    configs,
    contents,
    digests,
    labels,
    manifests,
    repositories,
    tags,
)
from services.images.manifest_reading import read_config, read_manifest
from services.images.manifests import ImageConfig
from services.index.packing import unpack_digest
from services.index.rows import (
    LONGEST_VALUE,
    ConfigWord,
    StoredKind,
    add_properties,
    add_rows,
    lock_writing,
    numbers_of_words,
    storable,
)
from services.index.store import IndexStore
from services.wording import counted

# Of a registry, in one run of the job.
CONFIGS_A_RUN = 1000
MOST_CONFIGS_A_RUN = 1_000_000
# Read before they are written together; a run that is killed loses no more.
_WRITTEN_AT_ONCE = 100
# Names in an environment: whoever pushes may write thousands.
_MOST_NAMES = 300
# What the digest itself says, wherever it is: there is no config, or one that is none.
_OF_DIGEST = ("NoConfig", "NotAManifest")
# What one registry lacks: it will not be otherwise there the next time, and may be in another.
_OF_REGISTRY = ("DigestMismatch", "NotTheBlob", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN")


@dataclass(frozen=True)
class ConfigsRead:
    """What became of the configs of a registry. `read`: how many now; `left`: images with a tag whose config is not
    read. `refused`: repositories that were left out, why."""

    read: int = 0
    left: int = 0
    refused: tuple[Refusal, ...] = ()

    @property
    def sentence(self) -> str:
        """'12 configs read, 3 to be read by the next run.'; "" where there is nothing to say."""
        if not self.read and not self.left:
            return ""
        said = f" {counted(self.read, 'config')} read"
        return said + (f", {self.left:,} not yet: index registries again." if self.left else ".")


NO_CONFIGS = ConfigsRead()


class _Lacking(Enum):
    """That a registry does not have a config that an image names."""

    LACKING = 0


_LACKING = _Lacking.LACKING
_Found = ImageConfig | None | _Lacking


def read_configs(
    store: IndexStore,
    client: RegistryClient,
    registry: int,
    most: int = CONFIGS_A_RUN,
    *,
    only: str = "",
    before_read: Callable[[], None] = lambda: None,
    on_config: Callable[[int], None] = lambda _: None,
    stop: Event | None = None,
) -> ConfigsRead:
    """Reads at most `most` configs of images that have a tag, own or by an index, and were not read before.

    `only`: of this repository alone. `before_read` is called before each. Raises ServiceError (NoDatabase), or where
    nobody can sign in.
    """
    stop = stop or Event()
    read = left = 0
    refused: list[Refusal] = []
    open_ = [one for one in _unread_repositories(store, registry) if only in ("", one[1])]
    with as_service_error(f"Could not sign in to {client.login_server}"):
        client.tokens.hold_for_reading([name for _, name in open_])
    for repository, name in open_:
        wanted = _unread(store, repository)
        error: ServiceError | None = None
        at = 0
        while at < len(wanted) and read < most and not stop.is_set() and error is None:
            part = wanted[at : at + min(_WRITTEN_AT_ONCE, most - read)]
            at += len(part)
            found, error = _read(client, name, part, before_read, stop)
            _write(store, repository, found)
            read += len(found)
            on_config(read)
        if error:
            refused.append(Refusal(name, error))
        left += _count(store, repository)
    return ConfigsRead(read, left, tuple(refused))


def _unread_repositories(store: IndexStore, registry: int) -> list[tuple[int, str]]:
    """Those that have or may have configs to be read."""
    open_ = repositories.c.configs_unread.is_(None) | (repositories.c.configs_unread > 0)
    columns = (repositories.c.id, repositories.c.name)
    with reading(store.engine, "The index could not be read") as db:
        rows = db.execute(select(*columns).where(repositories.c.registry == registry, open_).order_by(columns[1]))
        return [(row.id, row.name) for row in rows]


def _unread_images(repository: int) -> Select[Any]:
    """The images with a tag, own or by an index, whose config was not read: number and digest."""
    own = select(tags.c.digest).where(tags.c.repository == repository)
    below = select(children.c.child).join(tags, tags.c.digest == children.c.parent).where(
        tags.c.repository == repository
    )  # fmt: skip
    return (
        select(contents.c.digest.label("number"), digests.c.digest)
        .join(digests, digests.c.id == contents.c.digest)
        .join(manifests, manifests.c.digest == contents.c.digest)
        .where(
            manifests.c.repository == repository,
            manifests.c.readable == 1,
            contents.c.kind == StoredKind.IMAGE,
            manifests.c.digest.in_(own.union(below)),
            ~exists().where(configs.c.manifest == contents.c.digest),
        )
    )


def _unread(store: IndexStore, repository: int) -> list[tuple[int, str]]:
    with reading(store.engine, "The index could not be read") as db:
        rows = db.execute(_unread_images(repository)).all()
    return sorted((row.number, unpack_digest(bytes(row.digest))) for row in rows)


def _count(store: IndexStore, repository: int) -> int:
    """How many of a repository are left, which is noted with it."""
    with writing(store.engine, "The index could not be written") as db:
        left = db.execute(select(func.count()).select_from(_unread_images(repository).subquery())).scalar_one()
        db.execute(update(repositories).where(repositories.c.id == repository).values(configs_unread=left))
    return int(left)


def _read(
    client: RegistryClient, name: str, wanted: Sequence[tuple[int, str]], before_read: Callable[[], None], stop: Event
) -> tuple[list[tuple[int, _Found]], ServiceError | None]:
    """The configs by the numbers of their images, None where there is none to be read, _LACKING where the registry does
    not have it; and why others were not read."""
    if not client.tokens.holds(Need(name, READ)):
        return [], ServiceError(
            f"Could not read the configs of {name}",
            "This identity may list the repository, and not read its images.",
            "Index it as somebody who may: with AcrPull, or Container Registry Repository Reader.",
            "DENIED",
        )

    def one(image: tuple[int, str]) -> tuple[int, _Found]:
        number, digest = image
        before_read()
        try:
            return number, read_config(client, name, read_manifest(client, name, digest))
        except ServiceError as error:
            if error.code in _OF_DIGEST:
                return number, None
            if error.code in _OF_REGISTRY or says_gone(error):
                return number, _LACKING
            raise

    found = parallel_map(one, wanted, server=client.login_server, name=lambda image: image[1], stop=stop)
    return list(found.values), found.refused[0].error if found.refused else None


def _write(store: IndexStore, repository: int, found: Iterable[tuple[int, _Found]]) -> None:
    """Writes what configs say, of images that the index still has. What this repository lacks is noted only where no
    other has the image: there it may be read."""
    by_number = dict(found)
    if not by_number:
        return
    with writing(store.engine, "The index could not be written") as db:
        lock_writing(db)
        there = db.execute(select(contents.c.digest).where(contents.c.digest.in_(list(by_number)))).scalars().all()
        lacking = [number for number in there if by_number[number] is _LACKING]
        others = (manifests.c.digest.in_(lacking)) & (manifests.c.repository != repository)
        elsewhere = set(db.execute(select(manifests.c.digest).where(others)).scalars()) if lacking else set()
        rows = []
        for number in there:
            config = by_number[number]
            if isinstance(config, ImageConfig):
                _add(db, number, config)
            if number not in elsewhere:
                rows.append({"manifest": number, "readable": int(isinstance(config, ImageConfig))})
        add_rows(db, configs, rows)


def _add(db: Connection, number: int, config: ImageConfig) -> None:
    add_properties(db, labels, number, config.labels)
    said = [(ConfigWord.ENV, name) for name, _ in config.env[:_MOST_NAMES]] + [(ConfigWord.AUTHOR, config.author)]
    words = [(kind, storable(word)) for kind, word in said if len(word) <= LONGEST_VALUE]
    numbers = numbers_of_words(db, {word for _, word in words if word})
    rows = [{"manifest": number, "kind": int(kind), "word": numbers[word]} for kind, word in words if word]
    add_rows(db, config_words, rows)
