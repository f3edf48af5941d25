"""What a page can be opened on, for a page whose URL does not name it: links, and a table with a filter of many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.table import Cells, Columns, Types
from ui.navigation.links import change_query, open_page, wide_link_to
from ui.navigation.pages import PageLink

# More are found faster by typing.
MOST_LINKS = 24
LINK_PX = 260


@dataclass(frozen=True)
class Choice:
    """One of them: the label of its link (markdown), its row of the table, the name first, and what names it in the
    URL."""

    label: str
    row: Cells
    query: Mapping[str, str]


def show_choices(
    page: PageLink,
    heading: str,
    choices: Sequence[Choice],
    *,
    kept: bool,
    columns: Columns | None = None,
    types: Types | None = None,
) -> None:
    """What opens `page` on each choice: links, or a table with a filter above `MOST_LINKS`. `kept`: with the rest
    of the open page's query, and `page` is that page. `columns` and `types` are those of the table."""
    st.subheader(heading, anchor=False)
    if len(choices) > MOST_LINKS:
        _show_table(page, heading, choices, columns, types, kept=kept)
        return
    query = {name: st.query_params.get_all(name) for name in st.query_params} if kept else {}
    with st.grid("auto", min_column_width=LINK_PX, gap="small"):
        for one in choices:
            wide_link_to(page, one.label, {**query, **one.query})


def _show_table(
    page: PageLink,
    heading: str,
    choices: Sequence[Choice],
    columns: Columns | None,
    types: Types | None,
    *,
    kept: bool,
) -> None:
    parts = [name for name, cell in choices[0].row.items() if isinstance(cell, str)]
    text = st.text_input(
        "Filter",
        key=f"{heading} with",
        type="search",
        placeholder=", ".join((parts[0], *(part.lower() if not part.isupper() else part for part in parts[1:]))),
        width=420,
    )
    words = (text or "").casefold().split()
    shown = [one for one in choices if all(word in _text(one) for word in words)]
    if not shown:
        empty(":material/filter_alt_off:", "Nothing matches", "Change the filter above.")
        return
    opened = openable(
        shown,
        lambda one: one.row,
        heading,
        f"{heading}: a row for each, which opens the page",
        columns=columns,
        types=types,
        identity=lambda one: tuple(one.query.items()),
    )
    if opened and kept:
        change_query(**opened.query)
    if opened:
        open_page(page, **opened.query)


def _text(choice: Choice) -> str:
    return " ".join(cell for cell in choice.row.values() if isinstance(cell, str)).casefold()
