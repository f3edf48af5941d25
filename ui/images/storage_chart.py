"""The repositories of a registry as bars: what only tagged images have, what is shared, and what is untagged."""

from collections.abc import Mapping
from decimal import Decimal

from services.images.storage import RegistryStorage, RepositoryStorage
from services.pricing.bar_chart import Bar, BarChart
from ui.elements.chart_theme import MEANINGS, Meaning, palette
from ui.elements.text import size

TAGGED, SHARED, UNTAGGED, UNREAD = "Tagged, only here", "Shared with other repositories", "Untagged", "Not all read"
# More bars than these are no longer read: the rest is one.
MOST_BARS = 15
_UNITS = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1))


def storage_chart(storage: RegistryStorage) -> BarChart | None:
    """A bar for each repository, the one that points to most first; None where nothing is stored.

    Shared content is in the bar of each repository that has it.
    """
    found = sorted((one for one in storage.repositories if one.total), key=lambda one: (-one.total, one.name))
    if not found:
        return None
    name, unit = next((name, unit) for name, unit in _UNITS if found[0].total >= unit)
    kept = found if len(found) <= MOST_BARS else found[: MOST_BARS - 1]
    rows = [(one.name, _parts(one), one.total, one.complete) for one in kept]
    if rest := found[len(kept) :]:
        together = [sum(amounts) for amounts in zip(*map(_parts, rest), strict=True)]
        total = sum(one.total for one in rest)
        rows.append((f"Other ({len(rest)})", together, total, all(one.complete for one in rest)))
    series = [
        (number, one)
        for number, one in enumerate((TAGGED, SHARED, UNTAGGED, UNREAD))
        if any(parts[number] for _, parts, _, _ in rows)
    ]
    bars = tuple(
        Bar(
            label,
            tuple(Decimal(parts[number]) / unit for number, _ in series),
            f"{'' if complete else '≥ '}{size(total)}",
        )
        for label, parts, total, complete in rows
    )
    least = "" if storage.complete else "at least "
    title = f"{found[0].name} has the most: {bars[0].text} of {least}{size(storage.total)} in manifests"
    return BarChart(title, name, tuple(one for _, one in series), bars)


def _parts(one: RepositoryStorage) -> list[int]:
    """Bytes by series. What a repository that was not all read shares, or leaves untagged, is unknown."""
    return [one.unique - one.untagged, one.shared, one.untagged, 0] if one.complete else [0, 0, 0, one.total]


def storage_colours(theme: str) -> Mapping[str, str]:
    """The colour of each series, the same as on the treemap."""
    colours = palette(theme)
    return {
        TAGGED: colours.series[0],
        SHARED: colours.series[2],
        UNTAGGED: MEANINGS[theme][Meaning.ATTENTION][0],
        UNREAD: colours.series[-1],
    }
