"""A registry compared with the index: what has changed is read again, repository by repository.

A repository whose last update and counts are those of the index has not changed. Locks alone change neither: what they
hide or show is noticed at the repository's next change, or where everything is read again. What is asked: the pages
of the catalogue, each repository's attributes, and of one that changed its lists and the manifests that no repository
of the index has.
"""

from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event

from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import READ, Need
from services.connection.errors import ServiceError
from services.connection.parallel import Refusal
from services.database.contents import ContentStore
from services.images.manifest_reading import read_manifests, shared_manifests
from services.images.repositories import (
    Repository,
    all_tags,
    find_repository,
    get_repositories,
    manifest_rows,
    repository_names,
)
from services.index.configs import NO_CONFIGS, ConfigsRead
from services.index.store import (
    IndexStore,
    IndexTarget,
    KnownRepository,
    ReadRepository,
    counts_key,
    updated_key,
)
from services.wording import counted

# What is no manifest stays none: that is no reason to read the repository again.
_FINAL = ("NotAManifest", "MANIFEST_UNKNOWN")
# Repositories that are read at once, and their manifests: each is in memory until it is written. A larger one is read
# alone.
_READERS = 6
_MANIFESTS = 25_000
# Repositories whose attributes are read ahead of those that are read whole.
_AHEAD = 1000


@dataclass(frozen=True)
class RegistryIndexed:
    """What became of a registry. `changed`: repositories that were read; `same`: those that had not changed; `removed`:
    those that the registry has no more. `complete`: its catalogue was read to the end. `refused`: what was not read.
    `configs`: what became of the configs of its images."""

    changed: int = 0
    same: int = 0
    removed: int = 0
    complete: bool = False
    refused: tuple[Refusal, ...] = ()
    configs: ConfigsRead = NO_CONFIGS

    @property
    def looked_at(self) -> int:
        """How many repositories were looked at."""
        return self.changed + self.same + len(self.refused)

    @property
    def sentence(self) -> str:
        """'3 repositories read, 197 had not changed.'"""
        said = f"{counted(self.changed, 'repository', 'repositories')} read, {self.same:,} had not changed"
        return said + (f", {self.removed:,} removed." if self.removed else ".") + self.configs.sentence

    @property
    def unread(self) -> str:
        """What could not be read, in words; "" nothing."""
        if not self.refused:
            return ""
        first = self.refused[0]
        more = f" (and {len(self.refused) - 1:,} more)" if len(self.refused) > 1 else ""
        return f"{first.what}: {first.error.cause}{more}"


def index_registry(
    store: IndexStore,
    client: RegistryClient,
    target: IndexTarget,
    *,
    shared: ContentStore | None = None,
    everything: bool = False,
    on_repository: Callable[[int], None] = lambda _: None,
    stop: Event | None = None,
) -> RegistryIndexed:
    """Brings the index of a registry up to date with what this client may read of it.

    `everything`: repositories that have not changed are read too. `on_repository` gets how many were looked at. A
    catalogue that is refused removes nothing. Raises ServiceError where the database fails.
    """
    stop = stop or Event()
    begun = datetime.now(UTC)  # What changes from now on may be read, and may not.
    number = store.add_registry(target)
    run = _Run(store, client, number, shared, stop)
    known = store.repositories(number)
    seen: set[str] = set()
    try:
        for names in repository_names(client):
            seen.update(names)
            for at in range(0, len(names), _AHEAD):
                if stop.is_set():
                    break
                run.read_part(names[at : at + _AHEAD], {} if everything else known, on_repository)
            if stop.is_set():
                break
        else:
            run.found = replace(run.found, complete=True)
            run.remove_missing(known.keys() - seen)
    except ServiceError as error:
        if error.code in ("NoDatabase", "RegistryRemoved"):
            raise
        run.refuse("The catalogue", error)
    store.end_registry(number, begun, run.found.unread, complete=run.found.complete)
    return run.found


def index_repository(
    store: IndexStore,
    client: RegistryClient,
    registry: int,
    name: str,
    *,
    shared: ContentStore | None = None,
    stop: Event | None = None,
) -> RegistryIndexed:
    """Brings the index of one repository up to date: it is read, or removed where the registry has it no more.
    `registry`: its number in the index.

    Raises ServiceError where the database fails.
    """
    run = _Run(store, client, registry, shared, stop or Event())
    try:
        there = find_repository(client, name)
        if there is None:
            store.remove_repository(registry, name)
            return RegistryIndexed(removed=1)
        run.write(run.read(there))
    except ServiceError as error:
        if error.code in ("NoDatabase", "RegistryRemoved"):
            raise
        run.refuse(name, error)
    return run.found


