"""The cost report of a month as it goes out by itself: what the Cost review's file has, with what could not be read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Event
from typing import Any

from services.connection.session import AzureSession
from services.cost_reports.reading import MonthRead, read_month, unread_table, unread_words
from services.cost_trend.tables import report_tables
from services.costs.review import Review, estimate_month, groups_of, review_month, total_by
from services.costs.savings import savings_of
from services.costs.tables import budget_table, group_table, list_price_table, meter_table, registry_table, source_table
from services.pricing.price_cache import PriceList, list_prices
from services.pricing.report import Report, csv_of, html_of
from ui.costs.figures import figures_of
from ui.costs.report import ReviewTables, cost_report
from ui.costs.savings import saving_figure
from ui.costs.sections import unread_bills
from ui.elements.metrics import Metric
from ui.pricing.prices import PriceBook, book_of, sheet_of_settings
from ui.runtime.database import database

_DAYS = 30


@dataclass(frozen=True)
class MonthReport:
    """A report of the month. `lacks` says what could not be read for it, "" where all was; `may_pass`: some of that may
    be there when it is asked for again."""

    month: date
    report: Report
    lacks: str
    unread: tuple[tuple[str, str, str], ...]
    may_pass: bool

    def as_files(self) -> Mapping[str, bytes]:
        """The report to read and to calculate with, by the names of the files."""
        html, csv = file_names(self.month)
        # Without this mark, spreadsheets assume an older encoding.
        return {html: html_of(self.report).encode(), csv: ("\ufeff" + csv_of(self.report)).encode()}

    def as_message(self, key: str) -> Mapping[str, Any]:
        """The report as JSON for a webhook. `text`: one line, which chats show. `key`: the same each time that this
        report is sent, so that a receiver knows one that it has."""
        report = self.report
        figures = [{"name": one.name, "value": one.value, "note": one.note} for one in report.figures]
        said = "; ".join(f"{one['name']}: {one['value']}" for one in figures)
        return {
            "id": key,
            "text": f"{report.title}. {said}.{f' {self.lacks}.' if self.lacks else ''}",
            "title": report.title,
            "month": f"{self.month:%Y-%m}",
            "read_at": report.at.isoformat(),
            "figures": figures,
            "notes": list(report.notes),
            "unread": [{"what": kind, "of": of, "reason": why} for kind, of, why in self.unread],
            "csv": csv_of(report),
            "html": html_of(report),
        }


def file_names(month: date) -> tuple[str, str]:
    """The names of the report's files: they sort by month."""
    name = f"registry-cost-review-{month:%Y-%m}"
    return f"{name}.html", f"{name}.csv"


def make_report(session: AzureSession, month: date, today: date, stop: Event) -> MonthReport:
    """Reads what the report of a month needs and makes it. Raises ServiceError as `read_month`, and where the price
    sheet of the settings can't be used."""
    name, sheet = sheet_of_settings()

    def prices(currency: str, regions: Collection[str]) -> PriceList:
        return list_prices(session, database, currency, regions)

    read = read_month(session, month, today, prices, stop=stop)
    book = book_of(read.prices, _DAYS, Decimal(0), name, sheet)
    listed, bills = read.listed, read.bills.costs
    review = review_month(month, today, bills.values, listed, estimate_month(listed.values, book.by_region, month))
    return MonthReport(
        month,
        cost_report(
            review,
            datetime.now(UTC),
            session.identity.name,
            book.words,
            _figures(read, review, book),
            _tables(read, review, today),
            unread_table(read),
        ),
        unread_words(read),
        tuple((one.kind, one.of, one.error.cause) for one in read.unread),
        any(one.may_pass for one in read.unread),
    )


def _figures(read: MonthRead, review: Review, book: PriceBook) -> list[Metric]:
    listed, bills = read.listed, read.bills.costs
    everything = total_by(review.lines, {line.registry_id: "" for line in review.lines})
    # How much is untagged is counted where a person asks for it.
    savings = savings_of(listed.values, book.by_region, {}, book.days)
    billed = bool(read.bills.currency) or bills.complete
    return [
        *figures_of(review, everything, bills, listed),
        saving_figure(savings, book.currency, listed, billed=billed),
    ]


def _tables(read: MonthRead, review: Review, today: date) -> ReviewTables:
    listed, bills, budgets = read.listed, read.bills.costs, read.bills.budgets
    partial_bills = unread_bills(bills) > 0
    partial = partial_bills or not listed.complete or any(line.figure is None for line in review.lines)
    by, groups = next(iter(groups_of(review.lines, listed.values).items()))
    return ReviewTables(
        group_table(total_by(review.lines, groups), by, review, partial=partial),
        registry_table(review),
        list_price_table(review),
        [
            meter_table(
                read.bills.by_meter[currency], review.months, currency, today.replace(day=1), partial=partial_bills
            )
            for currency in review.currencies
        ],
        budget_table(budgets.values),
        source_table(bills),
        trend=report_tables(read.trend, read.quarter),
    )
