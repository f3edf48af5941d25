"""Databases for tests: SQLite in a folder, and PostgreSQL where it is installed."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from services.database.engine import open_database


@contextmanager
def sqlite(folder: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{folder / 'console.db'}")
    yield engine
    engine.dispose()


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """The URL of a new database at the PostgreSQL `server`."""
    name = f"test_{secrets.token_hex(6)}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as db:
        db.execute(text(f"CREATE DATABASE {name}"))
    yield f"{server.rpartition('/')[0]}/{name}"
    with admin.connect() as db:
        db.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()
