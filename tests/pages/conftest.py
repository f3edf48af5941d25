from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from ui.loaders import registries as registry_loaders
from ui.runtime import connection

SHELL = str(Path(__file__).parents[2] / "pages" / "shell.py")
Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees what another has read, or recorded."""
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    """What the sandbox of a test is to break: nothing yet."""
    file = tmp_path / "faults.json"
    file.write_text("[]")
    return file


def read(who: str) -> None:
    """Waits until the inventory is in: pages show it without progress then."""
    assert registry_loaders.inventory(who).finished.wait(30)


@pytest.fixture
def open_view(session: AzureSession) -> Open:
    """Opens a view of the console, connected to the sandbox, with these query parameters."""

    def opened(script: str = "inventory.py", as_session: AzureSession | None = None, **query: str) -> AppTest:
        connection.use(as_session or session)
        read(connection.who())
        at = AppTest.from_file(SHELL, default_timeout=30)
        at.run()
        for name, value in query.items():
            at.query_params[name] = value
        return at.switch_page(script).run() if script != "inventory.py" else at.run()

    return opened


def texts(at: AppTest) -> str:
    """All that a reader sees as words, one element a line."""
    elements = [*at.title, *at.subheader, *at.markdown, *at.text, *at.caption, *at.code, *at.error, *at.info]
    return "\n".join(str(element.value) for element in elements)
