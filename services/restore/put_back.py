"""Deleted images pushed back from the manifests that the console kept, as long as the registry has their layers.

A tag that somebody has put on another image since stays where it is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Event

from services.connection.changes import Outcome, changed, write
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, as_service_error, says_gone
from services.connection.names import require_digest, require_tag
from services.connection.parallel import parallel_map
from services.images.manifest_reading import read_raw
from services.images.manifests import Descriptor, Manifest, parse_manifest
from services.images.repositories import find_manifest_row, find_repository, find_tag
from services.restore.kept import KeptManifest
from services.restore.plan import in_order
from services.wording import counted

# A digest, and a tag that it had, or "".
Deleted = tuple[str, str]
OnResult = Callable[["PutBackItem", Outcome | ServiceError], None]


@dataclass(frozen=True)
class PutBackItem:
    """One manifest, and the `tags` that it gets again. `moved`: tags that it had, and that are on another image now.
    `after`: digests that are pushed before it. `blocker`: why it can't be, "" where it can."""

    digest: str
    tags: tuple[str, ...]
    moved: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    blocker: str = ""


@dataclass(frozen=True)
class PutBackPlan:
    """Pushes the items of `unblocked`, in their order, from the manifests that the job `record` kept. There are no
    `commands`: no command of az pushes a manifest."""

    registry: str
    repository: str
    record: str
    items: tuple[PutBackItem, ...]
    commands: tuple[str, ...] = ()

    @property
    def unblocked(self) -> tuple[PutBackItem, ...]:
        return tuple(item for item in self.items if not item.blocker)

    @property
    def blockers(self) -> tuple[str, ...]:
        """Why nothing can be pushed; empty where something can."""
        return () if self.unblocked else tuple(dict.fromkeys(item.blocker for item in self.items))

    @property
    def warnings(self) -> tuple[str, ...]:
        found = []
        if self.unblocked and (blocked := [item for item in self.items if item.blocker]):
            causes = " ".join(dict.fromkeys(item.blocker for item in blocked))
            found.append(f"{counted(len(blocked), 'manifest')} can't be brought back. {causes}")
        if moved := [tag for item in self.unblocked for tag in item.moved]:
            they = "It is on another image now, and stays" if len(moved) == 1 else "They are on others now, and stay"
            found.append(f"{counted(len(moved), 'tag')} not put back: {', '.join(moved[:5])}. {they} there.")
        return tuple(found)


@dataclass(frozen=True)
class RegistryState:
    """What the registry has now: the manifests among those that were deleted, their tags with the digests that they
    point to, the layers and configs that it lacks, and whether the repository is locked against writing."""

    manifests: frozenset[str]
    tags: Mapping[str, str]
    missing: frozenset[str]
    locked: bool = False


def plan_put_back(
    registry: str,
    repository: str,
    record: str,
    deleted: Iterable[Deleted],
    kept: Mapping[str, Manifest],
    now: RegistryState,
) -> PutBackPlan:
    """What pushing back `deleted` would do, of which `kept` are the manifests that were kept. Pure."""
    tags: dict[str, list[str]] = {}
    for digest, tag in deleted:
        tags.setdefault(digest, []).extend([tag] if tag else [])
    items = {digest: _item(digest, of_it, kept, now, repository) for digest, of_it in tags.items()}
    # An index without one of its platforms is refused by the registry, and so is an index of that index.
    there = now.manifests | {digest for digest, item in items.items() if not item.blocker}
    while lacking := _first_lacking(items.values(), kept, there):
        digest, child = lacking
        items[digest] = replace(items[digest], blocker=f"It lists {child}, which can't be brought back.")
        there -= {digest} - now.manifests
    return PutBackPlan(registry, repository, record, in_order(items.values()))


def _first_lacking(
    items: Iterable[PutBackItem], kept: Mapping[str, Manifest], there: Collection[str]
) -> tuple[str, str] | None:
    """An item that would be pushed without one of its platforms, and that platform's digest."""
    return next(
        (
            (item.digest, child.digest)
            for item in items
            if not item.blocker
            for child in kept[item.digest].children
            if child.digest not in there
        ),
        None,
    )


def _item(
    digest: str, tags: list[str], kept: Mapping[str, Manifest], now: RegistryState, repository: str
) -> PutBackItem:
    moved = tuple(tag for tag in tags if now.tags.get(tag, digest) != digest)
    left = tuple(tag for tag in tags if tag not in now.tags)
    manifest = kept.get(digest)
    if manifest is None:
        return PutBackItem(digest, left, moved, blocker="Its manifest was not kept.")
    after = (*(child.digest for child in manifest.children), *([manifest.subject] if manifest.subject else []))
    item = PutBackItem(digest, left, moved, after)
    blobs = blobs_of(manifest)
    lacks = sum(blob.digest in now.missing for blob in blobs)
    if digest in now.manifests and not left:
        return replace(item, blocker="It is there: nothing is left to bring back.")
    if now.locked:
        return replace(item, blocker=f"The repository {repository} is locked against writing: unlock it first.")
    if digest not in now.manifests and lacks:
        return replace(item, blocker=f"The registry has removed {lacks} of its {counted(len(blobs), 'layer')}.")
    return item


