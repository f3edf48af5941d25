"""What each registry costs this month, for lists: estimates first, then bills where they can be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import streamlit as st

from services.connection.parallel import Partial, Refusal
from services.costs.bills import SubscriptionCosts
from services.costs.registry_costs import RegistryCost, registry_costs
from services.costs.review import days_in, estimate_month, latest_currencies, recent_months, review_month
from services.pricing.price_cache import list_prices
from services.pricing.retail_prices import CURRENCIES
from services.registries.registry import Registry
from ui.loaders.bills import Bills, bills
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start
from ui.runtime.settings import read_settings


@dataclass(frozen=True)
class RegistryCosts:
    """Registry id in lower case → its cost. `bills`: what could be read of them, or that they are not read yet."""

    costs: Mapping[str, RegistryCost] = field(default_factory=dict)
    bills: Partial[SubscriptionCosts] = field(default_factory=lambda: Partial[SubscriptionCosts]((), untried=1))


def costs_of(who: str, registries: Partial[Registry], read_at: datetime) -> Reading[RegistryCosts]:
    """The costs of `registries`, which were read at `read_at`."""
    today = datetime.now(UTC).date()
    months = recent_months(today)
    return _costs(who, today, read_at, registries, bills(who, months[-1], today.replace(day=days_in(today))))


# `read_at` stands for the registries.
@st.cache_resource(ttl="1h", show_spinner=False, max_entries=20, validate=fresh)
def _costs(
    who: str,
    today: date,
    read_at: datetime,  # noqa: ARG001 The key.
    _registries: Partial[Registry],
    _bills: Reading[Bills],
) -> Reading[RegistryCosts]:
    session, folder = connection.session(who), read_settings().data
    regions = tuple(sorted({registry.location for registry in _registries.values}))
    month = today.replace(day=1)

    def costs(currency: str, read: tuple[SubscriptionCosts, ...]) -> Mapping[str, RegistryCost]:
        prices = list_prices(session, folder, currency, regions)
        estimates = estimate_month(_registries.values, prices.by_region, month)
        return registry_costs(review_month(month, today, read, _registries, estimates))

    def work(reading: Reading[RegistryCosts]) -> None:
        reading.report(0, 0, "bills")
        if not _bills.finished.is_set():
            reading.value = RegistryCosts(costs(CURRENCIES[0], ()))
        _bills.finished.wait()
        found = _bills.value.costs
        if _bills.error:
            found = Partial((), (Refusal("bills", _bills.error),))
        billed = latest_currencies(row for bill in found.values for row in bill.rows)
        reading.value = RegistryCosts(costs(billed[0] if billed else CURRENCIES[0], found.values), found)
        reading.lacks = found.refused

    return start(RegistryCosts(), work)
