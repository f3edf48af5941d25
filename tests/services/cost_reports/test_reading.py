"""What a monthly report reads: the bills of its month and of the one before it, also where that is long ago."""

from datetime import date
from typing import Any

import pytest

from services.connection.parallel import Partial
from services.cost_reports import reading as module
from services.cost_reports.reading import read_month


class _AskedFor(Exception):
    """The first day of the bills that were asked for."""


@pytest.mark.parametrize(
    ("month", "today", "first"),
    [
        # October is not settled: the oldest report that is due is April's, which compares with March.
        (date(2026, 4, 1), date(2026, 11, 3), date(2026, 3, 1)),
        (date(2026, 9, 1), date(2026, 11, 3), date(2026, 5, 1)),
        (date(2026, 5, 1), date(2026, 11, 4), date(2026, 4, 1)),
    ],
)
def test_the_bills_of_the_month_and_of_the_one_before_it_are_read(
    month: date, today: date, first: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bills(_session: object, since: date, *_rest: object, **_more: object) -> None:
        raise _AskedFor(since)

    monkeypatch.setattr(module, "list_registries", lambda *_args, **_more: Partial(()))
    monkeypatch.setattr(module, "bills_in_parts", bills)
    nobody: Any = None
    with pytest.raises(_AskedFor) as asked:
        read_month(nobody, month, today, nobody)
    assert asked.value.args == (first,)
