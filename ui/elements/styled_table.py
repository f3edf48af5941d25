"""Cells whose look Streamlit's column settings can't give: names in the colour of links, numbers in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import streamlit as st

from ui.elements.chart_theme import theme_now
from ui.elements.text import size

# Of numbers that may be missing; as floats they would be shown with decimals.
_TYPES = {pa.int64(): pd.Int64Dtype()}


@dataclass(frozen=True)
class Worded:
    """A column of numbers, each shown as `words` writes it: 601 GiB beside 12 KiB. It is sorted by the numbers.
    `alignment`: "left" where words are no amounts."""

    words: Callable[[float], str]
    help: str | None = None
    alignment: Literal["left", "right"] = "right"


def stored_column() -> Worded:
    """What registries store, each in the unit that fits it."""
    return Worded(partial(size), "In the home region")


def included_column() -> Worded:
    return Worded(lambda count: f"{count / 2**30:,.0f} GiB", "Storage that the SKU's fee includes. It is no limit")


def styled(table: pa.Table, link: str, words: Mapping[str, Callable[[float], str]]) -> Any:
    """The table as pandas' Styler, which `st.dataframe` takes: the column `link` ("" for none) in the colour of links,
    and the columns of `words` by their functions."""
    style = table.to_pandas(types_mapper=_TYPES.get).style
    for column, write in words.items():
        style = style.format(write, subset=[column], na_rep="–")
    others = [column for column in table.column_names if column not in words]
    style = style.format(subset=others, na_rep="–", thousands=",", precision=4)
    if link:
        colour = f"color: {st.get_option(f'theme.{theme_now()}.linkColor')}"
        style = style.map(lambda _: colour, subset=[link])
    return style
