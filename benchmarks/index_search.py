"""A search of the index over a bare look-up in the same database: one statement by hand, in a transaction that reads.

`python -m benchmarks.index_search 5000000`: over so many manifests."""

import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, text

from benchmarks.results import Row, at_most, table
from services.database.engine import open_database, reading
from services.index.packing import unpack_digest
from services.index.query import parse
from services.index.scope import Scope, read_scope
from services.index.search import search
from services.index.store import IndexStore, IndexTarget
from tests.support.postgres import postgres

MANIFESTS = 500_000
OF_REPOSITORY, OF_INDEX = 1000, 5  # Manifests; an index and its images.
SEARCHES = 1000
BOUND = 5
NOW = datetime.now(UTC)
TARGET = IndexTarget("/subscriptions/s/registries/bench", "bench", "bench.azurecr.io", None)

# Tables of n from 0. A layer is of ten images; every fifth manifest is an index, and has a tag.
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {0})"
    " SELECT n FROM numbers)",
    "postgresql": "(SELECT generate_series(0, {0} - 1) AS n)",
}
_DIGEST = {"sqlite": "randomblob(32)", "postgresql": "sha256(int8send(n))"}
_BYTES = {"sqlite": "randomblob(12)", "postgresql": "substr(sha256(int8send(n)), 1, 12)"}
_FILL = (
    "INSERT INTO index_repositories (id, registry, name, updated, counts, read, unread)"
    " SELECT n + 1, 1, 'team-' || (n % 40) || '/app-' || n, '', '', {now}, 0 FROM {repositories} AS a",
    "INSERT INTO index_words (id, word) SELECT n + 1, 'word ' || n FROM {words} AS a",
    "INSERT INTO index_digests (id, digest, size) SELECT n + 1, {digest}, CASE WHEN n < {manifests} THEN -1 ELSE n END"
    " FROM {digests} AS a",
    "INSERT INTO index_manifests (repository, digest, readable, standing, created, updated, size)"
    " SELECT n / 1000 + 1, n + 1, 1, CASE n % 5 WHEN 4 THEN 1 ELSE 0 END, 1700000000 + n, 1700000000 + n,"
    " (CAST(n AS BIGINT) * 7919) % 1000000007 FROM {all} AS a",
    "INSERT INTO index_contents (digest, kind, media_type, platforms, subject, layers, children)"
    " SELECT n + 1, CASE n % 5 WHEN 0 THEN 1 ELSE 2 END, 1, 2, NULL, {bytes}, {bytes} FROM {all} AS a",
    "INSERT INTO index_layer_uses (layer, manifest) SELECT {manifests} + 1 + n / 10, n + 1 FROM {all} AS a",
    "INSERT INTO index_children (child, parent) SELECT n + 1, n - n % 5 + 1 FROM {all} AS a WHERE n % 5 <> 0",
    "INSERT INTO index_tags (repository, name, digest, created, updated)"
    " SELECT n / 1000 + 1, 'v' || (n / 5) || '.0', n + 1, 1700000000 + n, 1700000000 + n FROM {all} AS a"
    " WHERE n % 5 = 0",
)  # fmt: skip


def fill(database: Engine, manifests: int) -> None:
    """So many manifests in one registry, written by the database itself."""
    kind = database.dialect.name
    counted = {
        "all": manifests, "repositories": manifests // OF_REPOSITORY, "words": 1000, "digests": manifests * 11 // 10,
    }  # fmt: skip
    parts = {name: _NUMBERS[kind].format(number) for name, number in counted.items()}
    parts |= {"digest": _DIGEST[kind], "bytes": _BYTES[kind], "manifests": str(manifests)}
    parts["now"] = "CURRENT_TIMESTAMP"
    with database.begin() as db:
        if kind == "sqlite":
            db.execute(text("PRAGMA cache_size = -1000000"))
        for statement in _FILL:
            db.execute(text(statement.format(**parts)))
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ANALYZE" if kind == "sqlite" else "VACUUM ANALYZE"))
        if kind == "sqlite":
            db.execute(text("PRAGMA cache_size = -2000"))


