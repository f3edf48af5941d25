"""What a run of a schedule would delete of a registry: all of it read now, and decided as a simulation does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event

from services.connection.data_plane import require_same_time
from services.connection.errors import ServiceError
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.database.contents import ContentStore
from services.deletion.several import SeveralPlan
from services.images.manifests import Manifest
from services.images.repositories import repository_names
from services.images.repository_contents import read_contents
from services.policies.decisions import LastPulls
from services.policies.policy import Policy, matches
from services.policies.pulls import last_pulls, waits_for_pulls
from services.policies.simulation import Simulation, above_ceiling, plan_run, simulate
from services.pulls.pulls import RegistryPulls, read_pulls
from services.registries.reading import get_registry
from services.registries.registry import Registry
from services.running.answers import AnswerStore
from services.running.known import ask_and_keep, read_known
from services.schedules.runs import Figures, ProposedManifest, ProposedPart
from services.wording import counted

NOT_OF_POLICY = "The policy is not for this registry any more."


@dataclass(frozen=True)
class PlannedRun:
    """A registry as a run found it, and the plan of its deletions."""

    registry: Registry
    figures: Figures
    parts: tuple[ProposedPart, ...]
    plan: SeveralPlan


def plan_scheduled_run(
    session: AzureSession,
    who: str,
    policy: Policy,
    registry_id: str,
    *,
    answers: AnswerStore,
    asks_clusters: bool,
    clock: Callable[[], datetime],
    known: dict[str, Manifest],
    store: ContentStore | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> PlannedRun:
    """Reads a registry completely as `who`, whose session that is, and decides what the policy deletes.

    `answers`: what clusters answered; with `asks_clusters` those that may pull are asked first, also by a secret that
    nobody sees. `clock`: the time by which ages are counted; where the registry's is another, it fails (ClocksApart).
    What could run in one that did not answer is in the plan, and the figures say that it is not known. Raises
    ServiceError where the registry or its list of repositories can't be read, or none of its repositories; Stopped
    where `stop` was set before all was read.
    """
    registry = get_registry(session, registry_id)
    title = f"Could not plan the clean-up of {registry.name}"
    if not matches(registry.name, policy.registries):
        remedy = "Take it out of the schedule, or add it to the policy's registries."
        raise ServiceError(title, NOT_OF_POLICY, remedy, "NotOfPolicy")
    if not registry.login_server:
        raise ServiceError(title, "It has no login server yet.", "Wait until it is created.", "NoLoginServer")
    client = session.registry(registry.login_server)
    names = [name for page in repository_names(client) for name in page]
    read = read_contents(client, names, known, store=store, progress=progress, stop=stop)
    if read.refused and not read.values:
        # Without its words: they may name a repository, and more people see the run than may list it.
        first = read.refused[0].error
        none = f"None of its {counted(len(names), 'repository', 'repositories')} could be read."
        raise ServiceError(title, none, first.remedy, first.code, first.status, first.request_id)
    now = clock()
    running = read_known(session, answers, who, registry, now, by_secret=True)
    if asks_clusters and not (stop and stop.is_set()):
        ask_and_keep(session, answers, who, running.may_pull)
        now = clock()
        running = read_known(session, answers, who, registry, now, by_secret=True)
    if stop and stop.is_set():
        raise ServiceError(title, "It was stopped before all was read.", "It goes on by itself.", "Stopped")
    require_same_time(client, title, now)
    # Where no rule asks for them, nothing is read of the logs.
    pulls = read_pulls(session, registry) if waits_for_pulls(policy) else RegistryPulls()
    found = simulate(
        policy,
        read,
        now,
        registry=registry.name,
        # What would be deleted is proposed with what is not known: a run goes by itself only where all is.
        running=lambda contents: replace(running.of(contents), accept_unasked=True),
        pulls=last_pulls(pulls, read.values),
        unknown_pulls=LastPulls(why=pulls.why),
    )
    unasked = tuple(one.label for one in running.unasked)
    figures = replace(
        _figures(found, policy, unasked), created=registry.created.isoformat() if registry.created else ""
    )
    return PlannedRun(registry, figures, _parts(found), plan_run(found.repositories))


def _figures(found: Simulation, policy: Policy, unasked: tuple[str, ...]) -> Figures:
    deleted = [one for one in found.repositories if one.plan.unblocked]
    return Figures(
        len(deleted),
        found.deleted,
        sum(len(one.plan.tags) for one in deleted),
        found.freed,
        found.total,
        found.exact,
        found.by_reason,
        tuple(_unread(found)),
        unasked if deleted else (),
        above_ceiling(found, policy.ceiling, names=False),
    )


def _unread(found: Simulation) -> Iterator[str]:
    if found.unread:
        yield f"{counted(found.unread, 'repository', 'repositories')} could not be read: nothing of that is deleted."
    if found.incomplete:
        of = counted(len(found.incomplete), "repository", "repositories")
        yield f"Not every manifest of {of} could be read: nothing of that is deleted."


def _parts(found: Simulation) -> tuple[ProposedPart, ...]:
    return tuple(
        ProposedPart(
            one.name,
            found.freed_alone.get(one.name, 0),
            tuple(ProposedManifest(item.digest, item.tags) for item in one.plan.unblocked),
        )
        for one in found.repositories
        if one.plan.unblocked
    )
