"""Schedules of timers: five fields of cron, in UTC.

https://learn.microsoft.com/azure/container-registry/container-registry-tasks-scheduled#cron-expressions
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAYS_MOST = 366 * 8  # A 29th of February comes within eight years.


class InvalidSchedule(ValueError):
    """The text is no cron expression of five fields."""


@dataclass(frozen=True)
class Schedule:
    """The values of each field that match; `days` of a month, `weekdays` from Sunday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def _on(self, day: datetime) -> bool:
        return day.day in self.days and day.month in self.months and day.isoweekday() % 7 in self.weekdays

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times after `moment` at which it is due, in their order; none where it never is."""
        midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for number in range(_DAYS_MOST):
            day = midnight + timedelta(days=number)
            if not self._on(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = day.replace(hour=hour, minute=minute)
                    if found > moment:
                        yield found


def parse(text: str) -> Schedule:
    """The schedule that `text` says. Raises InvalidSchedule."""
    fields = text.split()
    if len(fields) != 5:
        raise InvalidSchedule(f"'{text}' has {len(fields)} fields, and not five.")
    minutes, hours, days, months, weekdays = fields
    return Schedule(
        _values(minutes, 0, 59),
        _values(hours, 0, 23),
        _values(days, 1, 31),
        _values(months, 1, 12, _MONTHS, 1),
        _values(weekdays, 0, 6, _DAYS),
    )


def _values(field: str, first: int, last: int, names: tuple[str, ...] = (), names_from: int = 0) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        begin, dash, end = span.partition("-")
        if span == "*":
            low, high = first, last
        else:
            low = _number(begin, names, names_from)
            high = _number(end, names, names_from) if dash else last if slash else low
        every = _number(step, (), 0) if slash else 1
        if not (first <= low <= high <= last and every > 0):
            raise InvalidSchedule(f"'{field}' is not within {first} to {last}.")
        found.update(range(low, high + 1, every))
    return frozenset(found)


def _number(text: str, names: tuple[str, ...], names_from: int) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + names_from
    if not (text.isascii() and text.isdigit()):
        raise InvalidSchedule(f"'{text}' is no number.")
    return int(text)
