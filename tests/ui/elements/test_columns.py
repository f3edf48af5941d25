import ast
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.table_cells import faults
from ui.elements.columns import Sizes, unit_of
from ui.elements.table import in_units
from ui.elements.text import size

ROOT = Path(__file__).parents[3]
KIB, MIB, GIB = 1024, 1024**2, 1024**3


def shown_cells(table: Any, column: str) -> list[str]:
    """The cells of a styled table as they are written."""
    at = table.data.columns.get_loc(column)
    return [row[at + 1]["display_value"] for row in table._translate(False, False)["body"]]


@pytest.mark.parametrize(
    ("sizes", "format"),
    [
        ([], "%,d B"),
        ([None, 0], "%,d B"),
        ([1023], "%,d B"),
        ([KIB, 900 * KIB], "%,.1f KiB"),
        ([12 * KIB, 32], "%,.2f KiB"),
        ([MIB, None, 700 * MIB], "%,.1f MiB"),
        ([GIB, 40 * GIB], "%,.1f GiB"),
        ([40 * GIB, 77 * MIB], "%,.2f GiB"),
        ([GIB - 1, 40 * GIB], "%,.1f GiB"),
        ([40 * GIB, -2 * GIB], "%,.1f GiB"),
    ],
)
def test_a_column_s_unit_is_one_in_which_no_size_is_lost(sizes: list[int | None], format: str) -> None:
    unit = unit_of(sizes)
    assert unit
    assert unit.format == format


@pytest.mark.parametrize("smallest", [5 * MIB, 90 * KIB, 30])
def test_sizes_too_far_apart_for_one_unit_are_each_in_their_own(smallest: int) -> None:
    sizes = [4_488 * MIB, smallest, 0, None]
    table, columns = in_units([{"Size": one} for one in sizes], {"Size": Sizes("Help")}, {})
    assert shown_cells(table, "Size") == ["4.4 GiB", size(smallest), "0 B", "–"]
    assert table.data["Size"].dropna().to_list() == sizes[:3]
    assert columns["Size"]["help"] == "Help"


@given(st.lists(st.integers(1, 10**15), min_size=1))
def test_sizes_keep_their_order_and_none_is_shown_as_nothing(sizes: list[int]) -> None:
    table, _ = in_units([{"Size": size} for size in sizes], {"Size": Sizes()}, {})
    unit = unit_of(sizes)
    if unit is None:
        assert table.data["Size"].to_list() == sizes
        assert not any(cell.startswith("0 ") for cell in shown_cells(table, "Size"))
    else:
        cells = table["Size"].to_pylist()
        assert [cell * unit.bytes for cell in cells] == pytest.approx(sizes)
        assert all(round(cell, unit.decimals) > 0 for cell in cells)


def test_a_column_that_is_unknown_from_top_to_bottom_is_still_of_numbers() -> None:
    table, columns = in_units([{"Size": None}], {"Size": Sizes("Help")}, {})
    assert table["Size"].type == pa.float64()
    assert columns["Size"]["help"] == "Help"


@pytest.mark.parametrize(
    "cell",
    [
        *("1.0 GiB", "150 KiB", "≥ 12 MiB", "0 B"),
        *("3 days ago", "just now", "2026-11-01", "2026-11-01 10:00 UTC"),
        *("USD 12.50", "€4", "1,200.00 EUR"),
    ],
)
def test_a_size_a_time_and_an_amount_as_text_are_seen(cell: str) -> None:
    assert list(faults(pa.table({"Name": ["a", None], "Cell": [None, cell]})))


def test_names_digests_and_real_times_are_no_fault() -> None:
    cells = {"Tag": ["v1.0.0", "20261101"], "At": [datetime(2026, 11, 1, tzinfo=UTC)] * 2, "Size": [1, 2]}
    assert not list(faults(pa.table(cells)))


def test_every_table_and_metric_is_shown_in_the_one_way() -> None:
    ways = {"dataframe": "show_rows or selectable", "metric": "show_metrics"}
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} st.{node.attr}: call {ways[node.attr]}"
        for top in ("ui", "pages")
        for path in (ROOT / top).rglob("*.py")
        if path.parent != ROOT / "ui" / "elements"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ways
    ]
    assert not wrong, "\n".join(wrong)
