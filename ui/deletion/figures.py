"""The figures of a deletion: how many manifests, the bytes that it frees, and the ages of what is deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from services.deletion.plan_rows import DeletedManifest
from services.images.repository_contents import RepositoryContents
from services.images.storage import freed_by_repository, freed_bytes
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.metrics import Metric, show_metrics
from ui.elements.text import ago, exact, plain, size
from ui.loaders import contents as contents_loader
from ui.loaders import registries as registry_loaders

# What is deleted of each repository.
Deleted = Mapping[str, Sequence[DeletedManifest]]


@dataclass(frozen=True)
class Freed:
    """The bytes that a deletion frees, of the `total` that it deletes: images that stay share the rest. `at_most`: why
    it may be less, "" where it is exact."""

    bytes: int
    total: int
    at_most: str
    counted_at: datetime | None

    def __str__(self) -> str:
        return f"{'≤ ' if self.at_most else ''}{size(self.bytes)}"


def freed(who: str, registry: Registry, planned: Sequence[RepositoryContents], deleted: Deleted) -> Freed:
    """What is freed where these manifests of `planned` are deleted at once: what they share counts once, and what any
    other manifest of the registry has too does not."""
    digests = _digests(deleted)
    total = freed_bytes((_only(one, digests.get(one.name, frozenset())) for one in planned), digests)
    count = contents_loader.last_count(who, registry.login_server)
    if count is None:
        return Freed(freed_bytes(planned, digests), total, "Layers that other repositories use too stay.", None)
    others = _others(count, planned)
    complete = count.contents.complete and all(other.complete for other in others)
    return Freed(
        freed_bytes([*planned, *others], digests),
        total,
        "" if complete else "Not all of the registry could be read.",
        count.at,
    )


def freed_alone(
    who: str, registry: Registry, planned: Sequence[RepositoryContents], deleted: Deleted
) -> Mapping[str, int]:
    """The bytes that are freed where what is deleted of one repository alone is: for each of `planned`, by name."""
    count = contents_loader.last_count(who, registry.login_server)
    others = _others(count, planned) if count else []
    return freed_by_repository([*planned, *others], _digests(deleted))


def _digests(deleted: Deleted) -> Mapping[str, frozenset[str]]:
    return {name: frozenset(one.item.digest for one in found) for name, found in deleted.items()}


def _only(contents: RepositoryContents, digests: frozenset[str]) -> RepositoryContents:
    return replace(contents, rows=tuple(row for row in contents.rows if row.digest in digests))


def _others(count: contents_loader.StorageCount, planned: Sequence[RepositoryContents]) -> list[RepositoryContents]:
    names = {one.name for one in planned}
    return [other for other in count.contents.values if other.name not in names]


def show_figures(who: str, registry: Registry, deleted: Deleted, freed: Freed, *, unread: bool) -> None:
    """Shows the figures, and when soft delete frees the bytes. `unread`: a manifest could not be read, and so nothing
    is known to be unused."""
    policy = registry_loaders.soft_delete(who, registry)
    every = [one for found in deleted.values() for one in found]
    pushes = [one.row.created for one in every if one.row.created]
    tags = sum(len(one.item.tags) for one in every)
    unknown = "the registry reports no time." if every else "nothing is deleted."
    read = f" The other repositories were read {ago(freed.counted_at)}." if freed.counted_at else ""
    within = f" in {counted(len(deleted), 'repository', 'repositories')}" if len(deleted) > 1 else ""
    show_metrics(
        [
            Metric(
                "Manifests to delete",
                None if unread and not every else len(every),
                beside=f"with {counted(tags, 'tag')}{within}" if every or not unread else "",
                unknown="not every manifest could be read.",
            ),
            Metric(
                "Frees",
                str(freed) if every else None,
                help=f"{freed.at_most}{read}".strip(),
                beside=_beside(freed, policy.days) if every else "",
                unknown=unknown,
            ),
            _age("Oldest push", min(pushes, default=None), unknown),
            _age("Last push", max(pushes, default=None), unknown),
        ]
    )
    if policy.notice and every:
        until = (
            f" Deleted now, it can be until {datetime.now(UTC) + timedelta(days=policy.days):%Y-%m-%d}."
            if policy.days
            else ""
        )
        st.info(plain(policy.notice) + until, icon=":material/auto_delete:")


def _age(label: str, moment: datetime | None, unknown: str) -> Metric:
    if moment is None:
        return Metric(label, None, unknown=unknown)
    return Metric(label, ago(moment), beside=f"{moment:%Y-%m-%d}", help=exact(moment))


def _beside(freed: Freed, days: int | None) -> str:
    """When the bytes are freed, and what becomes of the others that are deleted."""
    rest = f"the rest of {size(freed.total)} is shared with images that stay" if freed.bytes < freed.total else ""
    notes = [note for note in (_when(days), rest) if note]
    return "; ".join(notes) or ("shared layers stay" if freed.at_most else "")


def _when(days: int | None) -> str:
    """When soft delete frees the bytes; "" where that is at once."""
    if days is None:
        return "when is unknown"
    return f"after {counted(days, 'day')}" if days else ""
