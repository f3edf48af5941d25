"""Role definitions, cached."""

from datetime import UTC, datetime

import streamlit as st

from services.access.role_assignment_reading import list_roles
from services.access.role_definitions import RoleDefinition
from services.arm.subscriptions import Subscription
from services.connection.parallel import Partial
from ui.loaders.registries import Loaded
from ui.runtime import connection


@st.cache_resource(ttl="10m", show_spinner="Reading roles", max_entries=50)
def definitions(who: str, subscription_id: str, name: str) -> Loaded[Partial[RoleDefinition]]:
    """The roles that can be assigned in a subscription. Raises ServiceError."""
    return Loaded(list_roles(connection.session(who), Subscription(subscription_id, name, "", "")), datetime.now(UTC))
