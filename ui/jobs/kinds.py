"""What a kind of job is: how it is run, and what it makes stale."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job
from services.jobs.running import RunningJob

# Runs what has no result in the job yet; a job whose `attempt` is above 1 another process began. Returns early where
# the running job's `stop` is set. Reports progress: how many of how many, and what; 0 of 0 for a state.
RunJob = Callable[[AzureSession, Job, RunningJob, Progress], Answer]


@dataclass(frozen=True)
class JobKind:
    """One kind of changes, by its `action` as the database and Activity have it. `verb` precedes what `run` reports,
    and `amount` words how much of it is done.

    `forget` drops what it makes stale from the caches of whoever began it: also where it fails, it may have been made.
    """

    action: str
    verb: str
    run: RunJob
    forget: Callable[[Job], None]
    amount: Callable[[int], str] = "{:,}".format


JobKinds = Mapping[str, JobKind]


def by_action(*kinds: JobKind) -> JobKinds:
    """The kinds by their actions."""
    return {kind.action: kind for kind in kinds}
