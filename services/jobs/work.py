"""The work of a job that another process may continue: each result recorded as it comes, and its end."""

from collections.abc import Callable

from services.connection.changes import Outcome, collect_sent, is_unknown
from services.connection.errors import SIGN_IN_NEEDED, ServiceError
from services.connection.parallel import Progress
from services.jobs.changes import Answer
from services.jobs.running import RunningJob

# After these the job has not ended: it goes on once there is a database, where it was taken over, or once its person
# has signed in again.
_GOES_ON = ("NoDatabase", "TakenOver", SIGN_IN_NEEDED)


def run_to_end(running: RunningJob, work: Callable[[], Answer]) -> Answer:
    """Does the `work`, and records its answer as the end of the job, or the error that it raises.

    An error that lets the job go on is no end: the lease is renewed no longer. Raises as `work` and `RunningJob.end`.
    """
    try:
        with collect_sent(running.sent):
            answer = work()
    except ServiceError as error:
        if goes_on(error):
            running.abandon()
        else:
            running.end(error=str(error))
        raise
    except BaseException as error:
        running.end(error=f"The console failed ({type(error).__name__})")
        raise
    running.end(answer=answer.text, incomplete=not answer.complete)
    return answer


def report_states(report: Progress, name: str) -> Callable[[str], None]:
    """A function that reports the state of work on what has that `name`, which counts nothing."""
    return lambda state: report(0, 0, f"{name}: {state}")


def record_item(running: RunningJob, name: str, change: Callable[[], Outcome]) -> Outcome:
    """Makes the `change` of one item, and records its outcome, or why it was refused; returns it.

    NOT_TRIED is no result: the job was stopped before. Raises ServiceError as `change` does, once it is recorded.
    """
    try:
        outcome = change()
    except ServiceError as error:
        if not goes_on(error):
            running.add_result(name, outcome_of(error), str(error))
        raise
    if outcome is not Outcome.NOT_TRIED:
        running.add_result(name, outcome)
    return outcome


def goes_on(error: ServiceError) -> bool:
    """Whether the job goes on after the error, here or in another process: nothing is recorded for its items."""
    return error.code in _GOES_ON


def outcome_of(error: ServiceError) -> Outcome:
    """REFUSED, or NOT_CONFIRMED where the error says that what was done is not known, or not over."""
    not_over = error.code in ("StillThere", "StillRunning")
    return Outcome.NOT_CONFIRMED if not_over or is_unknown(error) else Outcome.REFUSED
