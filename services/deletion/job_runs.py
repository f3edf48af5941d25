"""Runs the deletion of a job, from its beginning or from where another process left it."""

from collections.abc import Callable

from services.connection.changes import Outcome
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.deletion.job_records import deletion_plan_of, repository_plan_of, untag_plan_of
from services.deletion.last_pulls import PulledNow
from services.deletion.plan import DeletionItem
from services.deletion.records import WITH_SUBJECT
from services.deletion.repository import RepositoryDeleted, apply_repository_deletion, as_az_prints
from services.deletion.run import DeletionResult, RunningNow, apply_deletion
from services.images.manifests import Manifest
from services.images.tagging import UntagItem, UntagResult, apply_untag
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobResult
from services.jobs.running import RunningJob

OnItem = Callable[[object], None]


def run_deletion(
    client: RegistryClient,
    job: Job,
    running: RunningJob,
    known: dict[str, Manifest],
    on_item: OnItem,
    running_now: RunningNow | None = None,
    pulled_now: PulledNow | None = None,
) -> Answer:
    """Deletes what has no result in `job`, and records each result; returns the registry's answer.

    Before anything is deleted, the registry is read and planned again: what is not as the job says is refused.
    `running_now` and `pulled_now` as in `apply_deletion`. `on_item` is called with each result. Raises ServiceError.
    """
    if job.action == "remove tags":

        def on_tag(item: UntagItem, result: UntagResult | ServiceError) -> None:
            on_item(result)
            if isinstance(result, ServiceError):
                running.add_result(item.tag, Outcome.REFUSED, str(result))
            else:
                running.add_result(item.tag, result.outcome)

        apply_untag(client, untag_plan_of(job), on_result=on_tag, stop=running.stop)
    elif job.action == "delete manifests":

        def on_manifest(item: DeletionItem, result: DeletionResult | ServiceError) -> None:
            on_item(result)
            if isinstance(result, ServiceError):
                running.add_result(item.digest, Outcome.REFUSED, str(result))
            else:
                running.add_result(item.digest, WITH_SUBJECT if result.with_subject else result.outcome)

        plan = deletion_plan_of(job)
        apply_deletion(
            client,
            plan,
            known,
            running_now=running_now,
            pulled_now=pulled_now,
            on_result=on_manifest,
            stop=running.stop,
        )
    elif job.open and not running.stop.is_set():
        return Answer(_delete_repository(client, job, running))
    return Answer(job.answer)


def _delete_repository(client: RegistryClient, job: Job, running: RunningJob) -> str:
    plan = repository_plan_of(job)
    try:
        deleted = apply_repository_deletion(client, plan)
    except ServiceError as error:
        # Another process may have sent the request, and ended before the answer.
        if job.attempt == 1 or error.code != "NAME_UNKNOWN":
            raise
        deleted = RepositoryDeleted((), (), Outcome.ALREADY_DONE)
    running.add_results((digest, JobResult(str(deleted.outcome_of(digest)))) for digest in plan.digests)
    return as_az_prints(deleted) if deleted.outcome is Outcome.DELETED else ""
