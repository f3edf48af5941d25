"""Clusters asked which images run in them as a job, which another process continues."""

from collections import Counter
from collections.abc import Callable, Sequence

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.parallel import Progress, counter, parallel_map
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import goes_on, outcome_of
from services.running.asking import ask_cluster
from services.running.images import ClusterImages
from services.wording import counted

AskedClusters = tuple[Cluster, ...]
# The outcome of an item whose cluster answered.
ANSWERED = "answered"
# Begins why an answer could not be written to the database.
UNSAVED = "In the memory of this process alone"
# Keeps an answer, and returns why it is in memory alone.
KeepAnswer = Callable[[ClusterImages], ServiceError | None]


def ask_items(clusters: Sequence[Cluster]) -> tuple[JobItem, ...]:
    """An item for each cluster, by its name; by its id where two have the same name."""
    return tuple(JobItem(name, "") for name in _names(clusters))


def _names(clusters: Sequence[Cluster]) -> list[str]:
    times = Counter(one.name for one in clusters)
    return [one.name if times[one.name] == 1 else one.id for one in clusters]


def run_asking(session: AzureSession, job: Job, running: RunningJob, report: Progress, keep: KeepAnswer) -> Answer:
    """Asks the clusters of the job that have no result, and keeps what each answers before its result is recorded.

    One that could not be asked is recorded for itself alone. Raises ServiceError where the job goes on elsewhere.
    """
    clusters = plan_of(AskedClusters, job)
    open_names = {item.name for item in job.open}
    left = [(name, one) for name, one in zip(_names(clusters), clusters, strict=True) if name in open_names]
    report(0, len(left), "clusters")
    count = counter(report, "clusters", len(left))

    def add(index: int, answer: ClusterImages | ServiceError) -> None:
        name = left[index][0]
        if isinstance(answer, ServiceError):
            raise answer
        if answer.error and goes_on(answer.error):
            raise answer.error
        unsaved = keep(answer)
        if answer.error:
            running.add_result(name, outcome_of(answer.error), str(answer.error))
        else:
            more = f" {UNSAVED}: {unsaved.cause}" if unsaved else ""
            running.add_result(name, ANSWERED, f"{counted(len(answer.images), 'image')}.{more}")
        count(index, answer)

    parallel_map(lambda one: ask_cluster(session, one[1]), left, name=lambda one: one[0], done=add, stop=running.stop)
    return Answer("")