class _Run:
    """One comparison of a registry with the index."""

    def __init__(
        self, store: IndexStore, client: RegistryClient, number: int, shared: ContentStore | None, stop: Event
    ) -> None:
        self.store = store
        self.client = client
        self.number = number
        self.shared = shared
        self.stop = stop
        self.found = RegistryIndexed()

    def refuse(self, what: str, error: ServiceError) -> None:
        self.found = replace(self.found, refused=(*self.found.refused, Refusal(what, error)))

    def read_part(
        self, names: list[str], known: dict[str, KnownRepository], on_repository: Callable[[int], None]
    ) -> None:
        """Reads those of the repositories that changed, and writes each."""
        attributes = get_repositories(self.client, names, stop=self.stop)
        for refusal in attributes.refused:
            self.refuse(refusal.what, refusal.error)
        changed = [one for one in attributes.values if _changed(one, known.get(one.name))]
        self.found = replace(self.found, same=self.found.same + len(attributes.values) - len(changed))
        on_repository(self.found.looked_at)
        left = deque(changed)
        running: dict[Future[ReadRepository | None], Repository] = {}
        with ThreadPoolExecutor(_READERS, thread_name_prefix="index") as pool:
            try:
                while left or running:
                    while left and not self.stop.is_set() and _fits(left[0], running.values()):
                        one = left.popleft()
                        running[pool.submit(copy_context().run, self.read, one)] = one
                    if not running:
                        break
                    ended, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in ended:
                        self._end(running.pop(future).name, future)
                    on_repository(self.found.looked_at)
            except BaseException:
                self.stop.set()
                raise

    def _end(self, name: str, future: "Future[ReadRepository | None]") -> None:
        try:
            read = future.result()
        except ServiceError as error:
            self.refuse(name, error)
            return
        self.write(read)

    def write(self, read: ReadRepository | None) -> None:
        if read:
            self.store.write_repository(self.number, read)
            self.found = replace(self.found, changed=self.found.changed + 1)

    def read(self, one: Repository) -> ReadRepository | None:
        """A repository as it is now; None where the reading was stopped."""
        name, begun = one.name, datetime.now(UTC)
        if not self.client.tokens.holds(Need(name, READ)):
            raise ServiceError(
                f"Could not index {name}",
                "This identity may list the repository, and not read its images.",
                "Index it as somebody who may: with AcrPull, or Container Registry Repository Reader.",
                "DENIED",
            )
        rows, tags = manifest_rows(self.client, name), all_tags(self.client, name)
        readable = [row for row in rows.values if row.locks.read and one.locks.read]
        known = self.store.known_manifests(row.digest for row in readable)
        missing = [row for row in readable if row.digest not in known]
        shared = shared_manifests(self.client, self.shared, {name: missing})
        read = read_manifests(
            self.client,
            self.shared,
            {row.digest: name for row in missing if row.digest not in shared},
            stop=self.stop,
        )
        if read.untried:
            return None
        fresh = {**shared, **{manifest.digest: manifest for manifest in read.values}}
        refused = (*rows.refused, *tags.refused, *read.refused)
        settled = all(refusal.error.code in _FINAL for refusal in refused)
        return ReadRepository(one, tags.values, rows.values, {**known, **fresh}, tuple(fresh.values()), begun, settled)

    def remove_missing(self, names: set[str]) -> None:
        """Removes repositories that the catalogue does not list, where the registry itself says that they are gone: in
        ABAC mode a catalogue lacks what this identity may not list."""
        for name in sorted(names):
            if self.stop.is_set():
                return
            try:
                there = find_repository(self.client, name)
            except ServiceError as error:
                if error.code == "NoDatabase":
                    raise
                continue
            if there is None:
                self.store.remove_repository(self.number, name)
                self.found = replace(self.found, removed=self.found.removed + 1)


def _fits(one: Repository, running: Collection[Repository]) -> bool:
    held = sum(each.manifest_count for each in (one, *running))
    return not running or (len(running) < _READERS and held <= _MANIFESTS)


def _changed(one: Repository, known: KnownRepository | None) -> bool:
    return known is None or not one.updated or known.updated != updated_key(one) or known.counts != counts_key(one)
