"""A promotion as a job: the copy of one image with its referrers, then the locks of its new tags, and what was checked
before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from services.commands import images as az_images
from services.connection.changes import Outcome
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.images.locks import set_tag_locks
from services.images.repositories import get_tag
from services.jobs.changes import Answer, listed_commands
from services.jobs.jobs import Job, JobItem
from services.jobs.running import RunningJob
from services.promotion.checks import Check, Verdict
from services.transfer.copy_jobs import as_details, as_items, run_copies
from services.transfer.copy_plan import CopyPlan

ACTION = "Promote image"
_LOCK = "Lock of "


@dataclass(frozen=True)
class Promotion:
    """What a promotion's job keeps besides its copy: the image as it was planned, and the checks.

    `size` in bytes, None where unknown. `referrers` have the name in the target and the type of each. `unchecked` are
    the checks that nobody asked for.
    """

    source: str
    digest: str
    size: int | None
    manifests: int
    platforms: tuple[str, ...]
    referrers: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]
    unchecked: tuple[str, ...]


def promotion_items(plan: CopyPlan, *, lock: bool) -> tuple[JobItem, ...]:
    """What a promotion does: the items of its copy, then with `lock` the lock of each tag."""
    locks = [JobItem(f"{_LOCK}{item.name}", plan.digest) for item in plan.items if item.tag and lock]
    return (*as_items([plan]), *locks)


def promotion_details(
    plan: CopyPlan, checks: Iterable[Check], unchecked: Iterable[str], *, lock: bool
) -> Mapping[str, Any]:
    """The details of its job: those of the copy, with what was checked."""
    content = plan.content
    promotion = Promotion(
        plan.source.name,
        plan.digest,
        content.size if content else None,
        len(content.manifests) if content else 0,
        tuple(dict.fromkeys(content.top.platforms)) if content else (),
        tuple((item.name, item.referrer.artifact_type) for item in plan.referrers if not item.left),
        tuple(checks),
        tuple(unchecked),
    )
    commands = listed_commands([*plan.commands, *(lock_commands(plan) if lock else ())])
    return {**as_details([plan]), "commands": commands, "promotion": asdict(promotion)}


def lock_commands(plan: CopyPlan) -> tuple[str, ...]:
    """The lines that lock the new tags."""
    return tuple(
        az_images.lock(plan.target.name, item.repository, item.tag, delete=False, write=False)
        for item in plan.items
        if item.tag
    )


def promotion_of(job: Job) -> Promotion | None:
    """What was planned and checked; None of a job that is no promotion, or of another version of the console."""
    found = job.details.get("promotion")
    try:
        return (
            Promotion(
                str(found["source"]),
                str(found["digest"]),
                found["size"],
                int(found["manifests"]),
                tuple(found["platforms"]),
                tuple((str(name), str(kind)) for name, kind in found["referrers"]),
                tuple(Check(one["name"], Verdict(one["verdict"]), one["why"]) for one in found["checks"]),
                tuple(found["unchecked"]),
            )
            if found
            else None
        )
    except (KeyError, TypeError, ValueError):
        return None


def run_promotion(
    session: AzureSession, job: Job, running: RunningJob, progress: Progress, *, plans: Sequence[CopyPlan] = ()
) -> Answer:
    """Copies what has no result, as `run_copies` does, then locks the tags that are at the promoted digest.

    Raises ServiceError as `run_copies`. A tag that could not be copied, or has moved since, is not locked.
    """
    answer = run_copies(session, job, running, progress, plans=plans)
    client = session.registry(job.login_server)
    results = running.read().results
    for item in job.items:
        name = item.name.removeprefix(_LOCK)
        if name == item.name or item.name in results or running.stop.is_set():
            continue
        copied = results.get(name)
        if copied is None or not _is_done(copied.outcome):
            running.add_result(item.name, Outcome.REFUSED, "Its tag was not copied")
            continue
        try:
            running.add_result(item.name, _lock(client, name, item.digest))
        except ServiceError as error:
            if error.code in ("NoDatabase", "TakenOver"):
                raise
            outcome = Outcome.NOT_CONFIRMED if error.code == "NotConfirmed" else Outcome.REFUSED
            running.add_result(item.name, outcome, f"{error.cause} {error.remedy}")
    return answer


def _is_done(outcome: str) -> bool:
    return any(one.is_done and one.value == outcome for one in Outcome)


def _lock(client: RegistryClient, name: str, digest: str) -> Outcome:
    repository, _, tag = name.rpartition(":")
    found = get_tag(client, repository, tag)
    if found.digest != digest:
        raise ServiceError(
            f"Could not lock {name}",
            f"It points to {found.digest} now, not to what was promoted.",
            "Somebody else moved it: look at the tag.",
            "ChangedMeanwhile",
        )
    wanted = replace(found.locks, delete=False, write=False)
    if found.locks == wanted:
        return Outcome.ALREADY_DONE
    set_tag_locks(client, repository, tag, wanted)
    return Outcome.CHANGED
