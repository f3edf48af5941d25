"""What deleting manifests would do, before anything is done: what goes with them, what would break, what keeps them.

Binding rules, from acr-cli's purge (cmd/repository/image_functions.go) and container-registry-delete.md,
container-registry-image-lock.md and container-registry-manage-artifact.md: deleting a digest takes all its tags and
whatever refers to it; it leaves an index's platforms behind; and an index whose platform is gone can't be pulled any
more, though its tag is still listed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from services.commands import images as az_images
from services.deletion.blocking_locks import blocking_locks
from services.deletion.running_images import RunningImages, list_places
from services.images.manifests import attached_to
from services.images.repositories import ManifestRow
from services.images.repository_contents import RepositoryContents
from services.wording import counted

# Names in a sentence; the rest is counted.
_SHOWN = 10
NOTHING_RUNS = RunningImages()


class Why(StrEnum):
    """Why a manifest is in a plan."""

    CHOSEN = "chosen"
    CHILD = "only in indexes that are deleted"
    REFERRER = "refers to one that is deleted"
    ATTACHED = "attached by its tag to one that is deleted"


class Keeps(StrEnum):
    """The kind of reason why a manifest of a plan stays, as it reads after a number."""

    UNREAD = "not known to be unused"
    UNASKED = "perhaps running in a cluster that was not asked"
    LOCK = "locked"
    RUNS = "running in a cluster"
    TAG = "with another tag"
    INDEX = "needed by an index that stays"
    SUBJECT = "belonging to one that stays"
    REFERRER = "with a referrer that stays"
    CIRCLE = "in a circle of tags"


@dataclass(frozen=True)
class DeletionItem:
    """One manifest, and what its deletion means.

    `of` is the digest that it is deleted with ('' where it was chosen), `tags` its tags, `breaks` the
    indexes that stay and would miss it, `after` the digests of the plan that must be gone before. `blocker` is ''
    where it can be deleted, else the reason, whose kind is `kept_by`; `size` its layers' bytes, shared or not, None
    where unknown.
    """

    digest: str
    why: Why
    of: str
    tags: tuple[str, ...]
    size: int | None
    breaks: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    blocker: str = ""
    kept_by: Keeps | None = None


@dataclass(frozen=True)
class DeletionPlan:
    """Deletes the manifests of `unblocked`; parents come before what belongs to them. `registry` is its
    name.

    `by_name`: each was chosen as itself, not by a rule, and so may break an index that the plan names; `named` are the
    tags that it was chosen by. `running` are the digests that keep what they need, as they run in a cluster. `notes`:
    what the plan deletes although it runs, or although it is not known whether it does. `pulled`: the last pull of each
    digest that a rule chose for that, as the logs had it; None for none.
    """

    registry: str
    repository: str
    items: tuple[DeletionItem, ...]
    by_name: bool
    running: frozenset[str] = frozenset()
    empties_repository: bool = False
    named: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    pulled: Mapping[str, datetime | None] = field(default_factory=dict)

    @cached_property
    def unblocked(self) -> tuple[DeletionItem, ...]:
        return tuple(item for item in self.items if not item.blocker)

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests that are deleted."""
        return tuple(item.digest for item in self.unblocked)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that are deleted with them."""
        return tuple(tag for item in self.unblocked for tag in item.tags)

    @property
    def broken(self) -> tuple[str, ...]:
        """The indexes that stay and can't be pulled completely any more."""
        return tuple(dict.fromkeys(index for item in self.unblocked for index in item.breaks))

    @property
    def blockers(self) -> tuple[str, ...]:
        """Why nothing can be deleted; empty where something can."""
        return () if self.unblocked else tuple(dict.fromkeys(item.blocker for item in self.items))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before the rest is deleted."""
        return tuple(_warnings(self))

    @property
    def commands(self) -> tuple[str, ...]:
        """A line for each manifest."""
        return tuple(az_images.delete_image(self.registry, self.repository, digest) for digest in self.digests)


def _warnings(plan: DeletionPlan) -> Iterator[str]:
    if plan.unblocked:
        yield from plan.notes
    if plan.broken:
        number = counted(len(plan.broken), "index stays", "indexes stay")
        yield f"{number} and can't be pulled completely any more: {', '.join(plan.broken[:_SHOWN])}."
    others = sorted({tag for tag in plan.tags if tag not in plan.named and not attached_to(tag)})
    if plan.by_name and others:
        more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
        tags = "This tag is" if len(others) == 1 else "These tags are"
        yield f"{tags} deleted too, with the images: {', '.join(others[:_SHOWN])}{more}."
    if plan.empties_repository:
        yield "Nothing is left of the repository: it is deleted with its last manifest."


def plan_deletion(
    contents: RepositoryContents,
    chosen: Iterable[str],
    *,
    registry: str,
    by_name: bool,
    running: RunningImages = NOTHING_RUNS,
    named: Collection[str] = frozenset(),
) -> DeletionPlan:
    """The plan for these digests of one repository. Pure; a digest that is not there is left out.

    `registry` is the registry's name, `named` the tags among what was chosen. By a rule (`by_name` False)
    nothing is deleted that an index still in use points to, nothing with a tag that was not chosen, and nothing while a
    cluster that could run it was not asked, unless the person accepts that. By name it may be, and the plan says so.
    Neither deletes what is locked, what runs in a cluster (by name only if the person says so), or anything while it is
    not known what the repository's manifests point to.
    """
    graph = _ManifestGraph(contents)
    wanted = [digest for digest in dict.fromkeys(chosen) if digest in graph.rows]
    items = {item.digest: item for item in _collect_items(graph, wanted)}
    in_use = graph.in_use(running.places)
    for digest, item in items.items():
        if reason := _blocker(contents, graph, item, in_use, running, by_name=by_name):
            items[digest] = _keep(item, *reason)
    _propagate_blockers(items, graph, by_name=by_name)
    ordered = _parents_first(items, graph)
    while len(ordered) < len(items):
        for digest in items.keys() - {item.digest for item in ordered}:
            circle = "It and what it belongs to form a circle, through tags that were set by hand."
            items[digest] = _keep(items[digest], Keeps.CIRCLE, circle)
        _propagate_blockers(items, graph, by_name=by_name)
        ordered = _parents_first(items, graph)
    unblocked = {item.digest for item in ordered if not item.blocker}
    empties = bool(unblocked) and contents.complete and unblocked == graph.rows.keys()
    keeps = frozenset() if by_name and running.delete_running else frozenset(running.places)
    notes = tuple(_notes(unblocked, in_use, running))
    return DeletionPlan(registry, contents.name, ordered, by_name, keeps, empties, frozenset(named), notes)


def _notes(deleted: Collection[str], in_use: Mapping[str, str], running: RunningImages) -> Iterator[str]:
    if runs := sorted({in_use[digest] for digest in deleted if digest in in_use}):
        number = counted(len(runs), "image")
        places = tuple(dict.fromkeys(place for digest in runs for place in running.places[digest]))
        where = f": {list_places(places)}" if places else ""
        yield f"{number} of the plan {'runs' if len(runs) == 1 else 'run'}{where}. New pods can't pull it then."
    if running.unasked:
        yield running.unknown


class _ManifestGraph:
    """What belongs to what in a repository, for every digest that is listed."""

    def __init__(self, contents: RepositoryContents) -> None:
        self.rows: Mapping[str, ManifestRow] = {row.digest: row for row in contents.rows}
        self.children: dict[str, tuple[str, ...]] = {}
        self.parents: defaultdict[str, set[str]] = defaultdict(set)
        self.referrers: defaultdict[str, list[str]] = defaultdict(list)
        self.subject: dict[str, str] = {}
        self.attached: defaultdict[str, list[str]] = defaultdict(list)
        self.locks = blocking_locks(contents)
        self.listed_tags: defaultdict[str, list[str]] = defaultdict(list)
        for tag in contents.tags:
            self.listed_tags[tag.digest].append(tag.name)
        for digest, row in self.rows.items():
            if manifest := contents.manifests.get(digest):
                self.children[digest] = tuple(dict.fromkeys(child.digest for child in manifest.children))
                for child in self.children[digest]:
                    self.parents[child].add(digest)
                if manifest.subject in self.rows:
                    self.referrers[manifest.subject].append(digest)
                    self.subject[digest] = manifest.subject
            if row.tags and all(attached_to(tag) for tag in row.tags):
                for subject in {attached_to(tag) for tag in row.tags}:
                    self.attached[subject].append(digest)

    def tags(self, digest: str) -> tuple[str, ...]:
        """Those that the manifest's own row has, and those that the list of tags has: a move may lie between."""
        return tuple(dict.fromkeys((*self.rows[digest].tags, *self.listed_tags[digest])))

    def attached_subjects(self, digest: str) -> set[str]:
        """The listed manifests that its tags attach it to: a signature may be that of several images."""
        return {attached_to(tag) for tag in self.tags(digest)} & self.rows.keys()

    def in_use(self, running: Collection[str]) -> dict[str, str]:
        """Digest → what runs: the digests that run, and all above and below them: a node pulls through the index."""
        found: dict[str, str] = {}
        for start in running:
            for edges in (self.children, self.parents):
                for digest in _reach(start, edges):
                    found.setdefault(digest, start)
        return found


