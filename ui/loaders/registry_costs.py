"""What each registry costs this month, for lists: estimates first, then bills where they can be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import streamlit as st

from services.connection.parallel import Partial, Refusal
from services.costs.bills import SubscriptionCosts
from services.costs.registry_costs import RegistryCost, registry_costs
from services.costs.review import estimate_month, latest_currencies, review_month
from services.pricing.price_cache import list_prices
from services.pricing.retail_prices import CURRENCIES
from ui.loaders.bills import recent_bills
from ui.loaders.registries import inventory
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start
from ui.runtime.database import database


@dataclass(frozen=True)
class RegistryCosts:
    """Registry id in lower case → its cost. `bills`: what could be read of them, or that they are not read yet."""

    costs: Mapping[str, RegistryCost] = field(default_factory=dict)
    bills: Partial[SubscriptionCosts] = field(default_factory=lambda: Partial[SubscriptionCosts]((), untried=1))


def costs_of(who: str, read_at: datetime) -> Reading[RegistryCosts]:
    """The costs of the registries of the inventory, which were read at `read_at`."""
    return _costs(who, read_at, id(recent_bills(who)))


# The key has both readings: what was read anew is another one.
@st.cache_resource(ttl="1h", show_spinner=False, max_entries=20, validate=fresh)
def _costs(who: str, read_at: datetime, bills_read: int) -> Reading[RegistryCosts]:  # noqa: ARG001
    today, registries, billing = datetime.now(UTC).date(), inventory(who).value.registries, recent_bills(who)
    session = connection.session(who)
    regions = tuple(sorted({registry.location for registry in registries.values}))
    month = today.replace(day=1)

    def costs(currency: str, read: tuple[SubscriptionCosts, ...]) -> Mapping[str, RegistryCost]:
        prices = list_prices(session, database, currency, regions)
        estimates = estimate_month(registries.values, prices.by_region, month)
        return registry_costs(review_month(month, today, read, registries, estimates))

    def work(reading: Reading[RegistryCosts]) -> None:
        reading.report(0, 0, "bills")
        if not billing.finished.is_set():
            reading.value = RegistryCosts(costs(CURRENCIES[0], ()))
        billing.finished.wait()
        found = billing.value.costs
        if billing.error:
            found = Partial((), (Refusal("bills", billing.error),))
        billed = latest_currencies(row for bill in found.values for row in bill.rows)
        reading.value = RegistryCosts(costs(billed[0] if billed else CURRENCIES[0], found.values), found)
        reading.lacks = found.refused

    return start(RegistryCosts(), work)
