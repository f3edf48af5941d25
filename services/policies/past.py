"""What a policy would have done in the last months, by what a registry has today. Pure.

At the end of each month it is applied to the manifests that were there and are there still, without those that an
earlier month would have deleted. What is not known of then stays: a manifest that was updated since, or that a tag
points to which was, may have had other tags.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.connection.parallel import Partial
from services.deletion.running_images import RunningImages
from services.images.repositories import Locks, ManifestRow
from services.images.repository_contents import RepositoryContents
from services.images.storage import freed_bytes
from services.policies.decisions import LastPulls, decide
from services.policies.policy import Policy

_UNDELETABLE = Locks(delete=False)


@dataclass(frozen=True)
class PastRun:
    """A run that would have been at `at`: of the manifests that were `there`, how many it deletes, and the bytes that
    it frees. `unclear`: how many of them were updated since, so that they stay."""

    at: datetime
    there: int
    unclear: int
    deleted: int
    freed: int


def month_ends(now: datetime, months: int) -> tuple[datetime, ...]:
    """The ends of the last months that are over, in UTC, the earliest first."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = []
    for number in range(months):
        years, month = divmod(first.month - 1 - number, 12)
        ends.append(first.replace(year=first.year + years, month=month + 1))
    return tuple(reversed(ends))


def past_runs(
    policy: Policy,
    read: Partial[RepositoryContents],
    ends: Iterable[datetime],
    *,
    registry: str,
    pulls: Mapping[str, LastPulls],
    unknown_pulls: LastPulls,
) -> tuple[PastRun, ...]:
    """What `policy` would have done at each of the `ends`, which are in their order, with the registry of that name.

    `pulls` by repository, as they are known today; `unknown_pulls` says of the others why they are not. What ran then
    is not known, and nothing stays for it. Of a repository that was not read completely nothing goes.
    """
    found = []
    left: tuple[RepositoryContents, ...] = read.values
    for end in ends:
        then, unclear = _at(left, end)
        deleted: dict[str, frozenset[str]] = {}
        for one in then:
            known = pulls.get(one.name, unknown_pulls)
            plan = decide(policy, one, end, registry=registry, running=RunningImages(), pulls=known).plan
            if plan.unblocked:
                deleted[one.name] = frozenset(plan.digests)
        there = sum(len(one.rows) for one in then)
        number = sum(len(one) for one in deleted.values())
        found.append(PastRun(end, there, unclear, number, freed_bytes(then, deleted)))
        left = tuple(_without(one, deleted.get(one.name, frozenset())) for one in left)
    return tuple(found)


def _at(repositories: Sequence[RepositoryContents], end: datetime) -> tuple[tuple[RepositoryContents, ...], int]:
    """The repositories as they were then as far as is known, those that had a manifest; and how many of these are
    unclear."""
    found, unclear = [], 0
    for contents in repositories:
        rows = [row for row in contents.rows if _existed(row, end)]
        if not rows:
            continue
        moved = {tag.digest for tag in contents.tags if tag.updated is None or tag.updated > end}
        kept = {row.digest for row in rows if row.digest in moved or row.updated is None or row.updated > end}
        unclear += len(kept)
        found.append(_state(contents, rows, kept))
    return tuple(found), unclear


def _existed(row: ManifestRow, end: datetime) -> bool:
    return row.created is not None and row.created <= end


def _state(contents: RepositoryContents, rows: Sequence[ManifestRow], kept: set[str]) -> RepositoryContents:
    """A repository of these manifests, of which those of `kept` can't be deleted and have no tags to count."""
    digests = {row.digest for row in rows}
    known = digests - kept
    return replace(
        contents,
        repository=replace(contents.repository, manifest_count=len(rows) + contents.hidden),
        tags=tuple(tag for tag in contents.tags if tag.digest in known),
        rows=tuple(replace(row, tags=(), locks=_UNDELETABLE) if row.digest in kept else row for row in rows),
        manifests={digest: one for digest, one in contents.manifests.items() if digest in digests},
    )


def _without(contents: RepositoryContents, deleted: frozenset[str]) -> RepositoryContents:
    if not deleted:
        return contents
    return replace(
        contents,
        repository=replace(contents.repository, manifest_count=contents.repository.manifest_count - len(deleted)),
        tags=tuple(tag for tag in contents.tags if tag.digest not in deleted),
        rows=tuple(row for row in contents.rows if row.digest not in deleted),
        manifests={digest: one for digest, one in contents.manifests.items() if digest not in deleted},
    )