def _indexes_needing(digest: str, graph: _ManifestGraph) -> set[str]:
    """The indexes that list it, or that list what the registry deletes with it; these themselves left out."""
    along = _reach(digest, graph.referrers)
    return {index for gone in along for index in graph.parents.get(gone, ())} - along


def _reach(start: str, edges: Mapping[str, Collection[str]]) -> set[str]:
    found, stack = {start}, [start]
    while stack:
        for other in edges.get(stack.pop(), ()):
            if other not in found:
                found.add(other)
                stack.append(other)
    return found


def _collect_items(graph: _ManifestGraph, wanted: list[str]) -> Iterator[DeletionItem]:
    """The chosen, what refers or is attached to them, and the children that only they hold; to any depth."""
    why: dict[str, tuple[Why, str]] = dict.fromkeys(wanted, (Why.CHOSEN, ""))
    queue = list(wanted)

    def add(digest: str, reason: Why, of: str) -> None:
        if digest not in why:
            why[digest] = (reason, of)
            queue.append(digest)

    while queue:
        # A child whose other index joins later is looked at again then: that index looks at its children.
        digest = queue.pop(0)
        for referrer in graph.referrers.get(digest, ()):
            add(referrer, Why.REFERRER, digest)
        for other in graph.attached.get(digest, ()):
            if graph.attached_subjects(other) <= why.keys():
                add(other, Why.ATTACHED, digest)
        for child in graph.children.get(digest, ()):
            free = child in graph.rows and not graph.tags(child) and child not in graph.subject
            if free and graph.parents[child] <= why.keys():
                add(child, Why.CHILD, digest)
    for digest, (reason, of) in why.items():
        yield DeletionItem(digest, reason, of, graph.tags(digest), graph.rows[digest].size)


