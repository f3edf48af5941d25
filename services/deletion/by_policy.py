"""Which policy a deletion follows, as its record keeps it: its version, its ceiling, and who approved it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from services.jobs.jobs import Job
from services.wording import counted

# Where the details of a job have it.
KEY = "policy"


@dataclass(frozen=True)
class PolicyRun:
    """The run of a policy that a deletion is a part of.

    `policy` is its id, "" where it was never saved, and `version` 0. `edited`: its rules were not as that version has
    them. The ceiling of one run: `manifests`, `share_percent` of one repository's manifests, `gib` freed; `above`: what
    of the run was above it, a sentence each, which was confirmed. `run`: the scheduled run, "" where a person began it
    from a simulation; `by_itself`: the schedule began it, and nobody approved it.
    """

    name: str
    policy: str
    version: int
    edited: bool
    manifests: int
    share_percent: int
    gib: int
    above: tuple[str, ...] = ()
    run: str = ""
    by_itself: bool = False


def as_details(run: PolicyRun) -> Mapping[str, Any]:
    """The run as the details of a job keep it, and the log."""
    return {KEY: asdict(run)}


def policy_run_of(job: Job) -> PolicyRun | None:
    """The policy that a job follows; None where it follows none, or this version of the console can't read it."""
    kept = job.details.get(KEY)
    if not isinstance(kept, Mapping):
        return None
    try:
        return PolicyRun(**{**kept, "above": tuple(kept["above"])})
    except (KeyError, TypeError):
        return None


def policy_sentences(run: PolicyRun, by: str) -> tuple[str, ...]:
    """What the record says of the policy, a sentence each. `by`: the name of whoever began the deletion."""
    return tuple(_sentences(run, by))


def _sentences(run: PolicyRun, by: str) -> Iterator[str]:
    if not run.version:
        yield f"Policy: {run.name}, which was not saved."
    else:
        edited = ", with changes that were not saved" if run.edited else ""
        yield f"Policy: {run.name}, version {run.version}{edited}."
    if run.by_itself:
        yield "Approved by nobody: the schedule started it by itself, after enough of its runs had been approved."
    elif run.run:
        yield f"Proposed by the schedule and approved by {by}."
    else:
        yield f"Started and approved by {by}."
    yield (
        f"Ceiling of a run: {counted(run.manifests, 'manifest')}, {run.share_percent} % of a repository and "
        f"{run.gib:,} GiB."
    )
    if run.above:
        yield f"Above the ceiling, and confirmed: {' '.join(run.above)}"
    else:
        yield "The run was not above it."
