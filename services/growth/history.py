"""What registries and their repositories stored, day by day, and what grew since. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.images.repository_contents import RepositoryContents
from services.images.storage import RegistryStorage

# The name of the registry as a whole: no repository has it.
WHOLE = ""


@dataclass(frozen=True)
class Snapshot:
    """What a repository, or the `WHOLE` registry, stored on a day. Sizes are bytes: `unique`, what no other repository
    has; `shared`, what others have too; `untagged`, what no tag leads to."""

    day: date
    repository: str
    unique: int
    shared: int
    untagged: int
    tags: int
    manifests: int

    @property
    def total(self) -> int:
        return self.unique + self.shared


@dataclass(frozen=True)
class Growth:
    """How much a repository grew from `since` to `until`, the days of two snapshots. `before` is None where it was not
    there."""

    repository: str
    since: date
    until: date
    before: int | None
    after: int

    @property
    def bytes(self) -> int:
        """Negative where it shrank."""
        return self.after - (self.before or 0)


def snapshots_of(storage: RegistryStorage, contents: Iterable[RepositoryContents], day: date) -> tuple[Snapshot, ...]:
    """The snapshots of a registry whose `contents` were read: of each repository, and of the `WHOLE`. None where not
    all was read: what is missing would look like something that shrank."""
    if not storage.complete:
        return ()
    counts = {one.name: (len(one.tags), len(one.rows)) for one in contents}
    each = tuple(
        Snapshot(day, one.name, one.unique, one.shared, one.untagged, *counts.get(one.name, (0, 0)))
        for one in storage.repositories
    )
    unique = sum(one.unique for one in each)
    tags, manifests = sum(one.tags for one in each), sum(one.manifests for one in each)
    untagged = sum(one.untagged for one in each)
    return (Snapshot(day, WHOLE, unique, storage.total - unique, untagged, tags, manifests), *each)


def grown(history: Iterable[Snapshot], days: int) -> tuple[Growth, ...]:
    """How much each repository grew in the last `days`, the most first, without the `WHOLE`.

    From the last snapshot of the registry that is so old, or the first one where all are younger, to its last. None
    where all are of one day.
    """
    by_day: dict[date, dict[str, Snapshot]] = {}
    for one in history:
        by_day.setdefault(one.day, {})[one.repository] = one
    if len(by_day) < 2:
        return ()
    until = max(by_day)
    since = max((day for day in by_day if day <= until - timedelta(days=days)), default=min(by_day))
    before, after = by_day[since], by_day[until]
    found = [
        Growth(
            name,
            since,
            until,
            before[name].total if name in before else None,
            after[name].total if name in after else 0,
        )
        for name in {*before, *after} - {WHOLE}
    ]
    return tuple(sorted(found, key=lambda one: (-one.bytes, one.repository)))


def whole_of(history: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """The snapshots of the registry as a whole, the oldest first."""
    return tuple(sorted((one for one in history if one.repository == WHOLE), key=lambda one: one.day))


def thinned(days: Sequence[date], today: date, daily: int = 400) -> frozenset[date]:
    """Which of these days are kept: all of the last `daily` days, and before the first of each month."""
    first: dict[tuple[int, int], date] = {}
    for day in sorted(days):
        first.setdefault((day.year, day.month), day)
    recent = today - timedelta(days=daily)
    return frozenset(day for day in days if day > recent or first[day.year, day.month] == day)
