"""Sign-ins, and changes that are recorded, each in a database of the test's own."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from services.connection.session import AzureSession
from services.sign_in.store import Person, SignIns, sealing_keys
from tests.support.databases import sqlite
from ui.runtime import connection

HOUR = timedelta(hours=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    with sqlite(tmp_path) as engine:
        yield engine


@pytest.fixture
def sign_ins(database: Engine) -> SignIns:
    keys = sealing_keys(Fernet.generate_key().decode())
    return SignIns(lambda: database, keys, HOUR, HOUR, "https://arm.example")


@pytest.fixture
def cookie(sign_ins: SignIns) -> str:
    """Of the platform engineer, who is signed in."""
    return sign_ins.begin("tenant/engineer", Person("Engineer", "engineer@contoso.example"), "tokens", None)


@pytest.fixture
def recorded(session: AzureSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Changes are recorded in a database of this test's own; the identity that they are recorded for."""
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    st.cache_resource.clear()
    connection.use(session)
    yield connection.who()
    st.cache_resource.clear()
