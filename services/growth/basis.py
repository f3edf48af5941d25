"""Which days a registry's growth and forecast are made of: the snapshots, or what Azure measured. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.growth.forecast import FEWEST_DAYS
from services.growth.history import Snapshot


@dataclass(frozen=True)
class StoredDays:
    """The bytes of a whole registry by day, the oldest first. `measured`: by Azure, and not by snapshots."""

    by_day: Mapping[date, int]
    measured: bool

    @property
    def last(self) -> date:
        return max(self.by_day)

    @property
    def now(self) -> int:
        """The bytes of the last day."""
        return self.by_day[self.last]

    def grown(self, days: int) -> tuple[int, int]:
        """How many bytes it grew in the last so many days, and over how many that is: fewer where it is not known so
        far back. Negative where it shrank."""
        before = max((day for day in self.by_day if (self.last - day).days >= days), default=min(self.by_day))
        return self.now - self.by_day[before], (self.last - before).days


def stored_days(totals: Iterable[Snapshot], measured: Mapping[date, int]) -> StoredDays:
    """The snapshots of the whole registry, `totals`, where they are enough for a forecast; else what Azure `measured`,
    where that has more days. Never days of both: soft deleted content, for one, is in one of them alone."""
    recorded = {one.day: one.total for one in sorted(totals, key=lambda one: one.day)}
    if len(recorded) < FEWEST_DAYS and len(measured) > len(recorded):
        return StoredDays(dict(sorted(measured.items())), measured=True)
    return StoredDays(recorded, measured=False)