class _Searched:
    """A filled database, and what is looked for in it."""

    def __init__(self, database: Engine, manifests: int) -> None:
        self.database = database
        store = IndexStore(database, "bench")
        store.add_registry(TARGET)
        fill(database, manifests)
        names = [f"team-{n % 40}/app-{n}" for n in range(manifests // OF_REPOSITORY)]
        self.store, self.scope = store, read_scope(store, [TARGET], {TARGET.id: names})
        drawn = random.Random(1)
        self.numbers = [drawn.randrange(manifests) for _ in range(SEARCHES)]
        mark = "?" if database.dialect.name == "sqlite" else "%s"
        with database.connect() as db:
            one = text("SELECT digest FROM index_digests WHERE id = :id")
            found = [bytes(db.execute(one, {"id": n + 1}).scalar_one()) for n in self.numbers]
            layer = [bytes(db.execute(one, {"id": manifests + 1 + n // 10}).scalar_one()) for n in self.numbers]
        columns = (
            "SELECT m.repository, m.standing, m.created, m.size, d.digest FROM index_digests d"
            " JOIN index_manifests m ON m.digest = d.id"
        )
        self.kinds: dict[str, tuple[list[str], str, list[object]]] = {
            "a digest": (
                [unpack_digest(one) for one in found], f"{columns} WHERE d.digest = {mark}", list(found),
            ),
            "a layer": (
                [f"layer:{unpack_digest(one)}" for one in layer],
                "SELECT m.repository, m.standing, m.created, m.size, d.digest FROM index_digests l"
                " JOIN index_layer_uses u ON u.layer = l.id JOIN index_manifests m ON m.digest = u.manifest"
                f" JOIN index_digests d ON d.id = m.digest WHERE l.digest = {mark}",
                list(layer),
            ),
            "a tag": (
                [f"tag:v{n // 5}.0" for n in self.numbers],
                "SELECT t.repository, t.name, t.updated, d.digest FROM index_tags t JOIN index_digests d"
                f" ON d.id = t.digest WHERE t.name = {mark}",
                [f"v{n // 5}.0" for n in self.numbers],
            ),
        }  # fmt: skip

    def times(self, kind: str) -> tuple[list[float], list[float]]:
        """Seconds of each search, and of each bare look-up, by turns."""
        typed, statement, values = self.kinds[kind]
        ours, bare = [], []
        for query, value in zip(typed, values, strict=True):
            ours.append(_seconds(lambda query=query: _find(self.store, self.scope, query)))
            bare.append(_seconds(lambda value=value: _look_up(self.database, statement, value)))
        return ours, bare


def _find(store: IndexStore, scope: Scope, query: str) -> None:
    assert search(store, parse(query), scope, lambda _, names: names, NOW).number


def _look_up(database: Engine, statement: str, value: object) -> None:
    with reading(database, "bench") as db:
        assert db.exec_driver_sql(statement, (value,)).all()


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _rows(engine: str, searched: _Searched, manifests: int) -> list[Row]:
    rows = []
    for kind in searched.kinds:
        searched.times(kind)  # What is read from the disk is read for both.
        ours, bare = searched.times(kind)
        name = f"Search for {kind} over {manifests:,} manifests in {engine}: time, × a bare look-up in it,"
        rows.append(at_most(f"{name} median", _median(ours) / _median(bare), BOUND))
        rows.append(at_most(f"{name} 99th percentile", _last(ours) / _last(bare), BOUND))
    return rows


def _median(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[49]


def _last(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]


def measure(manifests: int = MANIFESTS) -> list[Row]:
    rows: list[Row] = []
    with TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'index.db'}")
        rows += _rows("SQLite", _Searched(database, manifests), manifests)
        database.dispose()
    with postgres() as server:
        database = open_database(server)
        rows += _rows("PostgreSQL", _Searched(database, manifests), manifests)
        database.dispose()
    return rows


if __name__ == "__main__":
    print(table(measure(*map(int, sys.argv[1:]))))
