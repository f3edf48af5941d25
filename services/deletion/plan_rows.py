"""What a plan of a deletion lists: what is deleted, the oldest first, and what stays, by the kind of its reason."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from services.deletion.plan import DeletionItem, DeletionPlan, Keeps, plan_deletion
from services.deletion.running_images import RunningImages
from services.images.repositories import ManifestRow
from services.images.repository_contents import RepositoryContents
from services.images.tree import build_tree

NOT_CHOSEN = "not chosen"
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class DeletedManifest:
    """One manifest that is deleted, as the plan and as the registry has it, `depth` below one that was chosen."""

    item: DeletionItem
    row: ManifestRow
    depth: int


@dataclass(frozen=True)
class KeptManifest:
    """One manifest that stays. `kind` is of `Keeps`, or NOT_CHOSEN; `reason` a sentence, "" where it was not chosen."""

    row: ManifestRow
    tags: tuple[str, ...]
    kind: str
    reason: str


def deleted_manifests(contents: RepositoryContents, items: Iterable[DeletionItem]) -> tuple[DeletedManifest, ...]:
    """These items, those that were chosen by the time of their push, without one last; each is followed by what is
    deleted with it."""
    rows = {row.digest: row for row in contents.rows}
    below: defaultdict[str, list[DeletionItem]] = defaultdict(list)
    listed = {item.digest: item for item in items}
    for item in listed.values():
        below[item.of if item.of in listed else ""].append(item)
    found: list[DeletedManifest] = []

    def add(of: str, depth: int) -> None:
        for item in sorted(below.pop(of, ()), key=lambda one: (rows[one.digest].created or _LAST, one.digest)):
            found.append(DeletedManifest(item, rows[item.digest], depth))
            add(item.digest, depth + 1)

    add("", 0)
    return tuple(found)


def kept_manifests(
    contents: RepositoryContents, plan: DeletionPlan, other_tags: Iterable[tuple[str, str]] = ()
) -> tuple[KeptManifest, ...]:
    """Every manifest of the repository that the plan does not delete: with a blocker, or not chosen.

    `other_tags`: digests that a rule left out, each with a tag that it did not choose. The blocked come first, by kind;
    within a kind, the oldest.
    """
    items = {item.digest: item for item in plan.items}
    left_out = dict(other_tags)
    kept = []
    for row in contents.rows:
        item = items.get(row.digest)
        if item and item.blocker:
            kept.append(KeptManifest(row, item.tags, str(item.kept_by), item.blocker))
        elif not item and row.digest in left_out:
            tag = left_out[row.digest]
            kept.append(KeptManifest(row, row.tags, str(Keeps.TAG), f"Its tag {tag} was not chosen."))
        elif not item:
            kept.append(KeptManifest(row, row.tags, NOT_CHOSEN, ""))
    return tuple(
        sorted(kept, key=lambda one: (one.kind == NOT_CHOSEN, one.kind, one.row.created or _LAST, one.row.digest))
    )


def count_kinds(kept: Iterable[KeptManifest]) -> str:
    """'4 locked, 3 running in a cluster, 20 not chosen', in the order of `kept`."""
    return ", ".join(f"{number:,} {kind}" for kind, number in Counter(one.kind for one in kept).items())


def plan_all(contents: RepositoryContents, registry: str, running: RunningImages) -> DeletionPlan:
    """The plan of every manifest of a repository, each with what it belongs to. Deleting the repository itself takes
    all or nothing: what this plan keeps says what keeps all."""
    tree = build_tree(contents.rows, contents.manifests.values(), every_row=contents.complete)
    tops = [node.digest for node in tree if not node.depth]
    plan = plan_deletion(contents, tops, registry=registry, by_name=True, running=running)
    # What is below none of them, as a child of what has no row, or in a circle.
    rest = {row.digest for row in contents.rows} - {item.digest for item in plan.items}
    if not rest:
        return plan
    return plan_deletion(contents, [*tops, *sorted(rest)], registry=registry, by_name=True, running=running)
