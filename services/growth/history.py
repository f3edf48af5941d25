"""What registries and their repositories stored, day by day, and what grew since. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from services.images.repository_contents import RepositoryContents
from services.images.storage import RegistryStorage
from services.pricing.estimates import Estimate

# The name of the registry as a whole: no repository has it.
WHOLE = ""
_SMALLEST = Decimal("0.0001")


@dataclass(frozen=True)
class Snapshot:
    """What a repository, or the `WHOLE` registry, stored on a day. Sizes are bytes: `unique`, what no other repository
    has; `shared`, what others have too; `untagged`, what no tag leads to. `pulls`: in the 30 days before; `cost`: of a
    month by list prices, a repository's by its unique bytes, in `currency`. Both None where unknown."""

    day: date
    repository: str
    unique: int
    shared: int
    untagged: int
    tags: int
    manifests: int
    pulls: int | None = None
    cost: Decimal | None = None
    currency: str = ""

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


@dataclass(frozen=True)
class Beside:
    """What a snapshot has beside bytes. `pulls`: in 30 days by repository, and of the `WHOLE`; what is not in it is
    unknown. `estimate`: the registry's cost in a month; None unknown."""

    pulls: Mapping[str, int] = field(default_factory=dict)
    estimate: Estimate | None = None

    def cost_of(self, part: int, total: int) -> Decimal | None:
        """The share of the cost that `part` of `total` bytes has. None where not all of it has a price."""
        if self.estimate is None or self.estimate.unpriced:
            return None
        return (self.estimate.total * part / total if total else self.estimate.total * 0).quantize(_SMALLEST)


NOTHING_BESIDE = Beside()


def snapshots_of(
    storage: RegistryStorage, contents: Iterable[RepositoryContents], day: date, beside: Beside = NOTHING_BESIDE
) -> tuple[Snapshot, ...]:
    """The snapshots of a registry whose `contents` were read: of each repository, and of the `WHOLE`. None where not
    all was read: what is missing would look like something that shrank."""
    if not storage.complete:
        return ()
    counts = {one.name: (len(one.tags), len(one.rows)) for one in contents}
    pulls, currency = beside.pulls, beside.estimate.currency if beside.estimate else ""
    each = tuple(
        Snapshot(
            day, one.name, one.unique, one.shared, one.untagged, *counts.get(one.name, (0, 0)),
            pulls.get(one.name), beside.cost_of(one.unique, storage.total), currency,
        )
        for one in storage.repositories
    )  # fmt: skip
    unique = sum(one.unique for one in each)
    tags, manifests = sum(one.tags for one in each), sum(one.manifests for one in each)
    untagged = sum(one.untagged for one in each)
    cost = beside.cost_of(1, 1)
    whole = Snapshot(
        day, WHOLE, unique, storage.total - unique, untagged, tags, manifests, pulls.get(WHOLE), cost, currency
    )
    return (whole, *each)


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


def by_prefix(history: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """The snapshots added up by prefix, up to and with the first slash: 'team/'; the `WHOLE` as it is.

    A name without a slash stands for itself. What several repositories share is in none of them: added up it would
    count more than once.
    """
    groups: dict[tuple[date, str], list[Snapshot]] = {}
    whole: list[Snapshot] = []
    for one in history:
        prefix, slash, _ = one.repository.partition("/")
        if one.repository == WHOLE:
            whole.append(one)
        else:
            groups.setdefault((one.day, prefix + slash), []).append(one)
    return (*whole, *(_sum(day, name, found) for (day, name), found in groups.items()))


def _sum(day: date, name: str, found: Sequence[Snapshot]) -> Snapshot:
    pulls = [one.pulls for one in found if one.pulls is not None]
    costs = [one.cost for one in found if one.cost is not None]
    return Snapshot(
        day, name, sum(one.unique for one in found), 0, sum(one.untagged for one in found),
        sum(one.tags for one in found), sum(one.manifests for one in found),
        sum(pulls) if len(pulls) == len(found) else None,
        sum(costs, Decimal(0)) if len(costs) == len(found) else None, found[0].currency,
    )  # fmt: skip


def whole_of(history: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """The snapshots of the registry as a whole, the oldest first."""
    return tuple(sorted((one for one in history if one.repository == WHOLE), key=lambda one: one.day))


def readable_of(history: Iterable[Snapshot], names: Collection[str], *, gone: bool) -> tuple[Snapshot, ...]:
    """The snapshots of the `WHOLE`, and of the repositories with these names, which are those that somebody can read:
    the console's own identity may have read more. `gone`: of those too that are there no more."""
    return tuple(one for one in history if gone or one.repository == WHOLE or one.repository in names)


def thinned(days: Sequence[date], today: date, daily: int = 400) -> frozenset[date]:
    """Which of these days are kept: all of the last `daily` days, and before the first of each month."""
    first: dict[tuple[int, int], date] = {}
    for day in sorted(days):
        first.setdefault((day.year, day.month), day)
    recent = today - timedelta(days=daily)
    return frozenset(day for day in days if day > recent or first[day.year, day.month] == day)
