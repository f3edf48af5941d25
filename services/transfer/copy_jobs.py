"""Copies as jobs of the database: what plans are written down as, and the run, also where another process left it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from services.connection.changes import Outcome
from services.connection.errors import SIGN_IN_NEEDED, ServiceError
from services.connection.parallel import Partial, Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer, listed_commands
from services.jobs.jobs import Job, JobItem, JobResult
from services.jobs.running import RunningJob
from services.registries.reading import get_registry
from services.registries.registry import Registry
from services.transfer.copy_plan import CopyItem, CopyPlan, Source, read_copy_plan
from services.transfer.copy_referrers import ReferrerItem, find_referrer
from services.transfer.copy_run import (
    CopyResult,
    ReferrerResult,
    apply_copy,
    find_digest,
    may_be_copying,
    read_back,
    wait_for_operation,
)

ACTION = "Copy images"
CONTINUES_AT_AZURE = "No longer waited for: Azure continues the copy"
# How long an import whose answer was lost is looked for at its target before Azure is asked for it again.
LOST_ANSWER_S = 60.0
_LOOK_EVERY_S = 2.0
# What an error says of the database, of this process or of the person, not of an image.
_OF_THE_JOB = ("NoDatabase", "TakenOver", SIGN_IN_NEEDED)


@dataclass(frozen=True)
class RecordedCopy:
    """One image of a job, as it was planned: `digest` is '' where the source's was not known.

    `registry` is the resource id of a source in the inventory. `password`: it was read with one, which is not recorded.
    `referrers` are the names of those that were to be imported.
    """

    source: Source
    registry: str
    password: bool
    digest: str
    items: tuple[CopyItem, ...]
    referrers: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all its items."""
        return (*(item.name for item in self.items), *self.referrers)

    def left(self, done: Collection[str]) -> "RecordedCopy":
        """The same, of what has no result: `done` are the names of what has."""
        return replace(
            self,
            items=tuple(item for item in self.items if item.name not in done),
            referrers=tuple(name for name in self.referrers if name not in done),
        )


def as_items(plans: Iterable[CopyPlan]) -> tuple[JobItem, ...]:
    """The tags and repositories that are copied to, then the referrers; one that images share is named once."""
    found: dict[str, JobItem] = {}
    plans = tuple(plans)
    for plan in plans:
        for item in plan.items:
            found.setdefault(item.name, JobItem(item.name, plan.digest))
    for plan in plans:
        for referrer in plan.referrers_todo:
            found.setdefault(referrer.name, JobItem(referrer.name, referrer.referrer.digest))
    return tuple(found.values())


def as_details(plans: Sequence[CopyPlan]) -> Mapping[str, Any]:
    """What the plans, all with one target, need besides their items to be made again. No password is in it."""
    return {
        "target": plans[0].target.id,
        "commands": listed_commands(command for plan in plans for command in plan.commands),
        "copies": [
            {
                "source": [plan.source.server, plan.source.repository, plan.source.reference, plan.source.user],
                "registry": plan.source.registry.id if plan.source.registry else "",
                "password": bool(plan.source.password),
                "digest": plan.digest,
                "items": [[item.repository, item.tag, item.current_digest, item.known] for item in plan.items],
                "referrers": [item.name for item in plan.referrers_todo],
            }
            for plan in plans
        ],
    }


def copies_of(job: Job) -> tuple[RecordedCopy, ...]:
    """The images of a job, as they were planned."""
    found = []
    for copy in job.details["copies"]:
        server, repository, reference, user = copy["source"]
        found.append(
            RecordedCopy(
                Source(server, repository, reference, user=user),
                copy["registry"],
                copy["password"],
                copy["digest"],
                tuple(CopyItem(name, tag, at, known) for name, tag, at, known in copy["items"]),
                tuple(copy["referrers"]),
            )
        )
    return tuple(found)