def _keep(item: DeletionItem, kind: Keeps, blocker: str) -> DeletionItem:
    return replace(item, blocker=blocker, kept_by=kind, breaks=())


def _blocker(
    contents: RepositoryContents,
    graph: _ManifestGraph,
    item: DeletionItem,
    in_use: Mapping[str, str],
    running: RunningImages,
    *,
    by_name: bool,
) -> tuple[Keeps, str] | None:
    """What forbids this one, whatever becomes of the others; None where nothing does."""
    if not contents.complete:
        return Keeps.UNREAD, _unknown(contents)
    if locked := graph.locks.keeping(item.digest):
        return Keeps.LOCK, locked[0]
    if item.digest in in_use and not (by_name and running.delete_running):
        runs = in_use[item.digest]
        who = "It" if runs == item.digest else f"What it belongs to, {runs},"
        return Keeps.RUNS, f"{who} {running.runs(runs)}"
    if running.unasked and not by_name and not running.accept_unasked:
        return Keeps.UNASKED, running.unknown
    if not by_name and item.why is not Why.CHOSEN:
        tags = [tag for tag in item.tags if not attached_to(tag)]
        if tags:
            return Keeps.TAG, f"It has a tag of its own, which was not chosen: {tags[0]}."
    return None


def _unknown(contents: RepositoryContents) -> str:
    """Nothing is deleted where a manifest that was not read may be an index that holds it."""
    if contents.hidden:
        return (
            f"Of {contents.repository.manifest_count:,} manifests, {contents.hidden:,} are hidden from the list "
            "(locked against listing) or came meanwhile: what they point to is not known. Refresh, or have them listed."
        )
    missing = len(contents.unread) + contents.untried
    return f"Of {len(contents.rows):,} manifests, {missing:,} could not be read: what they point to is not known."


