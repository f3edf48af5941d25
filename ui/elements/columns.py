"""Columns of tables: sizes, times and amounts stay numbers with a format, so that a column sorts by value."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import streamlit as st

_UNITS = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))


@dataclass(frozen=True)
class Sizes:
    """A column of bytes, None where unknown. The table shows all of its cells in one binary unit, or each in its own
    where one would not do (`unit_of`).

    Streamlit's own format "bytes" counts in thousands, and so differs from the sizes beside the table.
    """

    help: str | None = None


@dataclass(frozen=True)
class Unit:
    """The unit of a column of sizes: a value is shown divided by `bytes`, with that many decimals."""

    name: str
    bytes: int
    decimals: int

    @property
    def format(self) -> str:
        return f"%,.{self.decimals}f {self.name}" if self.decimals else f"%,d {self.name}"


def unit_of(sizes: Iterable[float | None]) -> Unit | None:
    """GiB, MiB, KiB or B by the largest of `sizes`, in bytes, with the decimals that the smallest needs, at most two.

    None where they differ by more than that: a signature beside an image would be 0.00 GiB.
    """
    known = [abs(size) for size in sizes if size]
    smallest, largest = min(known, default=0), max(known, default=0)
    name, unit = next((one for one in _UNITS if largest >= one[1]), ("B", 1))
    if unit == 1:
        return Unit(name, unit, 0)
    decimals = next((digits for digits in (1, 2) if smallest * 10**digits >= unit), None)
    return Unit(name, unit, decimals) if decimals else None


def size_column(unit: Unit, meaning: str | None) -> Any:
    return st.column_config.NumberColumn(format=unit.format, help=meaning)


def ago_column(meaning: str | None = None) -> Any:
    """For past times, shown as '3 days ago'. A copied or downloaded cell has the time itself."""
    return st.column_config.DatetimeColumn(format="distance", help=meaning)


def time_column(meaning: str | None = None) -> Any:
    """For future times, to the minute, in UTC."""
    return st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm [UTC]", timezone="UTC", help=meaning)


def money_column(meaning: str | None = None) -> Any:
    """For amounts, to the cent. The currency is in the column's name, or in a column of its own."""
    return st.column_config.NumberColumn(format="%,.2f", help=meaning)
