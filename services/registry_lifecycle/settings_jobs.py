"""Settings of a registry changed as a job, which another process continues."""

from collections.abc import Callable
from dataclasses import replace

from services.connection.changes import Outcome, changed
from services.connection.errors import ServiceError
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem, JobResult
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import goes_on, outcome_of, report_states
from services.registries.registry import Registry
from services.registries.settling import settled_registry
from services.registry_lifecycle.settings import Difference, differences, settings_of
from services.registry_lifecycle.settings_change import (
    SettingsPlan,
    SettingsResult,
    apply_settings,
    plan_settings,
    watched_fields,
)


def settings_items(plan: SettingsPlan) -> tuple[JobItem, ...]:
    """An item for each setting of a plan, in its order."""
    return tuple(JobItem(one.label, "") for one in plan.differences)


def run_settings(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    """Changes the settings as the job has planned, in one request. Where another process began it: once Azure has ended
    what that sent, those that are as planned are done, and those that are as they were are planned again.

    The answer says what else changed meanwhile. Raises ServiceError as `apply_settings`, recorded for each setting.
    """
    plan = plan_of(SettingsPlan, job)
    say = report_states(report, plan.registry.name)

    left = plan if job.attempt == 1 else _plan_again(session, plan, job, running, say)
    if left is None:
        return Answer("")
    try:
        result = apply_settings(session, left, say, running.stop)
    except ServiceError as error:
        if not goes_on(error):
            running.add_results((one.label, JobResult(outcome_of(error), str(error))) for one in left.differences)
        raise
    running.add_results(_results(result))
    return Answer("\n\n".join(_sentence(one) for one in result.unplanned), complete=not result.unplanned)


def _results(result: SettingsResult) -> list[tuple[str, JobResult]]:
    return [
        (one.label, JobResult(outcome, str(result.error) if result.error and outcome is Outcome.REFUSED else ""))
        for one, outcome in result.outcomes
        if outcome is not Outcome.NOT_TRIED
    ]


def _sentence(other: Difference) -> str:
    return f"{other.label} also changed meanwhile, from {other.before} to {other.after}. It was not in the plan."


def _plan_again(
    session: AzureSession, plan: SettingsPlan, job: Job, running: RunningJob, say: Callable[[str], None]
) -> SettingsPlan | None:
    """The plan of what is left of the job; None where nothing is, or it was stopped. Records the rest: ALREADY_DONE
    what is as planned, REFUSED what is neither that nor as it was."""
    now = settled_registry(session, plan.registry.id, say, running.stop)
    if now is None:
        return plan  # It is read again, and what Azure says then is the refusal.
    if now.unsettled and running.stop.is_set():
        return None
    current, before = settings_of(now), settings_of(plan.registry)
    labels = {item.name for item in job.open}
    fields = frozenset(one.field for one in plan.differences if one.label in labels)
    meanwhile = {one.field: one for one in differences(before, current)}
    left: dict[str, object] = {}
    for one in plan.differences:
        if one.field not in fields:
            continue
        others = (watched_fields(frozenset({one.field})) - plan.fields) & meanwhile.keys()
        if getattr(current, one.field) == getattr(plan.wanted, one.field):
            running.add_result(one.label, Outcome.ALREADY_DONE)
        elif one.field in meanwhile or others:
            causes = [meanwhile[field] for field in (one.field, *sorted(others)) if field in meanwhile]
            running.add_result(one.label, Outcome.REFUSED, str(_changed(plan.registry, causes)))
        else:
            left[one.field] = getattr(plan.wanted, one.field)
    if not left or running.stop.is_set():
        return None
    return plan_settings(now, replace(current, **left))  # type: ignore[arg-type]


def _changed(registry: Registry, meanwhile: list[Difference]) -> ServiceError:
    sentences = " ".join(f"{one.label}: {one.after} now, no longer {one.before}." for one in meanwhile)
    return changed(f"Could not change the settings of {registry.name}", sentences)
