"""Which images are to be rebuilt, as the index has their bases; what is not known is neither."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from services.estate.rebuilds import find_rebuilds, rebuild_of
from services.images.base_image import DIGEST, NAME, BaseTag, base_image_of, has_moved
from services.index.index_jobs import targets_of
from services.index.query import parse
from services.index.reading import index_registry
from services.index.scope import Readable, Scope, read_scope
from services.index.search import search
from services.index.store import IndexStore
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, digest_of
from tests.support.own_sandbox import REGISTRY, OwnSandbox


def everything(_registry: Any, names: Any) -> Any:
    return names


def push_index(own: OwnSandbox, repository: str, tag: str, *digests: str) -> str:
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {
                "mediaType": OCI_MANIFEST,
                "digest": one,
                "size": 500,
                "platform": {"os": "linux", "architecture": f"a{at}"},
            }
            for at, one in enumerate(digests)
        ],
    }
    store, at = own.sandbox.store, own.sandbox.state.stamp()
    digest = store.add_manifest(REGISTRY, repository, json.dumps(body).encode(), OCI_INDEX, at)
    store.add_tag(REGISTRY, repository, tag, digest, at)
    return str(digest)


def push(own: OwnSandbox, repository: str, *layers: int, tag: str = "", **annotations: str) -> str:
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(900 + sum(layers)), "size": 100},
        "layers": [{"mediaType": OCI_LAYER, "digest": digest_of(layer), "size": 1000 + layer} for layer in layers],
        "annotations": annotations,
    }
    store, at = own.sandbox.store, own.sandbox.state.stamp()
    digest = store.add_manifest(REGISTRY, repository, json.dumps(body).encode(), OCI_MANIFEST, at)
    if tag:
        store.add_tag(REGISTRY, repository, tag, digest, at)
    return str(digest)


class Estate:
    """A base whose tag has moved from one image to another, and images on both."""

    def __init__(self, own: OwnSandbox, database: Engine) -> None:
        server = own.client.login_server
        old, new = push(own, "base/node", 1, 2), push(own, "base/node", 1, 3, tag="20")
        base = f"{server}/base/node:20"
        self.names = {
            "stale": push(own, "app", 1, 2, 10, tag="stale", **{NAME: base, DIGEST: old}),
            "gone": push(own, "app", 1, 7, 11, tag="gone", **{NAME: base, DIGEST: digest_of(77)}),
            "fresh": push(own, "app", 1, 3, 12, tag="fresh", **{NAME: base, DIGEST: new}),
            "stale by layers": push(own, "app", 1, 2, 13, tag="stale-layers", **{NAME: base}),
            "fresh by layers": push(own, "app", 1, 3, 14, tag="fresh-layers", **{NAME: base}),
            "elsewhere": push(own, "app", 1, 15, tag="elsewhere", **{NAME: "docker.io/library/node:20", DIGEST: old}),
            "without tag": push(own, "app", 1, 16, tag="no-tag", **{NAME: f"{server}/base/node", DIGEST: old}),
            "says nothing": push(own, "app", 1, 2, 17, tag="nothing"),
        }
        self.names["both"] = push_index(own, "app", "both", self.names["stale"], self.names["fresh"])
        self.new, self.old, self.base = new, old, base
        self.store, self.target = IndexStore(database, "sandbox/tenant"), targets_of([own.registry()])[0]
        self.client = own.session().registry(self.target.login_server)
        assert index_registry(self.store, self.client, self.target).complete
        self.scope = self.scope_of("app", "base/node")

    def scope_of(self, *names: str) -> Scope:
        return read_scope(self.store, [self.target], {self.target.id: names})

    def found(self, query: str, scope: Scope | None = None, readable: Readable = everything) -> set[str]:
        within = scope or self.scope
        results = search(
            self.store, parse(query), within, readable, datetime.now(UTC),
            find_used=lambda term: find_rebuilds(self.store, within, readable, needed=term.value == "yes"),
        )  # fmt: skip
        assert len(results.unknown) > 1 or within is not self.scope
        names = {digest: name for name, digest in self.names.items()}
        return {names[one.digest] for one in results.images}


@pytest.fixture
def estate(own: OwnSandbox, database: Engine) -> Estate:
    return Estate(own, database)


def test_images_whose_base_has_moved_are_found_and_others_are_not(estate: Estate) -> None:
    # An index is to be rebuilt with one of its images; the others say nothing of it.
    assert estate.found("rebuild:yes") == {"stale", "gone", "stale by layers", "both"}
    assert estate.found("rebuild:no") == {"fresh", "fresh by layers"}
    assert estate.found("rebuild:yes tag:stale") == {"stale"}


def test_who_may_not_read_the_base_learns_nothing_of_its_tag(estate: Estate) -> None:
    for query in ("rebuild:yes", "rebuild:no"):
        assert not estate.found(query, estate.scope_of("app"))
        listed_alone = estate.scope_of("app", "base/node")
        assert not estate.found(query, listed_alone, lambda _registry, names: set(names) - {"base/node"})


def test_of_a_base_that_could_not_be_read_again_nothing_is_said(estate: Estate, own: OwnSandbox) -> None:
    base = base_image_of([(NAME, estate.base), (DIGEST, estate.new)])

    def why() -> str:
        one = rebuild_of(estate.store, estate.scope, everything, base, (), datetime.now(UTC) - timedelta(days=9))
        assert one.needed is None
        return one.why

    push(own, "base/node", 1, 4, tag="20")
    own.break_({"path": "/acr/v1/base/node/_tags", "status": 403})
    found = index_registry(estate.store, estate.client, estate.target)
    assert found.complete and found.refused
    estate.scope = estate.scope_of("app", "base/node")
    assert not estate.found("rebuild:yes") and not estate.found("rebuild:no")
    assert "could be read" in why()
    own.break_()
    assert not index_registry(estate.store, estate.client, estate.target).refused
    estate.store.mark_changed(estate.target.login_server, "base/node", datetime.now(UTC))
    estate.scope = estate.scope_of("app", "base/node")
    assert not estate.found("rebuild:yes") and not estate.found("rebuild:no")
    assert "has changed" in why()


def test_what_is_pushed_while_the_base_s_registry_is_compared_is_later(estate: Estate) -> None:
    begun: list[datetime] = []
    index_registry(
        estate.store, estate.client, estate.target, everything=True,
        on_repository=lambda _: begun.append(datetime.now(UTC)),
    )  # fmt: skip
    (registry,) = estate.scope_of("app", "base/node").registries.values()
    assert registry.read and registry.read < begun[0]


def test_a_registry_is_asked_while_no_connection_is_held(estate: Estate) -> None:
    held: list[int] = []

    def ask(_registry: Any, names: Any) -> Any:
        held.append(estate.store.engine.pool.checkedout())  # type: ignore[attr-defined]
        return names

    assert estate.found("rebuild:yes", readable=ask)
    rebuild_of(estate.store, estate.scope, ask, base_image_of([(NAME, estate.base)]), (), None)
    assert len(held) > 2 and not any(held)


def test_one_image_says_why_it_is_not_known(estate: Estate) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=9)

    def of(name: str, digest: str = "", *layers: int, created: datetime | None = long_ago) -> Any:
        base = base_image_of([(NAME, name), (DIGEST, digest)])
        texts = tuple(digest_of(layer) for layer in layers)
        return rebuild_of(estate.store, estate.scope, everything, base, texts, created)

    stale = of(estate.base, estate.old)
    assert (stale.needed, stale.now) == (True, estate.new) and stale.as_of
    assert of(estate.base, estate.new).needed is False
    assert of(estate.base, estate.new, created=None).needed is False
    assert of(estate.base.upper().replace("BASE/NODE", "base/node"), estate.new).needed is False
    assert of(estate.base, "", 1, 2, 3).needed is True
    for unknown in (
        of(estate.base),  # Without layers.
        of("docker.io/library/node:20", estate.old),
        of(estate.base.replace(":20", ":19"), estate.old),
        of(estate.base.replace(":20", ""), estate.old),
        of(estate.base, estate.old, created=None),
        of(estate.base, estate.old, created=datetime.now(UTC) + timedelta(days=1)),  # On a newer base, perhaps.
    ):
        assert unknown.needed is None and unknown.why


def test_no_statement_scans_a_table(estate: Estate) -> None:
    sent: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "index_" in statement:
            sent.append((statement, parameters))

    event.listen(estate.store.engine, "before_cursor_execute", keep)
    try:
        find_rebuilds(estate.store, estate.scope, everything, needed=True)
    finally:
        event.remove(estate.store.engine, "before_cursor_execute", keep)
    assert len(sent) > 5
    postgresql = estate.store.engine.dialect.name == "postgresql"
    with estate.store.engine.connect() as db:
        if postgresql:  # Of a small table it would read all rows, whatever the indexes.
            db.execute(text("SET enable_seqscan = off"))
        for statement, parameters in dict(sent).items():
            explain = "EXPLAIN" if postgresql else "EXPLAIN QUERY PLAN"
            plan = [str(row[-1]) for row in db.exec_driver_sql(f"{explain} {statement}", parameters)]
            scans = [line for line in plan if "Seq Scan" in line or line.startswith("SCAN index_")]
            assert not scans, f"{scans}\n{statement}"


LAYERS = st.lists(st.sampled_from("abc"), max_size=4).map(tuple)


@given(st.sampled_from(["", "x", "y"]), LAYERS, st.lists(LAYERS, max_size=3).map(tuple), st.booleans())
def test_an_image_of_the_tag_itself_is_never_stale_and_nothing_is_said_without_grounds(
    built_on: str, layers: tuple[str, ...], chains: tuple[tuple[str, ...], ...], complete: bool
) -> None:
    tag = BaseTag("x", ("p",), chains, complete)
    assert has_moved("x", layers, tag) is False and has_moved("p", layers, tag) is False
    moved = has_moved(built_on, layers, tag)
    if not built_on:
        on_one = any(one and layers[: len(one)] == one for one in chains)
        assert moved is not True or not on_one
        assert (moved is False) == on_one
        assert moved is not True or (complete and any(chains) and bool(layers))
