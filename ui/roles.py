"""Role definitions, cached: what Azure says of each role, by identity."""

from datetime import UTC, datetime

import streamlit as st

from services.assignments import list_roles
from services.role_definitions import RoleDefinition
from services.subscriptions import Subscription
from ui import connection
from ui.loaders import Loaded


@st.cache_resource(ttl="10m", show_spinner="Reading roles", max_entries=50)
def definitions(who: str, subscription_id: str, name: str) -> Loaded[dict[str, RoleDefinition]]:
    """The roles that can be assigned in a subscription, by GUID. Raises ServiceError."""
    return Loaded(list_roles(connection.session(who), Subscription(subscription_id, name, "", "")), datetime.now(UTC))
