"""Registries indexed as a job, which another process continues: what it has written has not changed, and is not read
again."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace

from services.connection.errors import ServiceError
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.database.contents import ContentStore
from services.index.configs import CONFIGS_A_RUN, read_configs
from services.index.pace import Pace
from services.index.reading import RegistryIndexed, index_registry
from services.index.scope import INDEXED, NOT_INDEXED, PARTLY
from services.index.store import IndexStore, IndexTarget
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import goes_on, outcome_of
from services.registries.registry import Registry

# Registries at once: one that answers slowly does not hold up all others.
_AT_ONCE = 3


@dataclass(frozen=True)
class IndexPlan:
    """The registries to index. `everything`: also repositories that have not changed are read again.
    `configs`: of how many images of each the config is read, of those that were not read yet."""

    targets: tuple[IndexTarget, ...]
    reads_a_minute: int
    everything: bool = False
    configs: int = CONFIGS_A_RUN


def targets_of(registries: Iterable[Registry]) -> tuple[IndexTarget, ...]:
    """The registries that have a login server, as they are indexed."""
    return tuple(IndexTarget(one.id, one.name, one.login_server, one.created) for one in registries if one.login_server)


def index_items(targets: Sequence[IndexTarget]) -> tuple[JobItem, ...]:
    """An item for each registry, by its name; by its id where two have the same name."""
    return tuple(JobItem(name, "") for name in _names(targets))


def _names(targets: Sequence[IndexTarget]) -> list[str]:
    times = Counter(one.name for one in targets)
    return [one.name if times[one.name] == 1 else one.id for one in targets]


def run_indexing(
    session: AzureSession,
    job: Job,
    running: RunningJob,
    report: Progress,
    store: IndexStore,
    shared: ContentStore | None = None,
) -> Answer:
    """Indexes the registries of the job that have no result. One that could not be read is recorded for itself alone.

    Raises ServiceError where the job goes on elsewhere.
    """
    plan = plan_of(IndexPlan, job)
    open_names = {item.name for item in job.open}
    left = [(name, one) for name, one in zip(_names(plan.targets), plan.targets, strict=True) if name in open_names]
    done = 0
    progress: dict[str, int] = {}

    def tell() -> None:
        looked_at = sum(progress.values())
        report(done, len(left), f"registries, {looked_at:,} repositories")

    def index(name: str, one: IndexTarget) -> RegistryIndexed:
        def on_repository(looked_at: int) -> None:
            progress[name] = looked_at
            tell()

        take = Pace(plan.reads_a_minute, running.stop).take
        client = session.registry(one.login_server).paced(take)
        found = index_registry(
            store, client, one, shared=shared, everything=plan.everything, on_repository=on_repository,
            stop=running.stop,
        )  # fmt: skip
        if not found.complete or not plan.configs:
            return found
        number = store.add_registry(one)
        configs = read_configs(store, client, number, plan.configs, before_read=take, stop=running.stop)
        return replace(found, configs=configs, refused=(*found.refused, *configs.refused))

    tell()
    waiting = list(reversed(left))
    under_way: dict[Future[RegistryIndexed], str] = {}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="index registries") as pool:
        try:
            while waiting or under_way:
                while waiting and len(under_way) < _AT_ONCE and not running.stop.is_set():
                    name, one = waiting.pop()
                    under_way[pool.submit(copy_context().run, index, name, one)] = name
                if not under_way:
                    break
                ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in ended:
                    _record(running, under_way.pop(future), future)
                    done += 1
                    tell()
        except BaseException:
            running.stop.set()
            raise
    return Answer("", complete=not running.stop.is_set())


def _record(running: RunningJob, name: str, future: "Future[RegistryIndexed]") -> None:
    try:
        found = future.result()
    except ServiceError as error:
        if goes_on(error):
            raise
        running.add_result(name, outcome_of(error), str(error))
        return
    if running.stop.is_set() and not found.complete:
        return  # It goes on from here where the job does.
    whole = found.complete and not found.refused
    if not found.complete and not (found.changed or found.same):
        running.add_result(name, NOT_INDEXED, found.unread)
        return
    cause = found.sentence if whole else f"{found.sentence} Not read: {found.unread}"
    running.add_result(name, INDEXED if whole else PARTLY, cause)
