from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from services.connection.session import AzureSession
from tests.support import table_cells
from tests.support.app_test import SHELL, Open, wait_for_inventory
from ui.elements import table
from ui.navigation.pages import PAGES
from ui.runtime import background, connection

BLINK_S = background.BLINK_S


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees what another has read, or recorded."""
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for what they read: on a busy machine a test would see the progress instead."""
    monkeypatch.setattr(background, "BLINK_S", 30)


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 It comes first.
    """Pages show the progress of what is running."""
    monkeypatch.setattr(background, "BLINK_S", BLINK_S)


@pytest.fixture(autouse=True)
def cells(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever tables a test's pages show: sizes, times and amounts in them are no text."""
    found: list[str] = []

    def checked(rows: Sequence[table.Cells], types: table.Types | None = None) -> pa.Table:
        made = table_of(rows, types)
        found.extend(table_cells.faults(made))
        return made

    table_of = table.table_of
    monkeypatch.setattr(table, "table_of", checked)
    yield
    assert not found


@pytest.fixture
def session(request: pytest.FixtureRequest, session: AzureSession) -> AzureSession:
    """The console's own identity: at the test's own sandbox where it uses one, else at the estate."""
    found: AzureSession = request.getfixturevalue("own").session() if "own" in request.fixturenames else session
    return found


@pytest.fixture
def open_view(session: AzureSession) -> Open:
    """Opens a view of the console, connected to the sandbox, with these query parameters."""

    def opened(script: str = "inventory.py", as_session: AzureSession | None = None, **query: str) -> AppTest:
        connection.use(as_session or session)
        wait_for_inventory(connection.who())
        at = AppTest.from_file(SHELL, default_timeout=30)
        for name, value in query.items():
            at.query_params[name] = value
        # `switch_page` knows an address only after a run of the first page, which reads much.
        at._page_hash = calc_hash(next(page.url_path for page in PAGES if page.path == script))
        return at.run()

    return opened
