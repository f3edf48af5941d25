"""The plan of a job as JSON in its details, so that another process can continue it.

Plans are frozen dataclasses of other dataclasses, enumerations, times and decimals. One with a secret is never kept:
its change is recorded alone (`services/jobs/changes.py`).
"""

from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from services.connection.errors import ServiceError
from services.jobs.changes import listed_commands
from services.jobs.jobs import Job

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PlanT = TypeVar("PlanT")
_PLAN = "plan"


@cache
def _adapter(kind: type[Any]) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter  # Slow to load, and needed by the first change only.

    return TypeAdapter(kind)


def details_of(kind: type[PlanT], plan: PlanT, commands: Iterable[str] = ()) -> Mapping[str, Any]:
    """The details of a job: its plan, a value of `kind`, and the shell lines of the same."""
    return {
        _PLAN: _adapter(cast(Hashable, kind)).dump_python(plan, mode="json"),
        "commands": listed_commands(commands),
    }


def plan_of(kind: type[PlanT], job: Job) -> PlanT:
    """The plan of a job. Raises ServiceError (UnreadablePlan) where another version of the console has other plans."""
    from pydantic import ValidationError

    try:
        # As JSON: there a tuple is a list, and a number of a decimal a string.
        return cast(PlanT, _adapter(cast(Hashable, kind)).validate_python(job.details[_PLAN]))
    except (KeyError, ValidationError) as error:
        raise ServiceError(
            f"The plan of this job could not be read: {job.action}",
            "Another version of the console began it, and has another form of plans.",
            "Look at the registry, and plan the change again.",
            "UnreadablePlan",
        ) from error
