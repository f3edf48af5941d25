"""What many registries stored day by day, each by itself or together by an Azure tag, and what grew. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.growth.history import Snapshot
from services.registries.registry import Registry

# The bytes of registries by id and day.
Totals = Mapping[str, Mapping[date, int]]


@dataclass(frozen=True)
class GroupGrowth:
    """How much the `registries` of a group store, and how much more than before. `grown` is of those alone whose size
    was known then and again since, None where none was; `unknown` so many were not."""

    name: str
    registries: int
    now: int
    grown: int | None
    unknown: int


def tag_names(registries: Iterable[Registry]) -> tuple[str, ...]:
    """The names of the Azure tags of registries, each as it is written first: Azure tells no case apart in names."""
    found: dict[str, str] = {}
    for registry in registries:
        for name, _ in registry.tags:
            found.setdefault(name.casefold(), name)
    return tuple(sorted(found.values(), key=str.casefold))


def groups_by_tag(registries: Iterable[Registry], tag: str) -> Mapping[str, str]:
    """The value that each registry has of the Azure tag, by the registry's id; what has no such tag says so."""
    without, empty = f"No tag {tag}", f"{tag} without a value"
    found = {}
    for registry in registries:
        values = [value for name, value in registry.tags if name.casefold() == tag.casefold()]
        found[registry.id] = (values[0] or empty) if values else without
    return found


def known_at(days: Mapping[date, int], day: date) -> int | None:
    """What was stored on a day, by the last snapshot until then; None before the first."""
    return next((days[one] for one in sorted(days, reverse=True) if one <= day), None)


def stack(totals: Totals, groups: Mapping[str, str]) -> tuple[Snapshot, ...]:
    """What each group stored on each day of which any registry has a snapshot. A registry counts from its first one on,
    between two as in the one before."""
    days = sorted({day for one in totals.values() for day in one})
    found: defaultdict[tuple[date, str], int] = defaultdict(int)
    for registry, sizes in totals.items():
        last: int | None = None
        for day in days:
            last = sizes.get(day, last)
            if last is not None:
                found[day, groups[registry]] += last
    return tuple(Snapshot(day, name, size, 0, 0, 0, 0) for (day, name), size in sorted(found.items()))


def growth_of_groups(
    totals: Totals, groups: Mapping[str, str], created: Mapping[str, date | None], days: int
) -> tuple[GroupGrowth, ...]:
    """How much each group grew in the last `days`, the most first. A registry that was `created` since had nothing; of
    one without a snapshot so old it is not known what it had, of one without a snapshot since not what it has."""
    until = max((day for one in totals.values() for day in one), default=date.min)
    if until == date.min:
        return ()
    since = until - timedelta(days=days)
    members: defaultdict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for registry, sizes in totals.items():
        before, made = known_at(sizes, since), created.get(registry)
        if before is None and made and made > since:
            before = 0
        if max(sizes, default=date.min) <= since:
            before = None
        members[groups[registry]].append((known_at(sizes, until) or 0, before))
    found = [_growth(name, sizes) for name, sizes in members.items()]
    return tuple(sorted(found, key=lambda one: (one.grown is None, -(one.grown or 0), -one.now, one.name)))


def _growth(name: str, sizes: Sequence[tuple[int, int | None]]) -> GroupGrowth:
    known = [now - before for now, before in sizes if before is not None]
    return GroupGrowth(
        name, len(sizes), sum(now for now, _ in sizes), sum(known) if known else None, len(sizes) - len(known)
    )
