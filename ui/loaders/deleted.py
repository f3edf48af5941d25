"""What is soft deleted in a registry, cached."""

import streamlit as st

from services.connection.parallel import Partial
from services.restore.deleted import DeletedContents, read_all_deleted
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=20, validate=fresh)
def deleted(who: str, login_server: str) -> Reading[Partial[DeletedContents]]:
    """What can be restored of every repository of a registry."""
    client = connection.session(who).registry(login_server)

    def work(reading: Reading[Partial[DeletedContents]]) -> None:
        reading.value = read_all_deleted(client, progress=reading.report, stop=reading.stop)
        reading.lacks = reading.value.refused

    return start(Partial(()), work)
