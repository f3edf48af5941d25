"""Contents by digest are shared where they are what their digest says, and never grow without an end."""

import hashlib
import logging
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select, update

from services.connection.errors import ServiceError
from services.database import contents as contents_module
from services.database.contents import LARGEST, ContentStore
from services.database.engine import open_database
from services.database.tables import contents


def digest_of(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def some(*raws: bytes) -> dict[str, bytes]:
    return {digest_of(raw): raw for raw in raws}


def test_what_one_process_read_another_has(database: Engine, database_url: str) -> None:
    read = some(b"{}", b"[]", b"\x00\xff")
    ContentStore(lambda: database).add(read)
    other = open_database(database_url)
    assert ContentStore(lambda: other).find([*read, digest_of(b"another")]) == read
    other.dispose()


def test_bytes_that_are_not_those_of_the_digest_are_not_shared(database: Engine) -> None:
    store = ContentStore(lambda: database)
    store.add({digest_of(b"{}"): b"[]", **some(b"{}" * LARGEST)})
    with database.connect() as db:
        assert db.execute(select(func.count()).select_from(contents)).scalar_one() == 0


def test_a_row_that_was_tampered_with_is_not_there_until_it_is_read_again(database: Engine) -> None:
    store, read = ContentStore(lambda: database), some(b"{}", b"[]")
    store.add(read)
    with database.begin() as db:
        db.execute(update(contents).where(contents.c.digest == digest_of(b"{}")).values(raw=b'{"config": {}}'))
    assert store.find(read) == some(b"[]")
    store.add(some(b"{}"))
    assert store.find(read) == read


def test_what_was_used_least_lately_goes_first(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents_module, "_ROWS_A_LOOK", 1)
    store = ContentStore(lambda: database, most_bytes=1000)
    old, used, new = (some(letter * 400) for letter in (b"a", b"b", b"c"))
    for read in (old, used):
        store.add(read)
        with database.begin() as db:
            long_ago = datetime.now(UTC) - 3 * contents_module._USED_EVERY
            db.execute(update(contents).values(used=long_ago))
    assert store.find(used) == used
    store.add(new)
    assert store.find([*old, *used, *new]) == {**used, **new}


def test_without_the_database_nothing_is_shared_and_nothing_fails(caplog: pytest.LogCaptureFixture) -> None:
    asked = []

    def down() -> Engine:
        asked.append(1)
        raise ServiceError("The console's database could not be opened", "It is down.", "Start it.", "NoDatabase")

    store = ContentStore(down)
    with caplog.at_level(logging.WARNING):
        assert store.find(some(b"{}")) == {}
        store.add(some(b"{}"))
    assert len(asked) == 1  # It is left alone for a while.
    assert "It is down" in caplog.text
