from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from services.connection.session import AzureSession
from ui.runtime import connection


@pytest.fixture
def recorded(session: AzureSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Changes are recorded in a database of this test's own; the identity that they are recorded for."""
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    st.cache_resource.clear()
    connection.use(session)
    yield connection.who()
    st.cache_resource.clear()
