"""When a timer of a task runs: five fields of cron, in UTC.

https://learn.microsoft.com/azure/container-registry/container-registry-tasks-scheduled#cron-expressions
"""

import re

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_DAILY = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* ([0-6]|\*)")


def cron(hour: int, minute: int, weekday: int | None = None) -> str:
    """Every day at that time in UTC, or every week on that day, from Sunday as 0."""
    return f"{minute} {hour} * * {'*' if weekday is None else weekday}"


def describe_schedule(expression: str) -> str:
    """'Every day at 01:00 UTC', 'Every Monday at 01:00 UTC'; any other expression as it is."""
    found = _DAILY.fullmatch(expression.strip())
    if found is None or int(found[1]) > 59 or int(found[2]) > 23:
        return f"{expression} (UTC)"
    day = "day" if found[3] == "*" else WEEKDAYS[int(found[3])]
    return f"Every {day} at {int(found[2]):02}:{int(found[1]):02} UTC"
