"""A report as one file: self-contained HTML, or CSV. Both show the cells of a `Report`."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from html import escape

from services.pricing.bar_chart import SVG_PATTERNS, SVG_STYLE, BarChart, svg_of
from services.pricing.money import cents
from services.wording import cell_text, size


@dataclass(frozen=True)
class Bytes:
    """A cell of a size, shown in the unit that fits it: what is more than nothing is never 0.0 GiB."""

    count: int


# Decimal: money, shown to the cent. date: a day, shown as 2026-11-29. None: nothing to show.
Cell = str | int | Decimal | Bytes | date | None


@dataclass(frozen=True)
class Table:
    """`chart`: the same numbers as bars, on the page and in HTML."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    chart: BarChart | None = None


@dataclass(frozen=True)
class Figure:
    """A figure at the top of a report. `note`: a few words below it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """`figures` are at the top; `notes` explain the figures and what is missing."""

    title: str
    at: datetime
    by: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = field(default=())


def csv_of(report: Report) -> str:
    """All tables, one below the other, each under its heading and note; money without thousands separators.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerows([[report.title], [f"As of {report.at:%Y-%m-%d %H:%M} UTC, read by {report.by}"]])
    writer.writerows([_plain(cell) for cell in (one.name, one.value, one.note)] for one in report.figures)
    writer.writerows([note] for note in report.notes)
    for table in report.tables:
        note = [[cell_text(table.note)]] if table.note else []
        writer.writerows([[], [table.heading], *note, table.columns])
        writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return file.getvalue()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Bytes):
        return size(cell.count)
    if isinstance(cell, str):
        return cell_text(cell)
    return str(cents(cell) if isinstance(cell, Decimal) else cell)  # A date is written as 2026-11-29.


def html_of(report: Report) -> str:
    """One page that prints, in light or dark mode. All text is escaped."""
    title = escape(report.title)
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            # Nothing runs in it and nothing is fetched by it, whatever a name in it says.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{title}</title><style>{_STYLE}{SVG_STYLE}</style></head><body>{SVG_PATTERNS}",
            f"<h1>{title}</h1><p>As of {report.at:%d %B %Y, %H:%M} UTC, read by {escape(report.by)}.</p>",
            "<dl>",
            *(_figure(figure) for figure in report.figures),
            "</dl>",
            *(f"<p>{escape(note)}</p>" for note in report.notes),
            *(part for table in report.tables for part in _table(table)),
            "</body></html>",
        ]
    )


def _figure(figure: Figure) -> str:
    note = f"<small>{escape(figure.note)}</small>" if figure.note else ""
    return f"<div><dt>{escape(figure.name)}</dt><dd>{escape(figure.value)}{note}</dd></div>"


def _table(table: Table) -> Iterator[str]:
    numbers = [not any(isinstance(row[at], str | date) for row in table.rows) for at in range(len(table.columns))]
    yield f"<section><h2>{escape(table.heading)}</h2>"
    if table.note:
        yield f"<p>{escape(table.note)}</p>"
    if table.chart:
        yield svg_of(table.chart)
    yield '<div class="wide"><table><thead><tr>'
    for column, number in zip(table.columns, numbers, strict=True):
        yield f'<th scope="col"{_NUMBER if number else ""}>{escape(column)}</th>'
    yield "</tr></thead><tbody>"
    for row in table.rows:
        yield "<tr>"
        yield from (_cell(cell, number=number) for cell, number in zip(row, numbers, strict=True))
        yield "</tr>"
    yield "</tbody></table></div></section>"


_NUMBER = ' class="number"'
# A longer text gets a width at which it reads as a paragraph.
_SHORT_TEXT = 40


def _cell(cell: Cell, *, number: bool) -> str:
    if isinstance(cell, str):
        return f"<td{' class=long' if len(cell) > _SHORT_TEXT else ''}>{escape(cell)}</td>"
    if isinstance(cell, date):
        return f"<td>{cell}</td>"
    if isinstance(cell, Bytes):
        shown = size(cell.count)
    else:
        shown = "–" if cell is None else f"{cents(cell) if isinstance(cell, Decimal) else cell:,}"
    return f"<td{_NUMBER if number else ''}>{shown}</td>"


_STYLE = """
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.75rem; margin-bottom: 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
body > p, section > p { color: GrayText; margin: .3rem 0; max-width: 60rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
dl div { border: 1px solid #8886; border-radius: 4px; padding: .6rem 1rem; }
dt { color: GrayText; }
dd { margin: 0; font-size: 1.35rem; font-weight: 600; }
dd small { display: block; font-size: .85rem; font-weight: 400; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #8886; vertical-align: top; }
th { vertical-align: bottom; border-bottom-width: 2px; }
td { white-space: nowrap; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 16rem; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
@page { size: A4 landscape; margin: 12mm; }
@media print { :root { color-scheme: light; font-size: 11px; } body { margin: 0; padding: 0; max-width: none; }
  table { font-size: 10.5px; } .wide { overflow: visible; } thead { display: table-header-group; }
  tr, figure { break-inside: avoid; } h2, h2 + p { break-after: avoid; } }
"""