def _propagate_blockers(items: dict[str, DeletionItem], graph: _ManifestGraph, *, by_name: bool) -> None:
    """What stays because of another that stays; each may keep further ones."""
    changed = True
    while changed:
        changed = False
        for digest, item in items.items():
            if item.blocker:
                continue
            staying = sorted(
                index for index in graph.parents.get(digest, ()) if index not in items or items[index].blocker
            )
            if staying and not (by_name and item.why is Why.CHOSEN):
                tags = graph.tags(staying[0])
                needs = f"The index {staying[0]}{f' ({tags[0]})' if tags else ''} stays, and needs it."
                kept = _keep(item, Keeps.INDEX, needs)
            elif subjects := sorted(other for other in _deleted_with(item, graph) if items[other].blocker):
                kept = _keep(item, Keeps.SUBJECT, f"It belongs to {subjects[0]}, which stays.")
            elif locked := [other for other in graph.referrers.get(digest, ()) if items[other].blocker]:
                # The registry would delete it too, whatever its own locks say.
                why = items[locked[0]].blocker
                refers = f"{locked[0]} refers to it, would be deleted with it, and may not be: {why}"
                kept = _keep(item, Keeps.REFERRER, refers)
            else:
                kept = replace(item, breaks=tuple(staying))
            if kept != item:
                items[digest] = kept
                changed = True


def _deleted_with(item: DeletionItem, graph: _ManifestGraph) -> set[str]:
    """What it is deleted with: it stays where one of these does, and has its turn after all of them."""
    if item.why is Why.ATTACHED:
        return graph.attached_subjects(item.digest)
    return {item.of} if item.of else set()


def _parents_first(items: Mapping[str, DeletionItem], graph: _ManifestGraph) -> tuple[DeletionItem, ...]:
    """Each with what must be gone before it, in an order that allows it; those of a circle are left out.

    By digests there can be no circle; a tag sha256-… set by hand can close one.
    """
    unblocked = {digest for digest, item in items.items() if not item.blocker}
    waits = {
        digest: ({*_deleted_with(items[digest], graph), *_indexes_needing(digest, graph)} & unblocked) - {digest}
        for digest in unblocked
    }
    dependants: defaultdict[str, list[str]] = defaultdict(list)
    for digest, others in waits.items():
        for other in others:
            dependants[other].append(digest)
    left = {digest: len(others) for digest, others in waits.items()}
    ready = [digest for digest in items if not left.get(digest)]
    for digest in ready:  # Grows while it runs.
        for other in dependants[digest]:
            left[other] -= 1
            if not left[other]:
                ready.append(other)
    return tuple(replace(items[digest], after=tuple(sorted(waits.get(digest, ())))) for digest in ready)
