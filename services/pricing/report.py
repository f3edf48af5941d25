"""A report as one file: self-contained HTML, or CSV. Both show the cells of a `Report`."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from html import escape

from services.pricing.money import cents

# Decimal: money, shown to the cent. None: nothing to show.
Cell = str | int | Decimal | None


@dataclass(frozen=True)
class Table:
    """`bar` names a column of money whose amounts are drawn as bars too, in HTML."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    bar: str = ""


@dataclass(frozen=True)
class Report:
    """`figures` are at the top, by name; `notes` explain the figures and what is missing."""

    title: str
    at: datetime
    by: str
    figures: Mapping[str, str]
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = field(default=())


def csv_of(report: Report) -> str:
    """All tables, one below the other, each under its heading; money without thousands separators.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerows([[report.title], [f"As of {report.at:%Y-%m-%d %H:%M} UTC, read by {report.by}"]])
    writer.writerows([name, value] for name, value in report.figures.items())
    writer.writerows([note] for note in report.notes)
    for table in report.tables:
        writer.writerows([[], [table.heading], table.columns])
        writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return file.getvalue()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
    return str(cents(cell) if isinstance(cell, Decimal) else cell)


def html_of(report: Report) -> str:
    """One page that prints, in light or dark mode. All text is escaped."""
    title = escape(report.title)
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            # Nothing runs in it and nothing is fetched by it, whatever a name in it says.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1><p>As of {report.at:%d %B %Y, %H:%M} UTC, read by {escape(report.by)}.</p>",
            "<dl>",
            *(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in report.figures.items()),
            "</dl>",
            *(f"<p>{escape(note)}</p>" for note in report.notes),
            *(part for table in report.tables for part in _table(table)),
            "</body></html>",
        ]
    )


def _table(table: Table) -> Iterator[str]:
    yield f"<h2>{escape(table.heading)}</h2>"
    if table.note:
        yield f"<p>{escape(table.note)}</p>"
    yield '<div class="wide"><table><thead><tr>'
    yield from (f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    yield "</tr></thead><tbody>"
    bar = table.columns.index(table.bar) if table.bar else None
    amounts = [row[bar] for row in table.rows] if bar is not None else []
    longest = max((amount for amount in amounts if isinstance(amount, Decimal)), default=Decimal(0))
    for row in table.rows:
        yield "<tr>"
        yield from (_cell(cell, longest if number == bar else Decimal(0)) for number, cell in enumerate(row))
        yield "</tr>"
    yield "</tbody></table></div>"


def _cell(cell: Cell, longest: Decimal) -> str:
    """`longest`: the amount whose bar is as long as the cell; 0: no bars."""
    if cell is None:
        return '<td class="number">–</td>'
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    shown = f"{cents(cell) if isinstance(cell, Decimal) else cell:,}"
    share = round(100 * cell / longest) if longest > 0 and cell > 0 else 0
    bar = f' style="--bar: {share}%"' if longest else ""
    return f'<td class="number"{bar}>{shown}</td>'


_STYLE = """
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
dl { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; }
dl div { border: 1px solid #8886; border-radius: 4px; padding: .5rem 1rem; }
dd { margin: 0; font-size: 1.4rem; font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums;
  background: linear-gradient(#2389a055, #2389a055) left / var(--bar, 0%) 100% no-repeat; }
@media print { body { margin: 0; } h2, tr { break-inside: avoid; break-after: avoid; } }
"""
