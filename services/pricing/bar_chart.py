"""A chart of horizontal bars: what a page draws, a saved report draws as SVG, and a table beside it has as numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from services.pricing.money import ZERO

# More colours than these look alike; the last is for the rest.
MOST_SERIES = 6
# Series in their order, as `.streamlit/config.toml` has them, then that of the rest: on a light page, on a dark one.
LIGHT = ("#0f5c6e", "#c2570c", "#6d4bc3", "#1f9e89", "#7b2d12", "#6b7b80")
DARK = ("#55b9cb", "#f5a94b", "#9b5de5", "#e76f51", "#c2b39e", "#8fa3a9")


@dataclass(frozen=True)
class Bar:
    """One bar. `parts`: an amount for each series, None where it has none; `text`: the amount as it is written beside
    the bar. `marked`: its label is bold."""

    label: str
    parts: tuple[Decimal | None, ...]
    text: str
    marked: bool = False

    @property
    def total(self) -> Decimal:
        return sum((part for part in self.parts if part), ZERO)


@dataclass(frozen=True)
class BarChart:
    """`title` answers a question; `unit` is that of the amounts; each bar is stacked of `series`, the first at the
    left. A series with the name `rest` has no colour of the others."""

    title: str
    unit: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    rest: str = ""

    def colour_of(self, number: int) -> int:
        """The position of a series' colour in `LIGHT` and `DARK`."""
        return MOST_SERIES - 1 if self.series[number] == self.rest else number


def join_smallest(names: Sequence[str], rows: Iterable[Sequence[Decimal | None]]) -> tuple[tuple[str, ...], list[Bar]]:
    """The names of at most `MOST_SERIES` series, the last ones joined as 'Other (3)', and the same of each row, as bars
    without a label. `names` are in their order: the largest first."""
    rows = [tuple(row) for row in rows]
    if len(names) <= MOST_SERIES:
        return tuple(names), [Bar("", tuple(row), "") for row in rows]
    kept = MOST_SERIES - 1
    joined = [Bar("", (*row[:kept], sum((part for part in row[kept:] if part), ZERO)), "") for row in rows]
    return (*names[:kept], f"Other ({len(names) - kept})"), joined


_WIDTH, _BAR, _GAP, _TEXT, _CHARACTER, _LONGEST_LABEL = 880, 18, 10, 110, 8.2, 38


def svg_of(chart: BarChart) -> str:
    """The bars as static SVG with their legend, for `SVG_STYLE` and `SVG_PATTERNS`. All text is escaped. Empty for a
    chart without bars."""
    if not chart.bars:
        return ""
    labels = [_shortened(bar.label) for bar in chart.bars]
    left = round(max(len(label) for label in labels) * _CHARACTER) + 12
    room = _WIDTH - left - _TEXT
    longest = max(max(bar.total for bar in chart.bars), Decimal("0.01"))
    step = _BAR + _GAP
    parts = [
        f"<figure><figcaption>{escape(chart.title)}</figcaption>{_legend(chart)}"
        f'<svg viewBox="0 0 {_WIDTH} {len(chart.bars) * step}" role="img" aria-label="{escape(chart.title)}">'
    ]
    for row, (bar, label) in enumerate(zip(chart.bars, labels, strict=True)):
        top, middle = row * step + _GAP // 2, row * step + step / 2 + 4
        weight = ' font-weight="700"' if bar.marked else ""
        parts.append(
            f'<text x="{left - 8}" y="{middle:g}" text-anchor="end"{weight}><title>{escape(bar.label)}</title>'
        )
        parts.append(f"{escape(label)}</text>")
        at = float(left)
        for number, amount in enumerate(bar.parts):
            if amount and amount > 0:
                wide = float(amount / longest) * room
                place = f'x="{at:.1f}" y="{top}" width="{wide:.1f}" height="{_BAR}"'
                parts.append(_filled(chart.colour_of(number), place))
                at += wide
        parts.append(f'<text x="{at + 8:.1f}" y="{middle:g}">{escape(bar.text)}</text>')
    parts.append("</svg></figure>")
    return "".join(parts)


def _shortened(label: str) -> str:
    """The beginning and the end of a long name: the table beside the chart has all of it."""
    if len(label) <= _LONGEST_LABEL:
        return label
    half = (_LONGEST_LABEL - 1) // 2
    return f"{label[:half]}…{label[-half:]}"


_KEY = 'width="14" height="14"'


def _legend(chart: BarChart) -> str:
    if len(chart.series) < 2:
        return ""
    keys = "".join(
        f'<li><svg viewBox="0 0 14 14">{_filled(chart.colour_of(number), _KEY)}</svg>{escape(name)}</li>'
        for number, name in enumerate(chart.series)
    )
    return f"<ul>{keys}</ul>"


def _filled(colour: int, place: str) -> str:
    """A rectangle in the colour of a series, and over it the hatching that tells it apart in black and white."""
    hatching = f'<rect {place} fill="url(#hatch{colour})"/>' if colour else ""
    return f'<rect {place} class="series{colour}"/>{hatching}'


_LINES = ("", "M0 8L8 0", "M4 4h.1", "M0 0L8 8M0 8L8 0", "M0 4h8", "M4 0v8")

# Once in a page that has such charts.
SVG_PATTERNS = (
    '<svg width="0" height="0" aria-hidden="true"><defs>'
    + "".join(
        f'<pattern id="hatch{number}" width="8" height="8" patternUnits="userSpaceOnUse"><path d="{line}"/></pattern>'
        for number, line in enumerate(_LINES)
        if line
    )
    + "</defs></svg>"
)

SVG_STYLE = "\n".join(
    [
        "figure { margin: 1rem 0; break-inside: avoid; }",
        "figcaption { font-weight: 600; margin-bottom: .4rem; }",
        "figure > svg { width: 100%; max-width: 66rem; height: auto; display: block; }",
        "figure text { fill: currentColor; font-size: 13px; }",
        "figure ul { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: 0; }",
        "figure li { display: flex; align-items: center; gap: .4rem; }",
        "figure li svg { width: 14px; height: 14px; }",
        "pattern path { stroke: Canvas; stroke-width: 1.6; stroke-linecap: round; fill: none; }",
        *(
            f".series{number} {{ fill: light-dark({light}, {dark}); }}"
            for number, (light, dark) in enumerate(zip(LIGHT, DARK, strict=True))
        ),
    ]
)
