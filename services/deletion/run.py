"""Deleting what a plan names: checked again before each batch and each manifest, read back after each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Event

from services.connection.changes import Outcome, changed, refused, remove
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, says_gone
from services.connection.names import require_digest
from services.connection.parallel import Partial, Refusal, parallel_map
from services.deletion.last_pulls import PulledNow, pulled_since
from services.deletion.plan import DeletionItem, DeletionPlan, Why, plan_deletion
from services.deletion.running_images import RunningImages
from services.images.manifests import Manifest
from services.images.repositories import find_manifest_row, get_manifest_row
from services.images.repository_contents import RepositoryContents, read_contents

# Before each so many, the repository is read again: a deletion of thousands takes minutes, and people push meanwhile.
BATCH = 200


@dataclass(frozen=True)
class DeletionResult:
    """What became of one manifest and of the tags on it.

    DELETED: requested, and it is gone, as read back; `with_subject`: the registry deleted it with the manifest that it
    refers to. ALREADY_DONE: somebody else was first; or our own request, whose answer was lost. NOT_CONFIRMED: it was
    accepted, and is still there or could not be read back.
    """

    digest: str
    tags: tuple[str, ...]
    outcome: Outcome
    with_subject: bool = False


# What runs of a repository now.
RunningNow = Callable[[RepositoryContents], RunningImages]
OnResult = Callable[[DeletionItem, DeletionResult | ServiceError], None]


def apply_deletion(
    client: RegistryClient,
    plan: DeletionPlan,
    known: dict[str, Manifest],
    *,
    running_now: RunningNow | None = None,
    pulled_now: PulledNow | None = None,
    on_result: OnResult | None = None,
    stop: Event | None = None,
) -> Partial[DeletionResult]:
    """Deletes the manifests of `plan.unblocked`; each has its own result or its own ServiceError, in the plan's order.

    An index is deleted before its platforms: an interruption leaves no index that lacks one. Before each batch
    the repository is read again (`known` as in `read_contents`) and planned again: what is not as planned is refused
    (ChangedMeanwhile), and so is whatever belongs to it. Of a rule's plan so is what runs by then by `running_now`, or
    is unknown by then where all was known, and what was pulled since by `pulled_now`. `on_result(item, what)` is called
    in the caller's thread as items end; after `stop` the rest is untried, and so it is after any error, also one of
    `on_result`, which is raised once the requests under way have ended. Raises ServiceError where the repository can't
    be read again.
    """
    stop = stop or Event()
    fates: dict[str, DeletionResult | ServiceError] = {}

    def end(item: DeletionItem, fate: DeletionResult | ServiceError) -> None:
        fates[item.digest] = fate
        if on_result:
            on_result(item, fate)

    items = list(plan.unblocked)
    while items and not stop.is_set():
        batch, rest = items[:BATCH], items[BATCH:]
        for item, refusal in _recheck(client, plan, items, known, running_now, pulled_now):
            end(item, refusal)
        for wave in _waves(batch, fates):
            _delete_wave(client, plan.repository, wave, fates, end, stop)
        items = [item for item in rest if item.digest not in fates]
    return _partial(plan, fates)


def _recheck(
    client: RegistryClient,
    plan: DeletionPlan,
    items: list[DeletionItem],
    known: dict[str, Manifest],
    running_now: RunningNow | None,
    pulled_now: PulledNow | None,
) -> list[tuple[DeletionItem, ServiceError]]:
    """Those of `items` that are not as planned any more, each with the reason."""
    read = read_contents(client, [plan.repository], known)
    if read.refused:
        error = read.refused[0].error
        if error.status == 404:  # The repository is deleted with its last manifest: each is looked at by itself.
            return []
        raise error
    (contents,) = read.values
    running = RunningImages.of(plan.running)
    if running_now and not plan.by_name:
        now_known = running_now(contents)
        # What notes say of a rule's plan is that something was unknown, and that a person accepted it.
        accepted = bool(plan.notes)
        running = replace(now_known, places={**running.places, **now_known.places}, accept_unasked=accepted)
    fresh = plan_deletion(
        contents, [item.digest for item in items], registry=plan.registry, by_name=plan.by_name, running=running
    )
    now = {item.digest: item for item in fresh.items}
    planned = {item.digest for item in items}
    joined = _joined(now, planned)
    pulled = pulled_since(plan, items, contents, pulled_now) if pulled_now else {}
    found = []
    for item in items:
        title = _title(plan.repository, item)
        then = now.get(item.digest)
        if then is None:
            continue  # Not listed: gone, or hidden since. Looked at by itself.
        if how := _difference(item, then, joined.get(item.digest)) or pulled.get(item.digest, ""):
            found.append((item, changed(title, how)))
    return found


def _joined(now: Mapping[str, DeletionItem], planned: set[str]) -> dict[str, str]:
    """Planned digest → what refers to it since, and would be deleted unplanned."""
    joined = {}
    for item in now.values():
        if item.digest not in planned and item.why is Why.REFERRER:
            at = item.of
            # The registry also deletes what refers to what refers to it; what belongs to it in other ways stays.
            while at not in planned and now[at].why is Why.REFERRER:
                at = now[at].of
            if at in planned:
                joined[at] = item.digest
    return joined


def _difference(planned: DeletionItem, now: DeletionItem, joined: str | None) -> str:
    """What is not as planned, in a sentence; '' where all is."""
    if now.blocker:
        return now.blocker
    if set(now.tags) != set(planned.tags):
        return f"Its tags were {_names(planned.tags)} when it was planned, and now are {_names(now.tags)}."
    if new := set(now.breaks) - set(planned.breaks):
        return f"An index has come that needs it: {min(new)}."
    if joined:
        return f"Since it was planned, {joined} refers to it, and would be deleted with it."
    return ""


def _names(tags: Iterable[str]) -> str:
    return ", ".join(sorted(tags)) or "none"


def _waves(batch: list[DeletionItem], fates: Mapping[str, object]) -> Iterable[list[DeletionItem]]:
    """The items that are left, in waves: each when what it waits for has had its turn."""
    left = [item for item in batch if item.digest not in fates]
    while left:
        waiting = {item.digest for item in left}
        yield [item for item in left if not waiting.intersection(item.after)]
        left = [item for item in left if waiting.intersection(item.after)]


def _delete_wave(
    client: RegistryClient,
    repository: str,
    wave: list[DeletionItem],
    fates: Mapping[str, DeletionResult | ServiceError],
    end: OnResult,
    stop: Event,
) -> None:
    def delete_one(item: DeletionItem) -> DeletionResult:
        for digest in item.after:
            fate = fates.get(digest)
            if not isinstance(fate, DeletionResult) or fate.outcome is Outcome.NOT_CONFIRMED:
                raise refused(_title(repository, item), f"It is deleted only after {digest}, which still exists.")
        return _delete_one(client, repository, item, fates)

    parallel_map(
        delete_one,
        wave,
        server=client.login_server,
        name=lambda item: item.digest,
        done=lambda index, fate: end(wave[index], fate),
        stop=stop,
    )


def _delete_one(
    client: RegistryClient, repository: str, item: DeletionItem, fates: Mapping[str, DeletionResult | ServiceError]
) -> DeletionResult:
    title = _title(repository, item)
    require_digest(title, item.digest)
    row = find_manifest_row(client, repository, item.digest)
    if row is None:
        subject = fates.get(item.of)
        if item.why is Why.REFERRER and isinstance(subject, DeletionResult) and subject.outcome is Outcome.DELETED:
            return DeletionResult(item.digest, item.tags, Outcome.DELETED, with_subject=True)
        return DeletionResult(item.digest, item.tags, Outcome.ALREADY_DONE)
    if set(row.tags) != set(item.tags):
        raise changed(title, f"Its tags were {_names(item.tags)} when it was planned, and now are {_names(row.tags)}.")
    if not row.locks.deletable:
        raise changed(title, "It has been locked since it was planned.")
    path = path_of("/v2/{repository}/manifests/{digest}", repository=repository, digest=item.digest)
    outcome = remove(
        title,
        lambda: client.send("DELETE", path),
        lambda: get_manifest_row(client, repository, item.digest),
        says_gone,
    )
    return DeletionResult(item.digest, item.tags, outcome)


def _title(repository: str, item: DeletionItem) -> str:
    return f"Could not delete {repository}@{item.digest}"


def _partial(plan: DeletionPlan, fates: Mapping[str, DeletionResult | ServiceError]) -> Partial[DeletionResult]:
    ordered = [(item.digest, fates[item.digest]) for item in plan.unblocked if item.digest in fates]
    return Partial(
        tuple(fate for _, fate in ordered if isinstance(fate, DeletionResult)),
        tuple(Refusal(digest, fate) for digest, fate in ordered if isinstance(fate, ServiceError)),
        len(plan.unblocked) - len(ordered),
    )
