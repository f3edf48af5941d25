"""Columns of tables: sizes, times and amounts stay numbers with a format, so that a column sorts by what it means."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import streamlit as st

_GIB, _MIB, _KIB = 1024**3, 1024**2, 1024


@dataclass(frozen=True)
class Sizes:
    """A column of bytes, None where unknown. The table shows all of its cells in one binary unit.

    Streamlit's own format "bytes" counts in thousands, and so differs from the sizes beside the table.
    """

    help: str | None = None


@dataclass(frozen=True)
class Unit:
    """What the cells of a column of sizes are shown in."""

    name: str
    bytes: int
    decimals: int

    @property
    def format(self) -> str:
        return f"%,.{self.decimals}f {self.name}" if self.decimals else f"%,d {self.name}"


def unit_of(sizes: Iterable[float | None]) -> Unit:
    """GiB where every cell has one, else MiB, and less where the largest is less.

    Three decimals where one would show the smallest cell as nothing: a signature beside images.
    """
    there = [size for size in sizes if size]
    least, most = min(there, default=0), max(there, default=0)
    if most < _KIB:
        return Unit("B", 1, 0)
    name, unit = ("GiB", _GIB) if least >= _GIB else ("MiB", _MIB) if most >= _MIB else ("KiB", _KIB)
    return Unit(name, unit, 1 if least >= unit / 10 else 3)


def size_column(unit: Unit, meaning: str | None) -> Any:
    return st.column_config.NumberColumn(format=unit.format, help=meaning)


def ago_column(meaning: str | None = None) -> Any:
    """Of times that have passed: '3 days ago'. Copied or downloaded, a cell is the time itself."""
    return st.column_config.DatetimeColumn(format="distance", help=meaning)


def time_column(meaning: str | None = None) -> Any:
    """Of times that lie ahead, to the minute, in UTC."""
    return st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm [UTC]", timezone="UTC", help=meaning)


def money_column(meaning: str | None = None) -> Any:
    """Of amounts, to the cent. Their currency stands in the column's name, or in a column of its own."""
    return st.column_config.NumberColumn(format="%,.2f", help=meaning)
