"""What Azure measured of a registry's storage, read beside the page."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import streamlit as st

from services.growth.measured import read_measured
from services.registries.registry import Registry
from ui.loaders.registries import BY_ID
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


@st.cache_resource(ttl="1h", show_spinner=False, max_entries=100, validate=fresh, hash_funcs=BY_ID)
def measured_storage(who: str, registry: Registry) -> Reading[Mapping[date, int]]:
    """Bytes by day, of the last 90 days; none until they are read."""
    session = connection.session(who)

    def work(reading: Reading[Mapping[date, int]]) -> None:
        reading.report_state(f"metrics of {registry.name}")
        reading.value = read_measured(session, registry, datetime.now(UTC))

    nothing: Mapping[date, int] = {}
    return start(nothing, work)
