"""List prices, read in the background for pages that don't wait for them."""

import streamlit as st

from services.connection.parallel import Refusal
from services.pricing.price_cache import PriceList, list_prices
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start
from ui.runtime.database import database


@st.cache_resource(ttl="1h", show_spinner=False, max_entries=50, validate=fresh)
def price_list(who: str, currency: str, regions: tuple[str, ...]) -> Reading[PriceList]:
    """The prices of these regions; none until they are read."""
    session = connection.session(who)

    def work(reading: Reading[PriceList]) -> None:
        reading.value = list_prices(session, database, currency, regions)
        error = reading.value.error
        reading.lacks = (Refusal("list prices", error),) if error else ()

    return start(PriceList(currency, {}), work)