def blobs_of(manifest: Manifest) -> tuple[Descriptor, ...]:
    """The config and the layers that a registry must have for the manifest."""
    config = (manifest.config,) if manifest.config else ()
    return tuple({blob.digest: blob for blob in (*config, *manifest.layers) if not blob.is_foreign}.values())


def read_put_back_plan(
    client: RegistryClient,
    registry: str,
    repository: str,
    record: str,
    deleted: Iterable[Deleted],
    kept: Mapping[str, KeptManifest],
) -> PutBackPlan:
    """Reads what `plan_put_back` needs: a request for each manifest, tag and layer. Raises ServiceError."""
    title = f"Could not plan to bring back images of {repository}"
    wanted = list(deleted)
    parsed = {one.digest: parse_manifest(one.raw, one.media_type, title) for one in kept.values()}
    of_repository = find_repository(client, repository)
    at = client.login_server
    rows = parallel_map(lambda digest: find_manifest_row(client, repository, digest), parsed, server=at).all_values()
    there = frozenset(row.digest for row in rows if row)
    names = dict.fromkeys(tag for _, tag in wanted if tag)
    tags = parallel_map(lambda tag: find_tag(client, repository, tag), names, server=at).all_values()
    blobs = dict.fromkeys(
        blob.digest for digest, manifest in parsed.items() if digest not in there for blob in blobs_of(manifest)
    )

    def lacks(digest: str) -> bool:
        path = path_of("/v2/{repository}/blobs/{digest}", repository=repository, digest=digest)
        with as_service_error(title):
            return client.head(path) is None

    missing = [
        digest for digest, gone in zip(blobs, parallel_map(lacks, blobs, server=at).all_values(), strict=True) if gone
    ]
    locked = bool(of_repository and not of_repository.locks.write)
    now = RegistryState(there, {tag.name: tag.digest for tag in tags if tag}, frozenset(missing), locked)
    return plan_put_back(registry, repository, record, wanted, parsed, now)


def put_back(client: RegistryClient, repository: str, item: PutBackItem, kept: KeptManifest) -> Outcome:
    """Pushes one manifest and puts its tags on it, each read back: RESTORED, ALREADY_DONE or NOT_CONFIRMED.

    A tag that is there, and was not when it was planned, is refused (ChangedMeanwhile). Raises ServiceError.
    """
    title = f"Could not bring back {repository}@{item.digest}"
    require_digest(title, item.digest)
    outcomes = []
    if find_manifest_row(client, repository, item.digest) is None:
        outcomes.append(_put(client, repository, item.digest, kept, title))
    for tag in item.tags:
        require_tag(title, tag)
        current = find_tag(client, repository, tag)
        if current is None:
            outcomes.append(_put(client, repository, tag, kept, title))
        elif current.digest != item.digest:
            raise changed(title, f"The tag {tag} was not there when it was planned, and is on {current.digest} now.")
    if not outcomes:
        return Outcome.ALREADY_DONE
    return Outcome.RESTORED if all(outcomes) else Outcome.NOT_CONFIRMED


def _put(client: RegistryClient, repository: str, reference: str, kept: KeptManifest, title: str) -> bool:
    """Whether the manifest is at the reference, as its bytes read back say."""
    path = path_of("/v2/{repository}/manifests/{reference}", repository=repository, reference=reference)
    found = write(
        title,
        lambda: client.send("PUT", path, content=kept.raw, headers={"Content-Type": kept.media_type}),
        lambda: read_raw(client, repository, reference)[0],
        lambda raw: raw == kept.raw,
        says_gone,
    )
    return found is not None


def apply_put_back(
    client: RegistryClient,
    plan: PutBackPlan,
    kept: Mapping[str, KeptManifest],
    on_result: OnResult,
    stop: Event,
) -> None:
    """Brings back `plan.unblocked` in their order; `on_result` is called with each Outcome or ServiceError, also of
    those whose kept manifest is gone. What comes after one that failed is refused by the registry itself."""
    for item in plan.unblocked:
        if stop.is_set():
            return
        try:
            if item.digest not in kept:
                title = f"Could not bring back {plan.repository}@{item.digest}"
                raise ServiceError(title, "Its manifest is not kept any more.", "Push the image again.", "NotKept")
            on_result(item, put_back(client, plan.repository, item, kept[item.digest]))
        except ServiceError as error:
            on_result(item, error)
