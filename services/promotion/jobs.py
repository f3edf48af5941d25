"""A promotion as a job: the copies of its images with their referrers, then the locks of their new tags, and what was
checked before."""

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
class CheckedCopy:
    """An image to promote: the plan of its copy, and what was checked of it."""

    plan: CopyPlan
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Promotion:
    """What a promotion's job keeps of one image besides its copy: the image as it was planned, and the checks.

    `size` in bytes, None where unknown. `items` are the names of what is done of it. `referrers` have the name in the
    target and the type of each; `unread` says why there may be more, '' where all were read.
    """

    source: str
    digest: str
    size: int | None
    manifests: int
    platforms: tuple[str, ...]
    items: tuple[str, ...]
    referrers: tuple[tuple[str, str], ...]
    unread: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Promotions:
    """All that a job promotes. `unchecked` are the checks that nobody asked for; `left_out` the images that were chosen
    and are not promoted, with the reason of each."""

    images: tuple[Promotion, ...]
    unchecked: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def promotion_items(plans: Sequence[CopyPlan], *, lock: bool) -> tuple[JobItem, ...]:
    """What a promotion does: the items of its copies, then with `lock` the lock of each tag."""
    locks = [JobItem(f"{_LOCK}{item.name}", plan.digest) for plan in plans for item in plan.items if item.tag and lock]
    return (*as_items(plans), *locks)


def promotion_details(
    images: Sequence[CheckedCopy],
    unchecked: Iterable[str],
    *,
    lock: bool,
    left_out: Iterable[tuple[str, str]] = (),
) -> Mapping[str, Any]:
    """The details of its job: those of the copies, all to one target, with what was checked."""
    plans = [one.plan for one in images]
    commands = [line for plan in plans for line in (*plan.commands, *(lock_commands(plan) if lock else ()))]
    promotions = Promotions(tuple(_promotion(one, lock=lock) for one in images), tuple(unchecked), tuple(left_out))
    return {
        **as_details(plans),
        "commands": listed_commands(commands),
        "promotions": [asdict(one) for one in promotions.images],
        "unchecked": promotions.unchecked,
        "left_out": promotions.left_out,
    }


def _promotion(image: CheckedCopy, *, lock: bool) -> Promotion:
    plan, content = image.plan, image.plan.content
    return Promotion(
        plan.source.name,
        plan.digest,
        content.size if content else None,
        len(content.manifests) if content else 0,
        tuple(dict.fromkeys(content.top.platforms)) if content else (),
        tuple(item.name for item in promotion_items([plan], lock=lock)),
        tuple((item.name, item.referrer.artifact_type) for item in plan.referrers if not item.left),
        plan.unread_referrers,
        image.checks,
    )


def lock_commands(plan: CopyPlan) -> tuple[str, ...]:
    """The lines that lock the new tags."""
    return tuple(
        az_images.lock(plan.target.name, item.repository, item.tag, delete=False, write=False)
        for item in plan.items
        if item.tag
    )


def promotions_of(job: Job) -> Promotions | None:
    """What was planned and checked; None of a job that is no promotion, or of another version of the console."""
    try:
        return Promotions(
            tuple(map(_parsed, job.details["promotions"])),
            tuple(map(str, job.details["unchecked"])),
            tuple((str(name), str(why)) for name, why in job.details["left_out"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _parsed(found: Mapping[str, Any]) -> Promotion:
    return Promotion(
        str(found["source"]),
        str(found["digest"]),
        found["size"],
        int(found["manifests"]),
        tuple(found["platforms"]),
        tuple(found["items"]),
        tuple((str(name), str(kind)) for name, kind in found["referrers"]),
        str(found["unread"]),
        tuple(Check(one["name"], Verdict(one["verdict"]), one["why"]) for one in found["checks"]),
    )


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
