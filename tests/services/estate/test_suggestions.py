"""What is suggested as somebody types, and to whom."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.estate.search import Known
from services.estate.suggestions import MOST_SUGGESTIONS, SearchedIndex, completions, suggest
from services.images.repositories import all_repository_names
from services.index.index_jobs import targets_of
from services.index.query import LONGEST, NEGATED
from services.index.reading import index_registry
from services.index.scope import IndexedRegistry, read_scope, readable_repositories
from services.index.store import IndexStore
from services.registries.reading import list_registries

NAMES = ("contosohub", "contosobase")


@pytest.fixture
def known(session: AzureSession) -> Known:
    listed = tuple(one for one in list_registries(session).values if one.name in NAMES)
    catalogues = {one.id: tuple(all_repository_names(session.registry(one.login_server))) for one in listed}
    return Known(listed, (), catalogues)


@pytest.fixture
def index(database: Engine, session: AzureSession, known: Known) -> SearchedIndex:
    store = IndexStore(database, "sandbox/tenant")
    targets = targets_of(known.registries)
    for target in targets:
        assert index_registry(store, session.registry(target.login_server), target).complete

    def readable(registry: IndexedRegistry, names: Collection[str]) -> Collection[str]:
        return readable_repositories(session.registry(registry.login_server), names)

    return SearchedIndex(store, read_scope(store, targets, known.repositories), readable)


def places(known: Known, index: SearchedIndex | None, typed: str) -> list[str]:
    return [f"{one.hit.where} {one.hit.title}" for one in suggest(known, index, typed) if one.hit]


def test_names_come_from_the_askers_lists_and_tags_from_the_index(known: Known, index: SearchedIndex) -> None:
    assert "contosohub api/orders" in places(known, index, "ord")
    assert any(one.endswith(" contosohub") for one in places(known, index, "contosoh"))
    tags = places(known, index, "api/orders:v")
    assert tags and all(one.startswith("contosohub api/orders:v") for one in tags)
    assert places(known, index, "contosohub/api/orders:v") == tags
    assert places(known, index, "contosobase/api/orders:v") == []
    assert any(one.startswith("contosohub api/orders:lat") for one in places(known, index, "orders lat"))
    assert not places(known, index, "api/orders:no-such")
    assert places(known, None, "ord") and not places(known, None, "api/orders:v")


def test_of_what_the_asker_may_not_see_nothing_is_suggested(known: Known, index: SearchedIndex) -> None:
    """A repository that is not in the asker's catalogue, a registry that is not in their list, and a tag of what they
    may list and not read."""
    hub = next(one for one in known.registries if one.name == "contosohub")
    some = tuple(name for name in known.repositories[hub.id] if name != "api/orders")
    theirs = Known((hub,), (), {hub.id: some})
    assert any("api/orders" in one.text for one in suggest(known, index, "repository:api/o"))
    scope = read_scope(index.store, targets_of(theirs.registries), theirs.repositories)
    for typed in ("ord", "api/orders:", "api/orders:v", "orders lat", "contoso", "latest", "repository:api/o"):
        seen = suggest(theirs, replace(index, scope=scope), typed)
        assert all("api/orders" not in one.text for one in seen)
        assert {one.hit.registry.name for one in seen if one.hit and one.hit.registry} <= {"contosohub"}
        assert not any(one.hit and one.hit.repository == "api/orders" for one in seen)
    unreadable = replace(index, readable=lambda _registry, _names: ())
    assert places(known, unreadable, "api/orders:v") == []
    assert "contosohub api/orders" in places(known, unreadable, "ord")

    def refused(_registry: IndexedRegistry, _names: Collection[str]) -> Collection[str]:
        raise ServiceError("Could not sign in", "", "")

    assert places(known, replace(index, readable=refused), "api/orders:v") == []


def test_the_words_of_the_language_are_completed_where_they_stand(known: Known) -> None:
    assert completions(known, "lab") == ("label:",)
    assert completions(known, "size:>1GiB unt") == ("size:>1GiB untagged",)
    assert completions(known, "api not:") == tuple(f"api not:{field}:" for field in NEGATED)
    assert completions(known, "registry:contosob") == ("registry:contosobase",)
    assert "not:repository:api/orders" in completions(known, "not:repository:api/o")
    assert completions(known, "rebuild:") == ("rebuild:no", "rebuild:yes")
    for nothing in ("", "api ", 'label:"lab', "label:", "registry:contosobase"):
        assert completions(known, nothing) == ()
    assert not places(known, None, "label:team=payments ord")


def test_a_text_that_is_too_long_for_a_query_is_not_looked_at(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    assert suggest(known, None, "repository:api/o" + " " * (LONGEST - 16)) == ()
    assert suggest(known, None, " " * (LONGEST - 3) + "ord")
    monkeypatch.setattr("services.estate.suggestions.has_fields", None)
    assert suggest(known, None, " " * (LONGEST - 2) + "ord") == suggest(known, None, "ord" + " " * 10_000) == ()


@given(st.text(max_size=30))
def test_any_text_has_a_few_suggestions(typed: str) -> None:
    found = suggest(Known(), None, typed)
    assert len(found) <= MOST_SUGGESTIONS
    assert all(one.text.startswith(typed[: typed.rfind(" ") + 1]) for one in found)


def test_what_is_typed_takes_one_statement_that_scans_no_table(
    known: Known, index: SearchedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "index_" in statement:
            sent.append((statement, parameters))

    event.listen(index.store.engine, "before_cursor_execute", keep)
    try:
        for few in (300, 0):
            monkeypatch.setattr("services.estate.suggestions._FEW", few)
            for typed in ("o", "la", "lat", "orders lat", "api/orders:v", "label:", "registry:con", "sha256:3fa9c1d"):
                before = len(sent)
                suggest(known, index, typed)
                assert len(sent) - before <= 1, typed
    finally:
        event.remove(index.store.engine, "before_cursor_execute", keep)
    assert len(sent) >= 6
    assert all("LIMIT" in statement for statement, _ in sent)
    postgresql = index.store.engine.dialect.name == "postgresql"
    with index.store.engine.connect() as db:
        if postgresql:  # Of a small table it would read all rows, whatever the indexes.
            db.execute(text("SET enable_seqscan = off"))
        for statement, parameters in dict(sent).items():
            explain = "EXPLAIN" if postgresql else "EXPLAIN QUERY PLAN"
            plan = [str(row[-1]) for row in db.exec_driver_sql(f"{explain} {statement}", parameters)]
            assert not [line for line in plan if "Seq Scan" in line or line.startswith("SCAN index_")]
