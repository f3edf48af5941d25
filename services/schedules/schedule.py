"""When a retention policy runs by itself, and on which registries."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# So many runs of a registry only propose, unless something else is chosen.
PROPOSALS = 3
MOST_PROPOSALS = 20


@dataclass(frozen=True)
class Timing:
    """Every day at an hour in UTC, or on one `weekday` alone: from 0, Monday."""

    hour: int
    weekday: int | None = None

    @property
    def label(self) -> str:
        """'Every day at 03:00 UTC', 'Mondays at 03:00 UTC'."""
        days = "Every day" if self.weekday is None else f"{WEEKDAYS[self.weekday]}s"
        return f"{days} at {self.hour:02}:00 UTC"

    @property
    def interval(self) -> timedelta:
        """Between two times that are due."""
        return timedelta(days=1 if self.weekday is None else 7)


@dataclass(frozen=True)
class ScheduleSpec:
    """What a person chooses. `registries` by resource id; `proposals`: so many runs of each registry are approved
    before further ones go by themselves; `asks_clusters`: each run first asks the clusters that may pull."""

    registries: tuple[str, ...]
    timing: Timing
    proposals: int = PROPOSALS
    asks_clusters: bool = False


@dataclass(frozen=True)
class Schedule:
    """The schedule of a policy. `runs_as`: the cloud and identity of the console that runs it; `who` saved or
    resumed it last, with the name `login` or ""."""

    policy: str
    spec: ScheduleSpec
    runs_as: str
    active: bool
    due: datetime
    who: str
    login: str
    saved: datetime


def next_due(timing: Timing, after: datetime) -> datetime:
    """The first time that is due later than `after`. Pure."""
    now = after.astimezone(UTC)
    found = now.replace(hour=timing.hour, minute=0, second=0, microsecond=0)
    if timing.weekday is not None:
        found += timedelta(days=(timing.weekday - found.weekday()) % 7)
    return found if found > now else found + timing.interval
