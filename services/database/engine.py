"""Opening the database, its schema brought up to date, and its errors in words.

SQLite has one writer: each write begins with BEGIN IMMEDIATE, so that what it reads first stays true until its commit.
PostgreSQL has row locks for that.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from azure.core.exceptions import AzureError, ClientAuthenticationError
from sqlalchemy import ColumnElement, Connection, Engine, Table, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.connection.errors import ServiceError
from services.database.azure_postgres import sign_in_by_token, token_scope

# As long a writer waits for another process's write on the same SQLite file.
BUSY_S = 10
_DAMAGED = "A row of the database can't be read: it was damaged, or edited."
_CHECK_LOG = "Check the log under Activity, and compare with a backup."
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(url: str) -> Engine:
    """The database at `sqlite:///FILE` or `postgresql+psycopg://…`, with the schema that this version needs.

    Makes the file and its folder where there are none. Raises ServiceError (NoDatabase).
    """
    with database_errors("The console's database could not be opened"):
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise ServiceError(
                "The console's database could not be opened",
                "ACR_CONSOLE_DATABASE is no database URL.",
                "Set it to sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME.",
                "NoDatabase",
            ) from None
        if parsed.get_backend_name() == "sqlite":
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            engine = create_engine(parsed, connect_args={"timeout": BUSY_S})
            _as_sqlite_needs(engine)
        else:
            engine = create_engine(
                parsed, pool_pre_ping=True, pool_recycle=1800, connect_args={"connect_timeout": BUSY_S}
            )
            if scope := token_scope(parsed):
                sign_in_by_token(engine, scope)
        with engine.begin() as db:
            if engine.dialect.name == "postgresql":
                db.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))  # Replicas that start together.
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = db
            command.upgrade(config, "head")
        return engine


_MIGRATING = 7243002


def _as_sqlite_needs(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # Transactions begin below, not where Python's module would.
        for setting in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine, title: str) -> Iterator[Connection]:
    """A transaction, committed at its end. Raises ServiceError (NoDatabase) under `title`: nothing is written."""
    with database_errors(title), engine.begin() as db:
        yield db


@contextmanager
def reading(engine: Engine, title: str) -> Iterator[Connection]:
    """A transaction that only reads, all of it at one moment. Raises ServiceError (NoDatabase) under `title`."""
    # SQLite's transactions are so by themselves.
    snapshot = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with database_errors(title), engine.connect() as plain:
        db = plain.execution_options(reading=True, **snapshot)
        with db.begin():
            try:
                yield db
            except ValueError as exc:  # A value that is none of its column's type: JSON, or a time.
                raise ServiceError(title, f"{_DAMAGED} ({type(exc).__name__})", _CHECK_LOG, "NoDatabase") from exc


def put_rows(
    db: Connection, table: Table, rows: Sequence[Mapping[str, Any]], where: ColumnElement[bool] | None = None
) -> None:
    """Inserts rows; each takes the place of the one with its primary key, if `where` is true of that one."""
    adding = (postgresql if db.dialect.name == "postgresql" else sqlite).insert(table)
    fresh = {column.name: adding.excluded[column.name] for column in table.columns if not column.primary_key}
    db.execute(
        adding.on_conflict_do_update(index_elements=list(table.primary_key), set_=fresh, where=where), list(rows)
    )


def answers(engine: Engine) -> None:
    """Asks the database for a one. Raises ServiceError (NoDatabase)."""
    with reading(engine, "The console's database does not answer") as db:
        db.execute(select(1))


def read_clock(engine: Engine) -> datetime:
    """The time by `clock`. Raises ServiceError (NoDatabase)."""
    with reading(engine, "The database's clock could not be read") as db:
        return clock(db)


def clock(db: Connection) -> datetime:
    """The time by which leases are counted: PostgreSQL's own, since the clocks of replicas differ."""
    if db.dialect.name == "postgresql":
        found: datetime = db.execute(select(func.clock_timestamp())).scalar_one()
        return found.astimezone(UTC)
    return datetime.now(UTC)


# What SQLite and PostgreSQL say, in lower case → why, and what to do.
_CAUSES = (
    (("disk is full", "no space left", "disk full"), "The disk is full.", "Make room on the disk, then try again."),
    (("database is locked", "database table is locked"), "Another process keeps the file locked.",
     "Only consoles should write to the file; for several machines use PostgreSQL (ACR_CONSOLE_DATABASE)."),
    (("readonly database", "read-only"), "The database may not be written to.",
     "Set ACR_CONSOLE_DATA to a folder that the console may write to."),
    (("permission denied for",), "The database's account lacks a permission.",
     "Grant it what docs/hosting.md names, then try again."),
    (("unable to open", "permission denied", "exists", "not a directory"), "The file could not be opened.",
     "Set ACR_CONSOLE_DATA to a folder that the console may write to."),
    (("not a database", "malformed"), "The file is damaged, or no database.",
     "Move the file away, or bring it back from a backup; the console then makes a new one."),
    (("can't locate revision",), "A newer version of the console has changed its schema.",
     "Run that version, or a newer one."),
    (("connection", "server closed", "could not translate", "timeout"), "The database server could not be reached.",
     "Check ACR_CONSOLE_DATABASE and that PostgreSQL runs, then try again."),
)  # fmt: skip


@contextmanager
def database_errors(title: str) -> Iterator[None]:
    """Raises what the database raises as a ServiceError (NoDatabase) under `title`, with the reason in words."""
    try:
        yield
    except (SQLAlchemyError, CommandError, OSError, AzureError) as exc:
        why, todo = _cause(exc)
        said = _said(exc)
        detail = said.splitlines()[0] if said else type(exc).__name__
        raise ServiceError(title, f"{why} ({detail})", todo, "NoDatabase") from exc


def cause_without_names(error: ServiceError) -> str:
    """Why the database failed, without what it said itself: that names hosts, accounts and files."""
    return _cause(error.__cause__)[0] if error.__cause__ else error.cause


def _cause(exc: BaseException) -> tuple[str, str]:
    if isinstance(exc, ValueError):
        return _DAMAGED, _CHECK_LOG
    if isinstance(exc, ClientAuthenticationError):
        return "The console's identity got no token for the database.", "See docs/hosting.md for what it needs."
    said = "timeout" if isinstance(exc, PoolTimeout) else _said(exc).casefold()
    found = next(((why, todo) for marks, why, todo in _CAUSES if any(mark in said for mark in marks)), None)
    return found or ("The database refused it.", "Try again; if it happens again, report it with the log.")


def _said(exc: BaseException) -> str:
    return str(getattr(exc, "orig", None) or exc).strip()
