"""Pushing an image of an archive: planned, then blobs, manifests, and the tag last, then read back.

Nothing is tagged unless all before it is in the registry.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Literal

from services.connection.changes import Outcome, changed, refused
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, as_service_error
from services.connection.names import require_repository, require_tag
from services.connection.parallel import Progress, all_or_none, parallel_map
from services.images.repositories import Repository, Tag, find_manifest_row, find_repository, find_tag
from services.images.tagging import TagPlan, apply_tag
from services.transfer.archive_files import stopped
from services.transfer.archive_images import Blob, Content, RawManifest
from services.transfer.blob_uploads import BlobResult, has_blob, send_blob

Way = Literal["there", "mount", "send"]
MOUNTED = "mounted"
_OUTCOMES = {"there": Outcome.ALREADY_DONE, "sent": Outcome.CREATED, "mounted": MOUNTED}
# What is in the registry now: a blob or a manifest by its digest, or the tag by its name; and an Outcome or MOUNTED.
OnResult = Callable[[str, str], None]


@dataclass(frozen=True)
class PlannedBlob:
    """A blob of `size` bytes: there already, mounted from the repository `source`, or sent."""

    digest: str
    size: int
    way: Way
    source: str = ""


@dataclass(frozen=True)
class PushPlan:
    """Puts `digest` under `tag`. `current_digest` is where the tag points now, None for a new one.

    `new_repository`: the push creates it. Nothing is sent while there are `blockers`. There are no `commands`: docker
    and skopeo push from where the archive is, with the lines that the page shows for any.
    """

    repository: str
    tag: str
    digest: str
    current_digest: str | None
    new_repository: bool
    blobs: tuple[PlannedBlob, ...]
    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether the tag moves from another digest, which has to be confirmed."""
        return self.current_digest not in (None, self.digest)

    def bytes(self, way: Way) -> int:
        """How many bytes go this way."""
        return sum(blob.size for blob in self.blobs if blob.way == way)


@dataclass(frozen=True)
class PushResult:
    """The result of each blob, the digest, and the tag as read back."""

    blobs: tuple[BlobResult, ...]
    digest: str
    tag: Tag

    @property
    def sent_bytes(self) -> int:
        """Bytes of blobs that went over the wire, those sent again after a failure included."""
        return sum(blob.sent for blob in self.blobs)


def plan_push(
    content: Content,
    repository: str,
    tag: str,
    found: Repository | None,
    current: Tag | None,
    there: Iterable[bool],
    elsewhere: Mapping[str, str],
) -> PushPlan:
    """What pushing `content` would do, from the repository and the tag as found and whether each blob is there. Pure.

    `elsewhere` maps a blob's digest to a repository of this registry that is known to have it.
    """
    at, blockers = current.digest if current else None, _blockers(found, current, content.digest)
    if blockers:
        return PushPlan(repository, tag, content.digest, at, False, (), blockers)
    blobs = (
        _plan_blob(blob, here, elsewhere.get(blob.digest, "")) for blob, here in zip(content.blobs, there, strict=True)
    )
    return PushPlan(repository, tag, content.digest, at, found is None, tuple(blobs))


def read_push_plan(
    client: RegistryClient,
    content: Content,
    repository: str,
    tag: str,
    *,
    elsewhere: Mapping[str, str] | None = None,
) -> PushPlan:
    """Reads what `plan_push` needs: a request for the repository, the tag and each blob.

    `elsewhere` maps a blob's digest to a repository of this registry that is known to have it: it is mounted from
    there. Raises ServiceError: InvalidRepository, InvalidTag, and what reading raises.
    """
    title = f"Could not plan the push of {repository}:{tag}"
    require_repository(title, repository)
    require_tag(title, tag)
    found = find_repository(client, repository)
    current = find_tag(client, repository, tag) if found else None
    there: tuple[bool, ...] = (False,) * len(content.blobs)
    if found and not _blockers(found, current, content.digest):
        read = parallel_map(lambda blob: has_blob(client, repository, blob), content.blobs, server=client.login_server)
        if read.refused:
            raise read.refused[0].error
        there = read.values
    return plan_push(content, repository, tag, found, current, there, elsewhere or {})


def _plan_blob(blob: Blob, here: bool, source: str) -> PlannedBlob:
    if here:
        return PlannedBlob(blob.digest, blob.size, "there")
    return PlannedBlob(blob.digest, blob.size, "mount" if source else "send", source)


def _blockers(repository: Repository | None, current: Tag | None, digest: str) -> tuple[str, ...]:
    """As `tagging.plan_tag`: only locks against writing keep a tag from moving. What is read-locked can't be read
    back."""
    if current and current.digest != digest and not current.locks.write:
        return (f"The tag {current.name} is locked against writing: unlock it first.",)
    if repository and not repository.locks.write:
        return (f"The repository {repository.name} is locked against writing: unlock it first.",)
    if repository and not repository.locks.read:
        return (f"The repository {repository.name} is locked against reading: what it has is unknown.",)
    return ()


