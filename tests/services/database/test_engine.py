"""The database opens with the schema that the code needs, and says in words what it can't do."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, select, text

from services.connection.errors import ServiceError
from services.database import engine as engine_module
from services.database.engine import clock, open_database, reading, writing
from services.database.index_tables import metadata
from services.database.tables import audit


def entry(number: int = 1) -> dict[str, object]:
    return {"who": "me", "entry": "{}", "previous": f"{number}", "hash": "h"}


def test_the_migrations_make_the_tables_that_the_code_names(database: Engine) -> None:
    with database.connect() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []


def test_opened_again_it_has_what_was_written(database_url: str) -> None:
    for expected in ([], ["{}"]):
        engine = open_database(database_url)
        with reading(engine, "x") as db:
            assert list(db.execute(select(audit.c.entry)).scalars()) == expected
        if not expected:
            with writing(engine, "x") as db:
                db.execute(insert(audit).values(entry()))
        engine.dispose()


def test_what_fails_within_a_transaction_is_not_written(database: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(database, "x") as db:
        db.execute(insert(audit).values(entry()))
        raise ZeroDivisionError
    with reading(database, "x") as db:
        assert db.execute(select(audit)).all() == []


def test_times_are_in_utc(database: Engine) -> None:
    with reading(database, "x") as db:
        found = clock(db).utcoffset()
        assert found is not None and not found


def test_a_schema_of_a_newer_version_is_refused(database: Engine, database_url: str) -> None:
    with database.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '999'"))
    with pytest.raises(ServiceError, match="newer version of the console"):
        open_database(database_url)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "console.db"


def refusal(url: str) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        open_database(url)
    assert refused.value.code == "NoDatabase"
    assert refused.value.remedy
    return refused.value


def test_a_folder_that_is_a_file_is_said(file: Path) -> None:
    file.write_text("")
    assert "could not be opened" in refusal(f"sqlite:///{file / 'console.db'}").title


def test_a_damaged_file_is_said(file: Path) -> None:
    file.write_bytes(b"no database at all, and long enough to be taken for a header" * 20)
    assert "damaged" in refusal(f"sqlite:///{file}").cause


def test_what_is_no_url_is_said_without_what_was_given() -> None:
    error = refusal("secret-password")
    assert "secret" not in str(error)
    assert "ACR_CONSOLE_DATABASE" in error.cause


def test_a_server_that_is_down_is_said() -> None:
    error = refusal("postgresql+psycopg://console:secret@127.0.0.1:1/console")
    assert "could not be reached" in error.cause
    assert "secret" not in str(error)


def test_a_file_that_another_process_keeps_locked_is_said(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "BUSY_S", 0.1)
    engine = open_database(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ServiceError, match="Another process keeps the file locked"), writing(engine, "x"):
        pass
    with reading(engine, "x") as db:  # Reading goes on meanwhile.
        assert db.execute(select(audit)).all() == []
    other.execute("ROLLBACK")
    other.close()
    with writing(engine, "x") as db:
        db.execute(insert(audit).values(entry()))


def test_a_full_disk_is_said_and_nothing_is_half_written(file: Path) -> None:
    engine = open_database(f"sqlite:///{file}")
    with pytest.raises(ServiceError, match="The disk is full"), writing(engine, "x") as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for number in range(1000):
            db.execute(insert(audit).values({**entry(number), "entry": "x" * 1000}))
    with reading(engine, "x") as db:
        assert db.execute(select(audit)).all() == []


def test_a_database_of_every_older_version_keeps_what_it_has(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log and the jobs of the first version, brought to the newest through each one between."""
    upgrade = engine_module.command.upgrade
    revisions = [one.revision for one in ScriptDirectory(str(engine_module._MIGRATIONS)).walk_revisions()][::-1]
    assert len(revisions) > 1
    for revision in revisions:
        monkeypatch.setattr(engine_module.command, "upgrade", lambda config, _head, to=revision: upgrade(config, to))
        engine = open_database(database_url)
        with writing(engine, "x") as db:
            if revision == revisions[0]:
                db.execute(insert(audit).values(entry()))
            assert list(db.execute(select(audit.c.entry)).scalars()) == ["{}"]
        engine.dispose()


def test_what_is_read_in_one_transaction_is_of_one_moment(database: Engine) -> None:
    with reading(database, "x") as db:
        assert db.execute(select(audit)).all() == []
        with writing(database, "x") as other:
            other.execute(insert(audit).values(entry()))
        assert db.execute(select(audit)).all() == []
