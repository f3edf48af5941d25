import ast
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.table_cells import faults
from ui.elements.columns import Sizes, unit_of
from ui.elements.table import in_units

ROOT = Path(__file__).parents[3]
KIB, MIB, GIB = 1024, 1024**2, 1024**3


@pytest.mark.parametrize(
    ("sizes", "format"),
    [
        ([], "%,d B"),
        ([None, 0], "%,d B"),
        ([1023], "%,d B"),
        ([KIB, 900 * KIB], "%,.1f KiB"),
        ([12 * KIB, 32], "%,.2f KiB"),
        ([MIB, None, 700 * MIB], "%,.1f MiB"),
        ([700 * MIB, 8 * KIB], "%,.3f MiB"),
        ([GIB, 40 * GIB], "%,.1f GiB"),
        ([40 * GIB, 77 * MIB], "%,.2f GiB"),
        ([40 * GIB, 5 * MIB], "%,.3f GiB"),
        ([40 * GIB, 300 * KIB], "%,.4f GiB"),
        ([GIB - 1, 40 * GIB], "%,.1f GiB"),
        ([40 * GIB, 90 * KIB], "%,.2f MiB"),
        ([40 * GIB, 30], "%,.4f MiB"),
    ],
)
def test_a_column_s_unit_is_one_in_which_no_size_is_lost(sizes: list[int | None], format: str) -> None:
    assert unit_of(sizes).format == format


@given(st.lists(st.none() | st.integers(0, 10**15), min_size=1))
def test_sizes_keep_their_order_and_their_gaps_in_any_unit(sizes: list[int | None]) -> None:
    table, _ = in_units([{"Size": size} for size in sizes], {"Size": Sizes()}, {})
    cells = table["Size"].to_pylist()
    assert [cell is None for cell in cells] == [size is None for size in sizes]
    shown = [cell for cell in cells if cell is not None]
    known = [size for size in sizes if size is not None]
    assert [cell * unit_of(sizes).bytes for cell in shown] == pytest.approx(known)


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
