"""What could be saved a month: the same figure on Overview, the cost review and the SKU comparison."""

from decimal import Decimal

import streamlit as st

from services.connection.parallel import Partial
from services.costs.savings import Savings
from services.pricing.estimates import GIB
from services.pricing.money import ZERO, cents, headline, money
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.metrics import Metric
from ui.elements.text import plain, size
from ui.navigation import pages
from ui.navigation.links import link_to

LABEL = "Could be saved"
# What of a page's address the amounts depend on, for links to a page that shows the same.
_PRICES = ("currency", "discount")


def saving_figure(savings: Savings, currency: str, listed: Partial[Registry], *, billed: bool) -> Metric:
    """What could be saved a month at list prices, by what, and what is not known of it. `billed`: the bills, or that
    there are none, say that it is in this currency."""
    unread = len(listed.refused) + listed.untried
    lacks = (
        f"SKU of {savings.sku_unknown:,} unknown" if savings.sku_unknown else "",
        f"untagged storage of {savings.uncounted:,} not measured" if savings.uncounted else "",
        "" if billed else "currency of the bills unknown",
        f"{counted(unread, 'subscription')} unread" if unread else "",
    )
    return Metric(
        LABEL,
        None if savings.amount is None else headline(savings.amount, currency),
        help="At list prices, by the recommended SKUs, and by deleting untagged manifests beyond the included storage",
        beside="" if savings.amount is None else f"a month{_parts(savings, currency)}{_not_counted(savings, currency)}",
        unknown="no registry's use could be read",
        lacks="; ".join(part for part in lacks if part),
    )


def _parts(savings: Savings, currency: str) -> str:
    """Which parts the amount has: each with its own amount where there are two."""
    by_sku = f"by SKU in {counted(len(savings.cheaper), 'registry', 'registries')}" if savings.cheaper else ""
    by_storage = f"by untagged storage in {len(savings.untagged):,}" if savings.untagged else ""
    if by_sku and by_storage:
        return f", {money(savings.by_sku, currency)} {by_sku}, {money(savings.by_storage, currency)} {by_storage}"
    return f", {by_sku or by_storage}" if by_sku or by_storage else ""


def _not_counted(savings: Savings, currency: str) -> str:
    """What storage beyond the included costs: what of it could be deleted is unknown."""
    beyond = sum((one.beyond for one in savings.beyond), ZERO)
    return f"; not counted: {_rounded(beyond, currency)} for storage beyond the included" if beyond else ""


def _rounded(amount: Decimal, currency: str) -> str:
    """Without cents, as Overview says it of one registry; with them below 1."""
    return f"{currency} {round(amount):,}" if amount >= 1 else f"{currency} {cents(amount)}"


def show_beyond(savings: Savings, currency: str) -> None:
    """A link to the storage that costs beyond the included fee and is in no saving; nothing where none is known."""
    if not savings.beyond:
        return
    most = savings.beyond[0]
    name = most.review.registry.name
    stored = size(round(sum((one.beyond_gib for one in savings.beyond), ZERO) * GIB))
    cost = _rounded(sum((one.beyond for one in savings.beyond), ZERO), currency)
    more = f" and {len(savings.beyond) - 1:,} more" if savings.beyond[1:] else ""
    link_to(
        pages.STORAGE,
        # A phone cuts it at its end, and the figure above has that.
        f"Not counted: {plain(name)}{more}, {cost} a month, {stored} beyond the included storage",
        tip="How much of it can be deleted is unknown",
        registry=name,
    )


def show_saving_links(savings: Savings) -> None:
    """Where the saving is made: links to the SKUs and to the storage."""
    prices = {name: st.query_params[name] for name in _PRICES if name in st.query_params}
    with st.container(horizontal=True, vertical_alignment="center"):
        if savings.cheaper:
            link_to(pages.SKU_COMPARISON, f"{_registries(len(savings.cheaper))} with a cheaper SKU", **prices)
        else:
            unknown = f", {savings.sku_unknown:,} unknown" if savings.sku_unknown else ""
            link_to(pages.SKU_COMPARISON, f"No cheaper SKU is known{unknown}", **prices)
        if savings.with_untagged:
            most = savings.with_untagged[0]
            name = most.review.registry.name
            link_to(pages.STORAGE, f"{size(most.untagged or 0)} untagged in {plain(name)}", registry=name)
        if savings.uncounted:
            left = f"{savings.uncounted:,} of {_registries(savings.registries)}"
            link_to(pages.OVERVIEW, f"Untagged storage not measured in {left}", show="Clean-up potential")
        elif not savings.with_untagged:
            link_to(pages.STORAGE, "No untagged storage")


def _registries(number: int) -> str:
    return counted(number, "registry", "registries")