def run_copies(
    session: AzureSession, job: Job, running: RunningJob, progress: Progress, *, plans: Sequence[CopyPlan] = ()
) -> Answer:
    """Copies what has no result in `job`, one image after the other, and records each result as it comes.

    `plans`: as they were confirmed, in the process that began it. Without them another process began it: source and
    target are read again, and what is not as it was planned is refused; an import that was under way is waited for or
    compared, never sent again blindly. An image that fails is refused by itself. Raises ServiceError: NoDatabase,
    TakenOver, and what reading the target's registry raises.
    """
    target = plans[0].target if plans else get_registry(session, job.details["target"])
    done = set(job.results)
    copies = copies_of(job)
    for number, copy in enumerate(copies):
        if running.stop.is_set():
            break

        def report(state: str, number: int = number) -> None:
            if len(copies) > 1:
                progress(number, len(copies), "images")
            else:
                progress(0, 0, state)

        one = _OneCopy(session, target, copy, running, done, report)
        try:
            if plans:
                one.apply(plans[number])
            else:
                one.go_on(job.details.get("notes", {}))
        except ServiceError as error:
            if error.code in _OF_THE_JOB:
                raise
            one.refuse(error)
        done |= one.done
    return Answer("")


class _OneCopy:
    """One image: `done` are the names with a result, in this job so far."""

    def __init__(
        self,
        session: AzureSession,
        target: Registry,
        copy: RecordedCopy,
        running: RunningJob,
        done: Iterable[str],
        report: Callable[[str], None],
    ) -> None:
        self.done = set(done)
        self._session, self._target, self._copy, self._running = session, target, copy, running
        self._report = report
        self._client = session.registry(target.login_server)
        self._name = f"{copy.source.name} to {target.name}"

    @property
    def _left(self) -> RecordedCopy:
        return self._copy.left(self.done)

    @property
    def _open(self) -> tuple[CopyItem, ...]:
        return self._left.items

    def refuse(self, error: ServiceError) -> None:
        """Records the error for all that has no result."""
        outcome = Outcome.NOT_CONFIRMED if may_be_copying(error) else Outcome.REFUSED
        self._record((name, outcome, _with_remedy(error)) for name in self._left.names)

    def apply(self, plan: CopyPlan) -> None:
        """Copies as planned. Raises ServiceError."""
        left = self._left
        plan = replace(
            plan,
            items=tuple(item for item in plan.items if item.name not in self.done),
            referrers=tuple(item for item in plan.referrers if item.name in left.referrers),
        )
        copied = apply_copy(
            self._session,
            plan,
            force=bool(plan.moves),
            progress=lambda state, seconds: self._report(f"{self._name}: {state}, {seconds:.0f} s"),
            stop=self._running.stop,
            note=self._running.note,
            on_copied=self._record_copied,
            on_referrer=self._record_referrer,
        )
        if not copied.finished:
            self._leave()

    def go_on(self, notes: Mapping[str, str]) -> None:
        """Copies what has no result, after another process. Raises ServiceError."""
        if not self._left.names:
            return
        noted = next((item.name for item in self._open if item.name in notes), None)
        if noted is not None and not self._await_import(notes[noted]):
            self._leave()
            return
        if self._copy.password and self._open:
            raise ServiceError(
                f"Could not continue the copy of {self._copy.source.name}",
                "The source wants a password, which is not recorded, and the process that had it ended.",
                "Copy it again.",
                "NoPassword",
            )
        plan = self._plan_again()
        if self._await_referrers(plan, notes):
            self.apply(plan)

    def _await_import(self, url: str) -> bool:
        """Waits for the import that another process asked for; False where that was stopped. Raises ServiceError.

        `url` is '' where its answer was lost.
        """
        if url:
            finished = self._await_operation(url)
            if finished is not None:
                if finished:
                    self._record_copied(read_back(self._client, self._open, self._copy.digest))
                return finished
        if not self._look_for(lambda: not any(map(self._is_unmoved, self._open))):
            return False
        for item in self._open:
            if not item.known or not (self._copy.digest or self._is_unmoved(item)):
                cause = "Azure was asked for it, and whether it is the image can't be compared"
                self._record([(item.name, Outcome.NOT_CONFIRMED, cause)])
        return True

    def _await_operation(self, url: str) -> bool | None:
        """Whether Azure says that it is done, False where the wait was stopped, None where Azure no longer knows it.

        Raises ServiceError where it failed.
        """
        try:
            return wait_for_operation(self._session, f"Could not copy {self._name}", url, self._running.stop)
        except ServiceError as error:
            if error.status == 404:
                return None
            raise

    def _look_for(self, is_there: Callable[[], bool]) -> bool:
        """Looks at the target until what may be on its way is there, for `LOST_ANSWER_S`; False where stopped."""
        until = monotonic() + LOST_ANSWER_S
        while not is_there() and monotonic() < until:
            self._report(f"{self._name}: looking for a copy that may be under way")
            if self._running.stop.wait(_LOOK_EVERY_S):
                return False
        return True

    def _is_unmoved(self, item: CopyItem) -> bool:
        """Whether an item of a target that can be read is where it was planned. Raises ServiceError."""
        at = find_digest(self._client, item, self._copy.digest) if item.known else ""
        return item.known and at == (item.current_digest or "")

    def _plan_again(self) -> CopyPlan:
        """The plan for what has no result. Raises ServiceError where a tag is neither as it was planned nor done."""
        copy = self._copy
        registry = get_registry(self._session, copy.registry) if copy.registry else None
        source = replace(copy.source, reference=copy.digest or copy.source.reference, registry=registry)
        tags = [(item.repository, item.tag) for item in copy.items if item.tag]
        untagged = [item.repository for item in copy.items if not item.tag]
        plan = read_copy_plan(self._session, source, self._target, tags, untagged)
        here = {item.name: item for item in plan.items}
        self._record(
            (item.name, Outcome.ALREADY_DONE, "")
            for item in self._open
            # Not the plan's `there`, which knows no manifests without a tag, nor a source that can't be read now.
            if here[item.name].known and copy.digest and find_digest(self._client, item, copy.digest) == copy.digest
        )
        for item in self._open:
            now = here[item.name]
            if item.known and now.known and item.current_digest != now.current_digest:
                raise _moved(self._name, item, now)
        # What blocks a tag that has its result blocks nothing.
        left = tuple(here[item.name] for item in self._open)
        return replace(plan, items=left, blockers=plan.blockers if left else ())

    def _await_referrers(self, plan: CopyPlan, notes: Mapping[str, str]) -> bool:
        """Records what became of the referrers that need no import; False where a wait for one was stopped."""
        planned = {item.name: item for item in plan.referrers}
        for name in self._left.referrers:
            item = planned.get(name)
            if item is None:
                self._record([(name, Outcome.REFUSED, "The source does not list it now")])
            elif item.left:
                self._record([(name, Outcome.REFUSED, item.left)])
            elif item.there:
                self._record([(name, Outcome.ALREADY_DONE, "")])
            elif name in notes and not self._await_referrer(item, notes[name]):
                return False
        return True

    def _await_referrer(self, item: ReferrerItem, url: str) -> bool:
        """Waits for a referrer's import that another process asked for; False where that was stopped."""

        def is_there() -> bool:
            return find_referrer(self._client, item.repository, item.referrer) == item.referrer.digest

        finished = self._await_operation(url) if url else None
        if finished is None:
            finished = self._look_for(is_there)
        if finished and is_there():
            self._record([(item.name, Outcome.ALREADY_DONE, "")])
        return finished

    def _record_copied(self, results: Partial[CopyResult]) -> None:
        found = [(one.item.name, one.outcome, _compared(one)) for one in results.values]
        self._record([*found, *((one.what, Outcome.REFUSED, _with_remedy(one.error)) for one in results.refused)])

    def _record_referrer(self, item: ReferrerItem, result: ReferrerResult | ServiceError) -> None:
        if isinstance(result, ServiceError):
            self._record([(item.name, Outcome.REFUSED, _with_remedy(result))])
        elif result.outcome is not Outcome.NOT_CONFIRMED or not self._running.given_up:
            self._record([(item.name, result.outcome, "")])

    def _leave(self) -> None:
        """After a stop: Azure continues what it has begun. Where another process will go on, nothing is recorded."""
        if not self._running.given_up:
            self._record((item.name, Outcome.NOT_CONFIRMED, CONTINUES_AT_AZURE) for item in self._open)

    def _record(self, results: Iterable[tuple[str, Outcome, str]]) -> None:
        found = [(name, JobResult(str(outcome), cause)) for name, outcome, cause in results]
        if found:
            self._running.add_results(found)
            self.done |= {name for name, _ in found}


def _with_remedy(error: ServiceError) -> str:
    return f"{error}. {error.remedy}"


def _compared(result: CopyResult) -> str:
    return "" if result.compared else "Not compared: the digest of the source is not known"


def _moved(name: str, before: CopyItem, now: CopyItem) -> ServiceError:
    then = f"pointed to {before.current_digest}" if before.current_digest else "was not there"
    at = f"points to {now.current_digest}" if now.current_digest else "is gone"
    return ServiceError(
        f"Could not copy {name}",
        f"The tag {now.name} {then} when it was planned, and now {at}.",
        "Plan it again.",
        "ChangedMeanwhile",
    )
