"""Each registry with its recommended SKU, and a button that plans the change."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import pyarrow as pa
import streamlit as st

from services.connection.parallel import Partial
from services.pricing.money import cents, money
from services.pricing.sku_choice import SkuReview
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import money_column
from ui.elements.selectable_table import selectable
from ui.elements.table import TEXTS
from ui.elements.text import plain
from ui.navigation.selection import not_read, show_no_registries
from ui.pricing.prices import PriceBook
from ui.pricing.sku_change import change_sku

_MONEY = pa.decimal128(38, 2)


def show_reviews(who: str, reviews: Iterable[SkuReview], listed: Partial[Registry], book: PriceBook) -> None:
    """A row for each registry, the largest saving first. A selected one can be changed. `listed`: what was read."""
    st.subheader("Our registries", anchor=False)
    reviews = sorted(reviews, key=lambda one: (-(one.saving or 0), one.registry.name))
    if not reviews:
        show_no_registries(listed)
        return
    known = [one.saving for one in reviews if one.saving is not None]
    lacks = _lacking(reviews, listed)
    if known:
        amount = money(sum(known, Decimal(0)), book.currency)
        st.markdown(
            f"Recommended SKUs would save {'at least ' if lacks else ''}**{amount}** a month, without losing a feature "
            f"in use. {lacks}Select a row to plan a change."
        )
    else:
        st.markdown(f"What recommended SKUs would save is unknown. {lacks}")
    now, saving = f"Now, {book.currency}", f"Saving, {book.currency}"
    amount = money_column(f"A month of {book.days} days")
    chosen = selectable(
        reviews,
        lambda one: _row(one, now, saving),
        "reviews",
        "Registries, with the recommended SKU of each",
        columns={
            "In use": st.column_config.ListColumn(width="medium"),
            "Cheaper SKU": st.column_config.TextColumn(width="medium", help="With the features in use that it lacks"),
            now: amount,
            saving: amount,
        },
        types={"In use": TEXTS, now: _MONEY, saving: _MONEY, "Recommended": pa.string()},
        identity=lambda one: one.registry.id,
    )
    st.caption(
        "From each registry's settings: request rates and builds are not included. Connected registries are read when "
        "a change is planned."
    )
    if chosen:
        best = chosen.choice.best.sku if chosen.choice and chosen.choice.best else None
        if st.button(f"Change SKU of {plain(chosen.registry.name)}", icon=":material/swap_vert:"):
            change_sku(who, chosen.registry, book, best)


def _lacking(reviews: Sequence[SkuReview], listed: Partial[Registry]) -> str:
    """Sentences on what the sum of the savings leaves out, each with a space after it; "" where it has all."""
    unknown = sum(1 for one in reviews if one.saving is None)
    parts = []
    if unknown:
        parts.append(f"Not included: {unknown:,} of {counted(len(reviews), 'registry', 'registries')}, see the table. ")
    if unread := not_read(listed):
        parts.append(f"Not read: the registries of {plain(', '.join(unread))}. ")
    return "".join(parts)


def _row(review: SkuReview, now: str, saving: str) -> dict[str, object]:
    best = review.choice.best if review.choice else None
    blocked = review.blocked
    return {
        "Registry": review.registry.name,
        "SKU": review.registry.sku,
        "In use": [*review.found.evidence, *(f"{what} unknown" for what in review.found.unread)],
        now: cents(review.present.total) if review.present else None,
        "Recommended": best.sku.value if best else None,
        saving: cents(review.saving) if review.saving is not None else None,
        "Cheaper SKU": f"{blocked.sku}: {' '.join(blocked.lacks)}" if blocked else review.unknown,
        "Subscription": review.registry.subscription,
    }
