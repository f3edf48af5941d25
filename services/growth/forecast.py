"""Where the storage of a registry goes if it grows on as before: a forecast with a band, and its own error.

By exponential smoothing with a trend (statsmodels' ETSModel). Without a season: storage has no weekly rhythm that
outlasts its growth, and a year of days is rarely there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

# With fewer days any line fits.
FEWEST_DAYS = 14
# How sure the band is.
LIKELY = 0.8
# At most this share of the days is held back to see how far the forecast would have been off.
_HELD_BACK = 4
_LONGEST = 366


@dataclass(frozen=True)
class Point:
    """Bytes expected on a day, and the `LIKELY` least and most."""

    day: date
    bytes: int
    least: int
    most: int


@dataclass(frozen=True)
class Forecast:
    """A point a day, from the day after the last that is known. `error`: how far, in per cent of what was there, a
    forecast from before the last `held_back` days would have been off on average."""

    points: tuple[Point, ...]
    error: float
    held_back: int

    def at(self, days: int) -> Point:
        """The point in so many days."""
        return self.points[days - 1]

    def reaches(self, limit: int) -> tuple[date | None, date | None, date | None]:
        """When so many bytes are reached: as expected, at the earliest and at the latest; None: not in the forecast."""
        return (
            next((one.day for one in self.points if one.bytes >= limit), None),
            next((one.day for one in self.points if one.most >= limit), None),
            next((one.day for one in self.points if one.least >= limit), None),
        )


def forecast(known: Mapping[date, int], days: int = _LONGEST) -> Forecast | None:
    """The forecast for so many days after the last of `known` (bytes by day). None where fewer than `FEWEST_DAYS` days
    are known. Days between are drawn straight. Never negative; a straight line is continued exactly."""
    if not known or len(known) < FEWEST_DAYS:
        return None
    series = _daily(known)
    last = max(known)
    held_back = max(1, min(30, len(series) // _HELD_BACK))
    tried = _predict(series[:-held_back], held_back)
    misses = [abs(point[0] - was) for point, was in zip(tried, series[-held_back:], strict=True)]
    mean = sum(series[-held_back:]) / held_back
    error = 100 * (sum(misses) / held_back) / mean if mean else 0.0
    points = tuple(
        Point(last + timedelta(days=number), *(max(0, round(value)) for value in values))
        for number, values in enumerate(_predict(series, days), 1)
    )
    return Forecast(points, error, held_back)


def _daily(known: Mapping[date, int]) -> list[float]:
    """The bytes of each day from the first to the last."""
    found: list[float] = []
    ordered = sorted(known)
    for day, following in zip(ordered, [*ordered[1:], None], strict=True):
        gap = (following - day).days if following else 1
        step = (known[following] - known[day]) / gap if following else 0
        found += [known[day] + step * number for number in range(gap)]
    return found


def _predict(series: list[float], days: int) -> list[tuple[float, float, float]]:
    """Expected, least and most for so many days after the series."""
    step = series[-1] - series[-2]
    if all(abs(later - before - step) < 1 for before, later in pairwise(series)):
        # A straight line: there is nothing to fit, and an optimiser finds no end.
        return [(series[-1] + step * number,) * 3 for number in range(1, days + 1)]
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel  # Slow to load, and only needed here.

    largest = max(series)
    model = ETSModel(pd.Series([value / largest for value in series]), error="add", trend="add", damped_trend=False)
    fitted = model.fit(disp=False)
    frame = fitted.get_prediction(start=len(series), end=len(series) + days - 1).summary_frame(alpha=1 - LIKELY)
    return [
        (mean * largest, least * largest, most * largest)
        for mean, least, most in zip(frame["mean"], frame["pi_lower"], frame["pi_upper"], strict=True)
    ]
