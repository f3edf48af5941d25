"""A measured row and the bar it has to meet; all of them as a table for people and as JSON."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """`name` says what was measured and its unit; `bar` what `measured` must be."""

    name: str
    measured: float
    bar: str
    ok: bool


def exactly(name: str, measured: float, bar: float) -> Row:
    return Row(name, measured, f"= {bar:g}", measured == bar)


def at_most(name: str, measured: float, bar: float) -> Row:
    return Row(name, measured, f"≤ {bar:g}", measured <= bar)


def under(name: str, measured: float, bar: float) -> Row:
    return Row(name, measured, f"< {bar:g}", measured < bar)


def at_least(name: str, measured: float, bar: float) -> Row:
    return Row(name, measured, f"≥ {bar:g}", measured >= bar)


def table(rows: Sequence[Row]) -> str:
    """The rows as text, one a line, under a heading."""
    cells = [("measured", "must be", "", "what")]
    cells += [(f"{row.measured:,.4g}", row.bar, "ok" if row.ok else "MISSED", row.name) for row in rows]
    first, second, third = (max(len(cell[column]) for cell in cells) for column in range(3))
    return "\n".join(f"{a:>{first}}  {b:<{second}}  {c:<{third}}  {d}" for a, b, c, d in cells)


def write(rows: Sequence[Row], file: Path) -> None:
    """The rows as a JSON list of {name, measured, bar, ok}."""
    file.write_text(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def machine(cores: int | None) -> str:
    """One line about where this ran."""
    return f"{cores or '?'} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