def _ignore_progress(_done: int, _of: int, _what: str) -> None:
    """Progress that is not shown."""


def _ignore_result(_name: str, _outcome: str) -> None:
    """Results that are looked at in the end."""


def apply_push(
    client: RegistryClient,
    content: Content,
    plan: PushPlan,
    *,
    progress: Progress = _ignore_progress,
    on_result: OnResult = _ignore_result,
    stop: Event | None = None,
) -> PushResult:
    """Sends what is missing: blobs, then manifests by digest, children first, then the tag, which is read back.

    `on_result` is called in threads of this function's own as each is in the registry, for the tag in the caller's.
    `progress(done, of, what)` is called in threads of this function's own, `done` and `of` in bytes; what was there or
    mounted counts as done. Four chunks are in memory at most. Raises ServiceError: Refused (by the plan),
    ChangedMeanwhile, Stopped, DigestChanged, NotConfirmed (tagged, but not read back), and what writing raises. Only
    with NotConfirmed may the tag have been put. What was sent stays, and a second push does not send it again.
    """
    title = f"Could not push {plan.repository}:{plan.tag}"
    require_repository(title, plan.repository)
    require_tag(title, plan.tag)
    if plan.blockers or plan.digest != content.digest:
        raise refused(title, " ".join(plan.blockers) or "It was planned for another image.")
    stop = stop or Event()
    blobs = _send_blobs(client, content, plan, progress, on_result, stop)
    of = content.blob_bytes
    for manifest in content.manifests:
        if stop.is_set():
            raise stopped(title)
        progress(of, of, "manifests")
        on_result(manifest.digest, _put_manifest(client, plan, manifest))
    if stop.is_set():
        raise stopped(title)
    progress(of, of, "the tag")
    tag, outcome = _put_tag(client, plan)
    on_result(plan.tag, outcome)
    return PushResult(blobs, plan.digest, tag)


def _put_tag(client: RegistryClient, plan: PushPlan) -> tuple[Tag, Outcome]:
    if plan.current_digest == plan.digest:
        tag = find_tag(client, plan.repository, plan.tag)
        if tag is None or tag.digest != plan.digest:
            now = f"points to {tag.digest}" if tag else "is gone"
            raise changed(f"Could not push {plan.repository}:{plan.tag}", f"The tag {plan.tag} {now} now.")
        return tag, Outcome.ALREADY_DONE
    try:
        tag = apply_tag(client, TagPlan(plan.repository, plan.digest, plan.tag, plan.current_digest))
    except ServiceError as error:
        if error.code == "NotConfirmed":
            raise
        cause = f"The image is in {plan.repository} by its digest. {error.cause}"
        raise replace(error, title=f"Pushed {plan.digest}, but did not tag it {plan.tag}", cause=cause) from error
    return tag, Outcome.CHANGED if plan.current_digest else Outcome.CREATED


def _send_blobs(
    client: RegistryClient, content: Content, plan: PushPlan, progress: Progress, on_result: OnResult, stop: Event
) -> tuple[BlobResult, ...]:
    sources = {blob.digest: blob.source for blob in plan.blobs}
    done: dict[str, int] = {}
    failed = Event()
    failures: list[BaseException] = []
    lock = Lock()

    def send(blob: Blob) -> BlobResult:
        def sent(count: int) -> None:
            with lock:
                done[blob.digest] = count
                progress(sum(done.values()), content.blob_bytes, "layers")

        try:
            result = send_blob(
                client,
                plan.repository,
                blob,
                mount_from=sources.get(blob.digest, ""),
                sent=sent,
                stop=stop,
                halted=failed.is_set,
            )
            on_result(blob.digest, _OUTCOMES[result.how])
            return result
        except BaseException as failure:
            with lock:
                failures.append(failure)
            failed.set()
            raise

    try:
        return tuple(all_or_none(send, content.blobs))
    except ServiceError:
        raise failures[0] from None  # Those after it stopped because of it.


def _put_manifest(client: RegistryClient, plan: PushPlan, manifest: RawManifest) -> Outcome:
    """A manifest by its digest, where it is not there: the registry refuses other bytes than those."""
    if not plan.new_repository and find_manifest_row(client, plan.repository, manifest.digest):
        return Outcome.ALREADY_DONE
    path = path_of("/v2/{repository}/manifests/{digest}", repository=plan.repository, digest=manifest.digest)
    with as_service_error(f"Could not push the manifest {manifest.digest} to {plan.repository}"):
        client.send("PUT", path, content=manifest.raw, headers={"Content-Type": manifest.media_type})
    return Outcome.CREATED
