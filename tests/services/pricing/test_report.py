import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from services.pricing.bar_chart import Bar, BarChart
from services.pricing.money import cents, money
from services.pricing.report import Bytes, Cell, Figure, Report, Table, csv_of, html_of

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
amounts = st.decimals(-(10**6), 10**6, allow_nan=False, places=6)
cells = st.one_of(st.none(), st.text(max_size=20), st.integers(-1000, 1000), amounts)


def report(*rows: tuple[Cell, ...], chart: BarChart | None = None) -> Report:
    table = Table("Registries", ("Registry", "So far"), rows, chart=chart)
    figure = Figure("So far", "USD 1.00", "at least: 1 bill unread")
    return Report("Registry cost review", AT, "contoso", (figure,), ("Estimates are list prices.",), (table,))


class Cells(HTMLParser):
    """The text of each table cell, and every tag that a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self._within = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.add(tag)
        self._within = tag == "td"
        if self._within:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = self._within and tag != "td"

    def handle_data(self, data: str) -> None:
        if self._within:
            self.cells[-1] += data


def test_money_is_rounded_half_up_and_has_its_currency() -> None:
    assert cents(Decimal("0.125")) == Decimal("0.13")
    assert cents(Decimal("-0.125")) == Decimal("-0.13")
    assert str(cents(Decimal("-0.001"))) == "0.00"
    assert money(Decimal("1234.5"), "EUR") == "EUR 1,234.50"


def test_both_files_show_the_same_cents() -> None:
    made = report(("contosohub", Decimal("1234.565")), ("contosodev", None), ("contosoci", Decimal(0)))
    assert Cells(html_of(made)).cells == ["contosohub", "1,234.57", "contosodev", "–", "contosoci", "0.00"]
    rows = list(csv.reader(io.StringIO(csv_of(made))))
    assert rows[-3:] == [["contosohub", "1234.57"], ["contosodev", ""], ["contosoci", "0.00"]]
    assert rows[rows.index(["Registries"]) + 1] == ["Registry", "So far"]


@given(st.lists(st.tuples(cells, cells), max_size=5))
def test_whatever_stands_in_a_cell_the_files_hold_it_as_text(rows: list[tuple[Cell, Cell]]) -> None:
    page = Cells(html_of(report(*rows)))
    assert len(page.cells) == 2 * len(rows)
    assert page.tags <= Cells(html_of(report(("a", "b")))).tags
    read = list(csv.reader(io.StringIO(csv_of(report(*rows)), newline="")))[7:]
    for row, found in zip(rows, read, strict=True):
        for cell, text in zip(row, found, strict=True):
            if isinstance(cell, str):
                assert text.removeprefix("'") == cell.removeprefix("'")
            elif isinstance(cell, Decimal):
                assert Decimal(text) == cents(cell)
            else:
                assert text == ("" if cell is None else str(cell))


def test_no_name_is_a_formula() -> None:
    for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1"):
        (found,) = csv.reader([csv_of(report((name, 1))).splitlines()[-1]])
        assert found == [f"'{name}", "1"]


def test_html_runs_nothing_and_fetches_nothing() -> None:
    text = html_of(report(('<img src="https://contoso.example/x">', 1), ("<script>alert(1)</script>", 2)))
    assert "default-src 'none'" in text
    assert not {"img", "script", "link"} & Cells(text).tags


def test_a_saved_report_has_the_chart_of_its_table() -> None:
    bars = (Bar("contosohub", (Decimal(3), Decimal(1)), "USD 4.00"), Bar("contosodev", (Decimal(1), None), "USD 1.00"))
    chart = BarChart("contosohub is 80 %", "USD", ("So far", "Forecast"), bars)
    text = html_of(report(("contosohub", Decimal(4)), chart=chart))
    assert text.index("contosohub is 80 %") < text.index("<table>")
    assert "<figure>" not in html_of(report(("contosohub", Decimal(4))))


def test_numbers_are_right_with_their_headings() -> None:
    text = html_of(report(("contosohub", Decimal(4)), ("contosodev", None)))
    assert '<th scope="col" class="number">So far</th>' in text
    assert '<th scope="col">Registry</th>' in text
    assert text.count('<td class="number">') == 2


def test_a_figure_says_what_it_lacks() -> None:
    assert "at least: 1 bill unread" in html_of(report())
    assert "So far,USD 1.00,at least: 1 bill unread" in csv_of(report())


def test_a_size_is_in_its_own_unit_and_never_nothing_where_it_is_something() -> None:
    table = Table("Repositories", ("Repository", "Unique"), (("web", Bytes(600 * 2**30)), ("chart", Bytes(35_000))))
    sized = replace(report(), tables=(table,))
    for text in (csv_of(sized), html_of(sized)):
        assert "600 GiB" in text
        assert "34.2 KiB" in text
