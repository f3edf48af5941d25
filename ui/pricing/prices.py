"""The prices that a cost page uses: chosen at its top, with a line on where they come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from services.connection.errors import ServiceError
from services.pricing.price_cache import PriceList, list_prices
from services.pricing.price_sheet import FIELDS, LARGEST_FILE, METERS, PriceSheet, SheetError, read_sheet, with_sheet
from services.pricing.prices import Prices, PriceSource, discounted
from services.pricing.retail_prices import CURRENCIES
from services.wording import counted
from ui.elements.errors import show_error
from ui.elements.text import ago, plain
from ui.navigation.url_choice import check_number, check_url
from ui.runtime import connection
from ui.runtime.database import database
from ui.runtime.settings import read_settings

_UPLOADED = "price sheet"


@dataclass(frozen=True)
class PriceBook:
    """The prices of several regions, all in `currency`, for a month of `days`. `words` says which prices they are."""

    currency: str
    days: int
    by_region: Mapping[str, Prices]
    words: str

    def of(self, region: str) -> Prices:
        """The prices of one of the regions. Raises KeyError if unknown."""
        return self.by_region[region]


@st.cache_resource(
    ttl="1h", show_spinner="Reading list prices", max_entries=50, validate=lambda listed: not listed.error
)
def _list(who: str, currency: str, regions: tuple[str, ...]) -> PriceList:
    """List prices. A list with an error is not cached."""
    return list_prices(connection.session(who), database, currency, regions)


def choose_prices(who: str, regions: Iterable[str], *, with_days: bool = True, currency_first: str = "") -> PriceBook:
    """The chosen prices; their controls are folded beside a line on them. Choices are in the URL,
    `currency_first` is the default currency, that of the bills where there are some."""
    sheet_name, sheet = sheet_in_use()
    if not sheet:
        check_url("currency", "currency", CURRENCIES)
    if with_days:
        check_number("days", "number of days", 28, 31)
    with st.container(horizontal=True, vertical_alignment="center"):
        controls = st.popover("Prices", icon=":material/sell:")
        line = st.container()
    with controls:
        if sheet:
            currency = sheet.currency
            st.text_input("Currency", currency, disabled=True, help="Set by the price sheet")
        else:
            first = CURRENCIES.index(currency_first) if currency_first in CURRENCIES else 0
            currency = st.selectbox("Currency", CURRENCIES, first, key="currency", bind="query-params")
        days = 30
        if with_days:
            days = int(st.number_input("Days in the month", 28, 31, 30, key="days", bind="query-params"))
        discount = st.number_input(
            "Discount on list prices, %",
            0.0,
            100.0,
            0.0,
            format="%.2f",
            key="discount",
            bind="query-params",
            help="As agreed with Microsoft. It does not apply to your price sheet.",
        )
        _ask_for_sheet(sheet_name, sheet)
    listed = _list(who, currency, tuple(sorted(set(regions))))
    book = book_of(listed, days, Decimal(repr(discount)), sheet_name, sheet)
    line.caption(book.words)
    _show_missing_prices(listed, currency)
    return book


def book_of(listed: PriceList, days: int, discount: Decimal, sheet_name: str, sheet: PriceSheet | None) -> PriceBook:
    """List prices less a discount in per cent, and over them a team's own where they are in the same currency."""
    found = {region: discounted(prices, discount) for region, prices in listed.by_region.items()}
    own = sheet if sheet and listed.currency == sheet.currency else None
    if own:
        found = {region: with_sheet(prices, own) for region, prices in found.items()}
    return PriceBook(listed.currency, days, found, _words(listed, discount, sheet_name if own else ""))


def _words(listed: PriceList, percent: Decimal, sheet: str) -> str:
    """Which prices are shown: 'List prices in EUR from the Retail Prices API, read 3 hours ago.'"""
    sources = {prices.source for prices in listed.by_region.values()}
    oldest = min((prices.at for prices in listed.by_region.values()), default=None)
    if sources == {PriceSource.SNAPSHOT}:
        origin = f"the snapshot of {oldest:%d %B %Y} included in this console"
    elif sources == {PriceSource.API}:
        origin = f"the Retail Prices API, read {ago(oldest)}"
    else:
        origin = "the Retail Prices API, and where it has none the snapshot included in this console"
    off = f" less {percent.normalize():f} %" if percent else ""
    over = f", overridden by the prices in {plain(sheet)}" if sheet else ""
    return f"List prices in {listed.currency} from {origin}{off}{over}."


def _show_missing_prices(listed: PriceList, wanted: str) -> None:
    if listed.currency != wanted:
        st.warning(
            f"Prices in {wanted} could not be read: all figures are in {listed.currency}.", icon=":material/warning:"
        )
    if listed.error:
        with st.expander("Today's list prices could not be read", icon=":material/warning:"):
            show_error(listed.error)


def sheet_in_use() -> tuple[str, PriceSheet | None]:
    """The name and the prices of the sheet in use: one that was uploaded here, else that of the settings."""
    uploaded: tuple[str, PriceSheet] | None = st.session_state.get(_UPLOADED)
    if uploaded:
        return uploaded
    try:
        return sheet_of_settings()
    except ServiceError as error:
        show_error(error)
    return "", None


def sheet_of_settings() -> tuple[str, PriceSheet | None]:
    """The name and the prices of the sheet that the settings name. Raises ServiceError where it can't be used."""
    file = read_settings().price_sheet
    if file is None:
        return "", None
    try:
        return file.name, read_sheet(file.name, file.read_bytes())
    except OSError as exc:
        cause = exc.strerror or type(exc).__name__
    except SheetError as exc:
        cause = str(exc)
    raise ServiceError(
        f"The price sheet {file.name} can't be used",
        cause,
        "Fix the file that ACR_CONSOLE_PRICE_SHEET names. Until then, figures are at list prices.",
    )


def _ask_for_sheet(name: str, sheet: PriceSheet | None) -> None:
    if sheet:
        st.markdown(f"**{plain(name)}**: {counted(len(sheet.prices), 'price')} in {sheet.currency}.")
    if _UPLOADED in st.session_state:
        st.button("Remove price sheet", icon=":material/delete:", on_click=st.session_state.pop, args=(_UPLOADED,))
        return
    st.markdown(
        "**Price sheet**: your own prices, as agreed with Microsoft, instead of list prices. A CSV or TOML file with "
        f"{', '.join(f'`{field}`' for field in FIELDS)}. `sku` and `region` are optional."
    )
    st.code("meter,sku,region,currency,price\nPremium Registry Unit,,,EUR,1.21\nData Stored,Premium,,EUR,0.07", None)
    st.caption(f"Meters: {', '.join(METERS)}.")
    file = st.file_uploader("Price sheet", type=["csv", "toml"], max_upload_size=1, label_visibility="collapsed")
    if file is None:
        return
    try:
        st.session_state[_UPLOADED] = file.name, read_sheet(file.name, file.getvalue()[: LARGEST_FILE + 1])
    except SheetError as exc:
        st.error(f"{plain(file.name)} can't be used. {plain(str(exc))}.", icon=":material/error:")
    else:
        st.rerun()
