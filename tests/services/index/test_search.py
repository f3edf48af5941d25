"""What is found, against a naive filter over the same contents; and of whom."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from sandbox.server import Sandbox
from services.connection.session import AzureSession
from services.estate.used_images import used_by_pulls
from services.images.base_image import DIGEST, NAME
from services.images.leftovers import find_leftovers
from services.images.repositories import all_repository_names
from services.index.export import COLUMNS, csv_of
from services.index.index_jobs import targets_of
from services.index.query import EXAMPLES, QueryError, Term, parse
from services.index.reading import index_registry
from services.index.scope import IndexedRegistry, Readable, Scope, examples_of, read_scope, readable_repositories
from services.index.search import Results, search
from services.index.store import IndexStore
from services.index.usage import Used
from services.registries.reading import list_registries
from services.registries.registry import Registry
from tests.support import registries_at_random
from tests.support.documents import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, digest_of
from tests.support.own_sandbox import REGISTRY, OwnSandbox

NAMES = ("contosohub", "contosoci", "contosobase")
NOW = datetime.now(UTC)
Find = Callable[..., Results]


@pytest.fixture
def listed(session: AzureSession) -> tuple[Registry, ...]:
    return tuple(one for one in list_registries(session).values if one.name in NAMES)


@pytest.fixture
def store(database: Engine, session: AzureSession, listed: tuple[Registry, ...]) -> IndexStore:
    """Three registries of the estate, indexed."""
    store = IndexStore(database, "sandbox/tenant")
    for target in targets_of(listed):
        assert index_registry(store, session.registry(target.login_server), target).complete
    return store


def scope_of(store: IndexStore, session: AzureSession, listed: tuple[Registry, ...]) -> Scope:
    catalogues = {one.id: all_repository_names(session.registry(one.login_server)) for one in listed}
    return read_scope(store, targets_of(listed), catalogues)


def readable_by(session: AzureSession) -> Readable:
    return lambda registry, names: readable_repositories(session.registry(registry.login_server), names)


@pytest.fixture
def find(store: IndexStore, session: AzureSession, listed: tuple[Registry, ...]) -> Find:
    scope = scope_of(store, session, listed)
    return lambda text, **more: search(store, parse(text), scope, readable_by(session), NOW, **more)


def images(found: Results) -> set[tuple[str, str, str]]:
    return {(one.registry.name, one.repository, one.digest) for one in found.images}


def everything(sandbox: Sandbox) -> Iterator[tuple[str, Any]]:
    """Each repository of the three, as the sandbox has it."""
    for name in NAMES:
        for contents in registries_at_random.read(sandbox.store, name):
            yield name, contents


def test_what_is_found_is_what_a_filter_over_all_of_it_finds(find: Find, sandbox: Sandbox) -> None:
    sizes, old, untagged, layers = set(), set(), set(), {}
    some = ""
    for registry, contents in everything(sandbox):
        leftovers = set(find_leftovers(contents.rows, contents.manifests).certain)
        of = {row.digest: row for row in contents.rows}
        for row in contents.rows:
            key = (registry, contents.name, row.digest)
            manifest = contents.manifests[row.digest]
            size = row.size
            if manifest.children:
                size = sum(of[child.digest].size for child in manifest.children if child.digest in of)
                size = size if all(child.digest in of for child in manifest.children) else None
            if size is not None and size > 100 * 1024**2:
                sizes.add(key)
            if row.created and row.created < NOW - timedelta(days=365):
                old.add(key)
            if row.digest in leftovers:
                untagged.add(key)
            for layer in manifest.layers:
                layers.setdefault(layer.digest, set()).add(key)
                some = layer.digest if len(layers[layer.digest]) > len(layers.get(some, ())) else some
    assert images(find("size:>100MiB")) == sizes
    assert images(find("age:>1y")) == old
    assert images(find("untagged")) == untagged
    assert images(find("untagged size:>100MiB")) == untagged & sizes
    assert images(find("age:>1y registry:contosohub")) == {one for one in old if one[0] == "contosohub"}
    assert images(find(f"layer:{some}")) == layers[some]
    assert images(find(f"layer:{some[:20]} untagged")) == layers[some] & untagged
    assert sizes and old and untagged and len(layers[some]) > 3


def test_names_and_tags(find: Find, sandbox: Sandbox) -> None:
    named = {(registry, one.name) for registry, one in everything(sandbox) if "api" in one.name}
    assert {(one.registry.name, one.name) for one in find("api").repositories} == named
    latest = {
        (registry, one.name, tag.name)
        for registry, one in everything(sandbox)
        for tag in one.tags
        if tag.name.startswith("la")
    }
    assert {(one.registry.name, one.repository, one.name) for one in find("la").tags} == latest
    assert {(one.registry.name, one.repository, one.name) for one in find("tag:la*t").tags} == latest
    both = {one for one in latest if "api" in one[1]}
    assert both
    assert {(one.registry.name, one.repository, one.name) for one in find("api latest").tags} == both
    assert {one.name for one in find("contosoh").registries} == {"contosohub"}
    assert find("tag:latest").registries == ()
    assert find("").number == 0
    assert find("nothing-is-named-so").number == 0


def test_a_digest_leads_to_its_image_with_its_tags(find: Find, sandbox: Sandbox) -> None:
    index, child = next(
        (contents.manifests[tag.digest], tag)
        for _, contents in everything(sandbox)
        for tag in contents.tags
        if contents.manifests[tag.digest].children
    )
    for typed in (index.digest, index.digest[:20], index.digest.removeprefix("sha256:")[:12].upper()):
        (found,) = {one.digest: one for one in find(typed).images}.values()
        assert child.name in found.tags
    (platform,) = {one.digest: one for one in find(index.children[0].digest).images}.values()
    assert child.name in platform.tags_of_indexes


def push_layers(own: OwnSandbox, repository: str, *layers: int, **annotations: str) -> str:
    """An image of these layers: its digest."""
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(900 + sum(layers)), "size": 100},
        "layers": [{"mediaType": OCI_LAYER, "digest": digest_of(layer), "size": 1000 + layer} for layer in layers],
        "annotations": annotations,
    }
    raw = json.dumps(body).encode()
    return own.sandbox.store.add_manifest(REGISTRY, repository, raw, OCI_MANIFEST, own.sandbox.state.stamp())


def test_images_on_a_base_by_its_layers_and_by_what_their_builder_says(own: OwnSandbox, database: Engine) -> None:
    base = push_layers(own, "base/linux", 1, 2)
    above = {push_layers(own, "app", 1, 2, 3), push_layers(own, "app", 1, 2, 4, 5)}
    push_layers(own, "app", 2, 1, 6)  # The same layers in another order.
    push_layers(own, "app", 2, 7)
    bare = push_layers(own, "app")
    said = push_layers(own, "app", 8, **{NAME: "docker.io/library/alpine:3.20", DIGEST: base})
    session, listed = own.session(), (own.registry(),)
    store, target = IndexStore(database, "sandbox/tenant"), targets_of(listed)[0]
    index_registry(store, session.registry(target.login_server), target)
    scope = scope_of(store, session, listed)

    def found(query: str, within: Scope = scope) -> set[str]:
        return {one.digest for one in search(store, parse(query), within, readable_by(session), NOW).images}

    assert found(f"base:{base}") == above | {said}
    for name in ("docker.io/library/alpine", "docker.io/library/alpine:3.20"):
        assert found(f"base:{name}") == {said}
    assert not found("base:docker.io/library/alp")
    assert found("base:docker.io/library/alp*") == found("base:docker.io/*") == {said}
    assert found(f"annotation:{NAME}=docker.io/library/alpine:3.20") == {said}
    assert found(f"layer:{digest_of(2)}") > above
    # Who may not see the base learns nothing by its layers.
    without = read_scope(store, [target], {target.id: ("app",)})
    assert found(f"base:{base}", without) == {said}

    # Where nothing is found it is said of how many images a base is known at all.
    def none(query: str, within: Scope = scope) -> str:
        bases = search(store, parse(query), within, readable_by(session), NOW).bases
        assert bases
        return bases.sentence

    assert search(store, parse(f"base:{base}"), scope, readable_by(session), NOW).bases is None
    assert "1 image names a base: 1 by an annotation, 0 by a label" in none("base:docker.io/library/debian")
    assert "given by its digest" in none("base:docker.io/library/debian")
    assert "not in the index" in none(f"base:{digest_of(77)}")
    top = next(iter(above))
    assert "were compared" in none(f"base:{top}")
    assert "not all layers could be compared" in none(f"base:{bare}")  # Layers of which nothing is known.
    assert "0 images name a base. " in none(f"base:{base}", read_scope(store, [target], {target.id: ("no/such",)}))


def test_the_examples_find_something(
    find: Find, store: IndexStore, session: AzureSession, listed: tuple[Registry, ...]
) -> None:
    found = examples_of(scope_of(store, session, listed))
    assert len(found) == 7
    for one in found:
        assert find(one, find_used=lambda _: Used()).number, one


def test_a_star_finds_what_begins_so_and_a_name_alone_any_value(own: OwnSandbox, database: Engine) -> None:
    pays = push_layers(own, "team/pays", 1, team="payments")
    paid = push_layers(own, "team/paid", 2, team="paying")
    push_layers(own, "team/other", 3, team="orders")
    push_layers(own, "team/none", 4, owner="payments")
    listed = [own.registry()]
    store = IndexStore(database, "sandbox/tenant")
    (one,) = targets_of(listed)
    index_registry(store, own.session().registry(one.login_server), one)
    scope = scope_of(store, own.session(), tuple(listed))

    def found(text: str) -> set[str]:
        images = search(store, parse(text), scope, readable_by(own.session()), NOW).images
        return {image.digest for image in images}

    assert found("annotation:team=pay*") == {pays, paid}
    assert found("annotation:team=payments*") == found("annotation:team=payments") == {pays}
    assert found("annotation:team=pay") == set()
    assert len(found("annotation:team")) == len(found("annotation:team=*")) == 3


def test_what_the_console_has_changed_since_is_marked(
    store: IndexStore, session: AzureSession, listed: tuple[Registry, ...]
) -> None:
    hub = next(one for one in listed if one.name == "contosohub")
    (first, second, *_) = all_repository_names(session.registry(hub.login_server))
    store.mark_changed(hub.login_server, first, NOW)
    scope = scope_of(store, session, listed)

    def found(text: str, within: Scope = scope) -> Results:
        return search(store, parse(text), within, readable_by(session), NOW)

    both = found(f"registry:contosohub {first[:1]}")
    assert [(one.registry.name, one.name) for one in both.changed] == [("contosohub", first)]
    assert {one.name for one in both.repositories if both.has_changed(one)} == {first}
    of_images = found("registry:contosohub size:>0b")
    assert {one.repository for one in of_images.images if of_images.has_changed(one)} == {first}
    # Also where nothing is found: what is new there would not be.
    assert found(f"repository:{first} tag:no-such-tag").changed == both.changed
    assert found(f"repository:{second} tag:no-such-tag").changed == ()
    # Nobody learns of a change in what they may not list.
    assert (
        found("registry:contosohub size:>0b", read_scope(store, targets_of(listed), {hub.id: (second,)})).changed == ()
    )


def test_more_than_asked_for_is_said(find: Find) -> None:
    found = find("size:>0b", most=5)
    assert len(found.images) == 5 and found.cut
    assert not find("contosohub").cut


def test_what_is_not_listed_for_the_asker_is_not_found(
    store: IndexStore, session: AzureSession, listed: tuple[Registry, ...], sandbox: Sandbox
) -> None:
    """Two people, one of whom sees one registry of the three."""
    hub = tuple(one for one in listed if one.name == "contosohub")
    mine, theirs = scope_of(store, session, hub), scope_of(store, session, listed)
    digest = next(one for name, one in everything(sandbox) if name == "contosoci").rows[0].digest
    for query in ("size:>0b", "latest", digest, "untagged", "age:>1d", "contoso", "cache"):
        found = search(store, parse(query), mine, readable_by(session), NOW)
        groups = (*found.tags, *found.images, *found.repositories)
        assert {one.registry.name for one in groups} <= {"contosohub"}
        assert {one.name for one in found.registries} <= {"contosohub"}
    assert search(store, parse(digest), theirs, readable_by(session), NOW).images
    assert not search(store, parse(digest), mine, readable_by(session), NOW).images


def test_of_a_repository_that_is_not_in_the_askers_catalogue_nothing_is_found(
    store: IndexStore, session: AzureSession, listed: tuple[Registry, ...]
) -> None:
    hub = next(one for one in listed if one.name == "contosohub")
    scope = read_scope(store, targets_of(listed), {hub.id: ("api/orders",)})
    for query in ("size:>0b", "latest", "api", "age:>1d"):
        found = search(store, parse(query), scope, readable_by(session), NOW)
        assert {one.repository for one in (*found.images, *found.tags)} <= {"api/orders"}
        assert {one.name for one in found.repositories} <= {"api/orders"}


def test_a_repository_that_may_be_listed_and_not_read_shows_its_name_alone(
    store: IndexStore, session: AzureSession, listed: tuple[Registry, ...]
) -> None:
    def only_orders(_registry: IndexedRegistry, names: Any) -> Any:
        return [name for name in names if name == "api/orders"]

    scope = scope_of(store, session, listed)
    assert {one.repository for one in search(store, parse("latest"), scope, only_orders, NOW).tags} == {"api/orders"}
    assert len(search(store, parse("api"), scope, only_orders, NOW).repositories) > 1


def test_a_registry_that_was_created_again_is_not_the_one_that_was_indexed(
    store: IndexStore, listed: tuple[Registry, ...]
) -> None:
    targets = targets_of(listed)
    again = [type(one)(one.id, one.name, one.login_server, NOW) for one in targets]
    assert not read_scope(store, again, {one.id: ("api/orders",) for one in again}).registries
    assert read_scope(store, targets, {}).registries


def test_another_tenant_has_an_index_of_its_own(store: IndexStore, listed: tuple[Registry, ...]) -> None:
    other = IndexStore(store.engine, "sandbox/other")
    assert not read_scope(other, targets_of(listed), {}).registries


# Every field of the language alone and with every other, so that one that is added is among them.
CONDITIONS = (*EXAMPLES.values(), "untagged")
QUERIES = (
    *CONDITIONS,
    *(f"{one} {other}" for one, other in combinations(CONDITIONS, 2)),
    "api",
    "api latest",
    "sha256:3fa9c1d",
    "base:sha256:3fa9c1d",
    "annotation:team=pay*",
    "annotation:team",
    "label:team=pay*",
    "label:team",
    "env:JAVA*",
    "base:docker.io/*",
    digest_of(1),
    f"layer:{digest_of(1)} not:layer:{digest_of(2)}",
    "untagged size:>1MiB age:>1d",
)


@pytest.mark.parametrize("few", [True, False])
def test_no_query_scans_a_table(
    store: IndexStore,
    session: AzureSession,
    listed: tuple[Registry, ...],
    monkeypatch: pytest.MonkeyPatch,
    few: bool,
) -> None:
    if not few:
        monkeypatch.setattr("services.index.search._FEW", 0)
        monkeypatch.setattr("services.index.search._FIRST", 0)
    scope = scope_of(store, session, listed)
    sent: list[tuple[str, Any]] = []
    place = (next(one.id for one in listed if one.name == "contosohub"), "api/orders")
    used = Used({place: {digest_of(1)}}, {place: {"latest"}})

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().startswith("SELECT") and "index_" in statement:
            sent.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", keep)
    try:
        for query in QUERIES:
            search(store, parse(query), scope, readable_by(session), NOW, find_used=lambda _: used)
    finally:
        event.remove(store.engine, "before_cursor_execute", keep)
    assert len(sent) > len(QUERIES)
    postgresql = store.engine.dialect.name == "postgresql"
    with store.engine.connect() as db:
        if postgresql:  # Of a small table it would read all rows, whatever the indexes.
            db.execute(text("SET enable_seqscan = off"))
        for statement, parameters in dict(sent).items():
            explain = "EXPLAIN" if postgresql else "EXPLAIN QUERY PLAN"
            plan = [str(row[-1]) for row in db.exec_driver_sql(f"{explain} {statement}", parameters)]
            scans = [line for line in plan if "Seq Scan" in line or line.startswith("SCAN index_")]
            assert not scans, f"{scans}\n{statement}"


def test_csv_has_a_row_for_each_result(find: Find) -> None:
    found = find("api")
    lines = csv_of(found).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == found.number + 1


def test_csv_has_last_pulls_where_these_are_given(find: Find) -> None:
    found = find("registry:contosohub size:>0b")
    lines = csv_of(found, lambda one: f"pulled {one.digest}").splitlines()
    assert lines[0].endswith(",last pull")
    assert [line.rsplit(",", 1)[1] for line in lines[1:]] == [f"pulled {one.digest}" for one in found.images]


ANY_TEXT = st.text(max_size=30) | st.text(st.characters(categories=("Nd",)), max_size=20)
UNITS = st.sampled_from(("", "h", "d", "w", "m", "y", "b", "kb", "mib", "gb", "tb", "=x", "*", "["))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from((*EXAMPLES, "not:annotation", "not:layer", "not:repository", "")), ANY_TEXT, UNITS)
@example("pulled", "3000", "y")
@example("size", ">9999999", "tb")
@example("age", "9" * 30, "y")
@example("", "\0", "")
def test_any_query_finds_something_or_nothing_or_is_refused(find: Find, field: str, value: str, unit: str) -> None:
    text = f"{field}:{value}{unit}" if field else f"{value}{unit}"
    now = datetime.now(UTC)

    def find_used(term: Term) -> Used:
        return used_by_pulls(timedelta(hours=term.number), now, {}, ())

    try:
        found = find(text, find_used=find_used)
    except QueryError:
        return
    assert found.number >= 0
