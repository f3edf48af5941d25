"""Old entries of the activity log go, and what stays is still one chain that can be checked."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from services.connection.errors import ServiceError
from services.jobs import audit, retention
from services.jobs.audit import CONSOLE, DAMAGED, START, add_entry, as_lines, read_entries, read_head, verify
from services.jobs.retention import KEPT, remove_old_entries

WHO = "https://management.azure.com tenant/object"
NOW = datetime.now(UTC)


@pytest.fixture
def log(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Three entries of 500 days ago, two of yesterday."""
    for days in (502, 501, 500, 1, 1):
        add(database, monkeypatch, NOW - timedelta(days=days))
    return database


def add(database: Engine, monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(audit, "clock", lambda _db: at)
        with database.begin() as db:
            add_entry(db, WHO, "signed in", "")


def test_what_is_older_than_400_days_goes_at_a_checkpoint_and_the_rest_still_fits(log: Engine) -> None:
    assert KEPT.days == 400
    third = read_entries(log, WHO)[2]
    assert remove_old_entries(log) == 3
    assert len(read_entries(log, WHO)) == 2
    (checkpoint,) = read_entries(log, CONSOLE)
    assert (checkpoint.fields["entries"], checkpoint.fields["last_hash"]) == (3, third.hash)
    checked = verify(log)
    assert (checked.entries, checked.fault) == (3, "")
    assert checked.removed_until == NOW - timedelta(days=500)
    assert read_head(log) == (6, checked.head)


def test_nothing_goes_where_nothing_is_old(log: Engine, database: Engine) -> None:
    assert remove_old_entries(database, timedelta(days=502)) == 0
    assert verify(database).removed_until is None
    assert remove_old_entries(log) == 3
    assert remove_old_entries(log) == 0


def test_it_goes_on_over_several_checkpoints(log: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert remove_old_entries(log) == 3
    monkeypatch.setattr(retention, "clock", lambda _db: NOW + timedelta(days=450))
    assert remove_old_entries(log) == 3, "yesterday's two, and the first checkpoint"
    assert (verify(log).entries, verify(log).fault) == (1, "")
    assert read_entries(log, WHO) == ()


def test_all_of_it_may_go(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for days in (502, 501):
        add(database, monkeypatch, NOW - timedelta(days=days))
    assert remove_old_entries(database) == 2
    with database.begin() as db:
        add_entry(db, WHO, "signed in", "")
    assert (verify(database).entries, verify(database).fault) == (2, "")


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM audit WHERE number = 2",
        "UPDATE audit SET entry = replace(entry, 'signed', 'logged') WHERE number = 3",
        "UPDATE audit SET entry = replace(entry, 'signed', 'logged') WHERE number = 5",
    ],
)
def test_nothing_goes_of_a_log_that_does_not_fit(log: Engine, edit: str) -> None:
    with log.begin() as db:
        db.execute(text(edit))
    before = read_entries(log, WHO)
    with pytest.raises(ServiceError, match="ChainBroken"):
        remove_old_entries(log)
    assert read_entries(log, WHO) == before


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM audit WHERE number = 4",
        "DELETE FROM audit WHERE number = 6",
        "UPDATE audit SET entry = replace(entry, 'last_hash', 'best_hash') WHERE number = 6",
    ],
)
def test_more_than_the_checkpoint_says_cannot_go_unseen(log: Engine, edit: str) -> None:
    remove_old_entries(log)
    with log.begin() as db:
        db.execute(text(edit))
    assert verify(log).fault


def test_of_several_processes_one_removes(log: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: remove_old_entries(log), range(4))) == [0, 0, 0, 3]
    assert (verify(log).entries, verify(log).fault) == (3, "")


def test_an_empty_log_has_a_head_too(database: Engine) -> None:
    assert read_head(database) == (0, START)
    assert remove_old_entries(database) == 0


@pytest.mark.parametrize("entry", ["{broken", "5", "{}", '{"at":"yesterday","who":"w","what":"x","job":""}'])
@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_row_that_is_no_entry_is_named_exported_and_nothing_goes(log: Engine, number: int, entry: str) -> None:
    with log.begin() as db:
        db.execute(text("UPDATE audit SET entry = :entry WHERE number = :number"), {"entry": entry, "number": number})
    assert verify(log).fault.startswith(f"Entry {number} was changed")
    assert "can't be read" in verify(log).fault
    with pytest.raises(ServiceError, match=f"Entry {number} was changed"):
        remove_old_entries(log)
    lines = [json.loads(line) for line in as_lines(read_entries(log, None, since=NOW)).splitlines()]
    (line,) = (one for one in lines if one["what"] == DAMAGED)
    assert (line["number"], line["text"]) == (number, entry)


def test_a_damaged_checkpoint_is_a_fault(log: Engine) -> None:
    remove_old_entries(log)
    with log.begin() as db:
        db.execute(text("UPDATE audit SET entry = '{broken' WHERE number = 6"))
    assert verify(log).fault
