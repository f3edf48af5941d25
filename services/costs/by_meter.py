"""What was billed, by meter and month: many rows grouped and pivoted, with pandas."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from services.costs.rows import CostRow
from services.pricing.money import ZERO

COLUMNS = ["currency", "meter", "month", "cost"]


def months_by_meter(rows: Iterable[CostRow]) -> Mapping[str, pd.DataFrame]:
    """By currency a table: a row for each meter, the highest sum first, and a column for each month (its first day).

    Cells are Decimal, exact to the last digit billed; None where nothing was billed.
    """
    billed = pd.DataFrame([(row.currency, row.meter, row.month, row.cost) for row in rows], columns=COLUMNS)
    sums = billed.astype({"cost": object}).groupby(COLUMNS[:3])["cost"].sum()
    return {str(currency): _dearest_first(sums.xs(currency)) for currency in billed["currency"].unique()}


def _dearest_first(sums: "pd.Series[Any]") -> pd.DataFrame:
    table = sums.unstack("month").astype(object)
    table = table.where(table.notna(), None)
    in_all = {meter: sum((amount for amount in table.loc[meter] if amount is not None), ZERO) for meter in table.index}
    return table.loc[sorted(in_all, key=lambda meter: (-in_all[meter], meter))]


def in_months(amounts: pd.DataFrame, months: Sequence[date]) -> list[tuple[str, list[Decimal | None]]]:
    """The rows of such a table for these months, each with its meter; None where nothing was billed."""
    shown = amounts.reindex(columns=list(months)).astype(object)
    shown = shown.where(shown.notna(), None)
    return [(str(meter), list(row)) for meter, *row in shown.itertuples(name=None)]
