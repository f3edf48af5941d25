"""Each registry with its recommended SKU, what that saves, and why."""

from collections.abc import Callable, Sequence

import pyarrow as pa
import streamlit as st

from services.connection.parallel import Partial
from services.pricing.money import ZERO, cents, headline
from services.pricing.sku_choice import SkuReview
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import money_column
from ui.elements.metrics import Metric
from ui.elements.selectable_table import selectable
from ui.navigation.selection import not_read, show_no_registries
from ui.pricing.prices import PriceBook

_MONEY = pa.decimal128(38, 2)


def figures_of(reviews: Sequence[SkuReview], listed: Partial[Registry], currency: str) -> list[Metric]:
    """How many registries have a cheaper SKU, and what all cost now at list prices."""
    known = [one for one in reviews if one.saving is not None]
    unknown = len(reviews) - len(known)
    unread = not_read(listed)
    lacks = "; ".join(
        part
        for part in (
            f"SKU of {unknown:,} unknown" if unknown else "",
            f"{counted(len(unread), 'subscription')} unread" if unread else "",
        )
        if part
    )
    why = "no registry's use is known"
    some = bool(known) or not (reviews or unread)
    cheaper = sum(1 for one in known if one.saving)
    return [
        Metric(
            "With a cheaper SKU",
            cheaper if some else None,
            beside=f"of {counted(len(reviews), 'registry', 'registries')}",
            unknown=why,
            lacks=lacks,
        ),
        Metric(
            "At list prices",
            headline(sum((one.present.total for one in known if one.present), ZERO), currency) if some else None,
            help="Fee, storage and replicas of the present SKUs",
            beside="a month, with the present SKUs" if some else "",
            unknown=why,
            lacks=lacks,
        ),
    ]


def show_reviews(
    reviews: Sequence[SkuReview], listed: Partial[Registry], book: PriceBook, compare: Callable[[Registry], None]
) -> None:
    """A row for each registry, the largest saving first. `compare` is called with the one that is opened."""
    if not reviews:
        show_no_registries(listed)
        return
    now, saving = f"Now at list prices, {book.currency}", f"Saving, {book.currency}"
    amount = money_column(f"A month of {book.days} days")
    selectable(
        sorted(reviews, key=lambda one: (-(one.saving or ZERO), one.registry.name)),
        lambda one: _row(one, now, saving),
        f"reviews {st.query_params.get('registry', '')}",
        "Registries, with the recommended SKU of each, the largest saving first",
        columns={
            "Registry": st.column_config.TextColumn(help="Opens the comparison with what the registry uses"),
            "Why": st.column_config.TextColumn(
                width=460,
                help="From the registry's settings. Request rates, builds and connected registries are not read here",
            ),
            now: amount,
            saving: amount,
        },
        types={now: _MONEY, saving: _MONEY},
        identity=lambda one: one.registry.id,
        on_select=lambda one: compare(one.registry),
    )


def _row(review: SkuReview, now: str, saving: str) -> dict[str, object]:
    return {
        "Registry": review.registry.name,
        saving: cents(review.saving) if review.saving is not None else None,
        "Recommended": _recommended(review),
        now: cents(review.present.total) if review.present else None,
        "Why": _why(review),
        "Subscription": review.registry.subscription,
    }


def _recommended(review: SkuReview) -> str:
    """'Premium → Basic', 'Keep Premium', or that it is unknown."""
    best, present = review.choice.best if review.choice else None, review.registry.sku
    if review.choice is None:
        return f"{present} → unknown"
    return f"{present} → {best.sku}" if best and review.saving else f"Keep {present}"


def _why(review: SkuReview) -> str:
    """Why the SKU is recommended, or why that is unknown."""
    return review.choice.reason if review.choice else f"Unknown: {review.unknown}"
