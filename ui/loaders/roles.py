"""Role definitions, cached."""

from datetime import UTC, datetime

import streamlit as st

from services.access.role_assignment_reading import list_roles
from services.access.role_definitions import RoleDefinition
from services.arm.subscriptions import Subscription
from ui.loaders.registries import Loaded
from ui.runtime import connection


@st.cache_resource(ttl="10m", show_spinner="Reading roles", max_entries=50)
def definitions(who: str, subscription_id: str, name: str) -> Loaded[dict[str, RoleDefinition]]:
    """The roles that can be assigned in a subscription, by GUID. Raises ServiceError."""
    found = list_roles(connection.session(who), Subscription(subscription_id, name, "", ""))
    return Loaded({role.id: role for role in found.values}, datetime.now(UTC))
