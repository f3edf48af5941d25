"""Configs of images with a tag: read within a budget, once each, and found by what they say."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.database.index_tables import repositories
from services.images.manifest_reading import read_config
from services.images.manifests import ImageConfig, Manifest
from services.index.configs import ConfigsRead, read_configs
from services.index.index_jobs import INDEXED, IndexPlan, index_items, run_indexing, targets_of
from services.index.query import parse
from services.index.reading import index_registry
from services.index.scope import read_scope
from services.index.search import Results, search
from services.index.store import IndexStore
from services.jobs import jobs
from services.jobs.plans import details_of
from tests.support.documents import OCI_MANIFEST
from tests.support.index_samples import index_as_values
from tests.support.killed import LEASE, WHO, Killed, continue_job, found, killed_at, run_once
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

AZURE = "sandbox/tenant"
NOW = datetime.now(UTC)
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def config(author: str = "", env: tuple[str, ...] = (), **labels: str) -> bytes:
    return json.dumps({"author": author, "config": {"Env": list(env), "Labels": labels}}).encode()


def indexed(own: OwnSandbox, database: Engine, most: int = 1000) -> ConfigsRead:
    store, target = IndexStore(database, AZURE), targets_of([own.registry()])[0]
    client = own.session().registry(target.login_server)
    assert index_registry(store, client, target).complete
    return read_configs(store, client, store.add_registry(target), most)


def find(own: OwnSandbox, database: Engine, query: str) -> Results:
    store, targets = IndexStore(database, AZURE), targets_of([own.registry()])
    scope = read_scope(store, targets, {targets[0].id: [APP]})
    return search(store, parse(query), scope, lambda _, names: names, NOW)


def digests(results: Results) -> set[str]:
    return {one.digest for one in results.images}


def test_images_are_found_by_what_their_configs_say(own: OwnSandbox, database: Engine) -> None:
    one = own.send_image("a", config=config("Contoso Payments <pay@contoso.com>", ("JAVA_OPTS=-Xsecret",), team="pay"))
    other = own.send_image("b", config=config("Contoso", ("PATH=/bin",), team="shop", title="one"), title="pay")
    own.send_image(config=config(team="pay"), title="untagged")
    assert indexed(own, database).left == 0
    assert digests(find(own, database, "label:team=pay")) == {one}
    assert digests(find(own, database, "env:JAVA_OPTS")) == {one}
    assert digests(find(own, database, "author:Contoso")) == {one, other}
    assert digests(find(own, database, 'author:"Contoso Pay"')) == {one}
    assert find(own, database, "env:JAVA").number == 0
    assert find(own, database, "label:team=pay env:PATH").number == 0
    with database.connect() as db:
        assert "secret" not in str(index_as_values(database)) and db


def test_a_label_and_an_annotation_of_one_name_are_two(own: OwnSandbox, database: Engine) -> None:
    title = "org.opencontainers.image.title"
    digest = own.send_image("a", config=config(**{title: "of the label"}), title="of the manifest")
    indexed(own, database)
    assert digests(find(own, database, f'label:"{title}=of the label"')) == {digest}
    assert find(own, database, f'annotation:"{title}=of the label"').number == 0
    assert find(own, database, f'label:"{title}=of the manifest"').number == 0


def test_the_base_that_a_label_names(own: OwnSandbox, database: Engine) -> None:
    digest = own.send_image("a", config=config(**{"org.opencontainers.image.base.name": "docker.io/library/alpine:3"}))
    indexed(own, database)
    assert digests(find(own, database, "base:docker.io/library/alpine")) == {digest}


def test_so_many_are_read_a_run_and_what_is_left_is_said(own: OwnSandbox, database: Engine) -> None:
    for number in range(5):
        own.send_image(f"v{number}", config=config(number=str(number)), title=f"{number}")
    first = indexed(own, database, 2)
    assert first.read == 2 and first.left >= 3
    assert find(own, database, "label:number=9").configs_unread == 1
    assert find(own, database, "annotation:number=9").configs_unread == 0
    own.sandbox.clear_requests()
    second = indexed(own, database)
    assert second.left == 0 and second.read == first.left
    assert find(own, database, "label:number=9").configs_unread == 0
    own.sandbox.clear_requests()
    assert indexed(own, database).read == 0
    assert not [one for one in own.sandbox.requests if "/blobs/" in one.path]


def test_a_config_that_is_none_is_not_read_again_and_a_refusal_is(own: OwnSandbox, database: Engine) -> None:
    own.send_image("broken", config=b"no JSON", title="broken")
    good = own.send_image("good", config=config(team="pay"), title="good")
    own.break_({"path": f"/v2/{APP}/blobs/", "status": 403})
    refused = indexed(own, database)
    assert [one.what for one in refused.refused] == [APP]
    assert refused.left >= 2
    own.break_()
    assert indexed(own, database).left == 0
    assert digests(find(own, database, "label:team=pay")) == {good}
    assert indexed(own, database).read == 0


def test_a_config_that_one_repository_lacks_is_read_of_another(
    own: OwnSandbox, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = own.send_image("a", config=config(team="pay"))
    raw = own.sandbox.store.get_manifest_body(REGISTRY, APP, digest)
    assert raw and APP > "first"
    own.sandbox.store.add_manifest(REGISTRY, "first", raw, OCI_MANIFEST, own.sandbox.state.stamp())
    own.move("a", digest, "first")
    alone, _ = own.push("lacking", number=7)
    asked = []

    def lacking(client: RegistryClient, repository: str, manifest: Manifest) -> ImageConfig:
        asked.append((repository, manifest.digest))
        if repository == "first" or manifest.digest == alone:
            raise ServiceError("Could not read the config", "There is no such blob.", "Push it again.", "BLOB_UNKNOWN")
        return read_config(client, repository, manifest)

    monkeypatch.setattr("services.index.configs.read_config", lacking)
    indexed(own, database)
    assert {("first", digest), (APP, digest), (APP, alone)} <= set(asked)
    assert digests(find(own, database, "label:team=pay")) == {digest}
    asked.clear()
    assert indexed(own, database).left == 0
    assert not asked


def test_a_repository_that_changes_is_looked_at_again_and_what_goes_is_removed(
    own: OwnSandbox, database: Engine
) -> None:
    own.send_image("a", config=config(team="pay"))
    indexed(own, database)
    own.send_image("a", config=config(team="shop"), title="two")
    with database.connect() as db:
        assert db.execute(select(repositories.c.configs_unread).where(repositories.c.name == APP)).scalar_one() == 0
    assert indexed(own, database).read == 1
    store = IndexStore(database, AZURE)
    for name in store.repositories(1):
        store.remove_repository(1, name)
    left = index_as_values(database)
    assert not (left["index_labels"] or left["config words"] or left["configs"] or left["digests"])


def test_killed_at_any_request_it_goes_on_where_it_was(own: OwnSandbox, database: Engine) -> None:
    for number in range(3):
        own.send_image(f"v{number}", config=config(number=str(number)), title=f"{number}")
    store = IndexStore(database, AZURE)

    def begin() -> jobs.Job:
        plan = IndexPlan(targets_of([own.registry()]), 20_000)
        details = details_of(IndexPlan, plan)
        return jobs.begin(database, WHO, "Index registries", REGISTRY, "", index_items(plan.targets), details, LEASE)

    def run(session, job, running, report):  # type: ignore[no-untyped-def]
        return run_indexing(session, job, running, report, store)

    job = begin()
    with killed_at(0, answered=False) as requests:
        run_once(database, own.session(), run, job)
    (result,) = found(database, job).results.values()
    assert result.outcome == INDEXED and "configs read" in result.cause
    wanted, count = index_as_values(database), len(requests.methods)
    assert wanted["index_labels"]
    for number in sorted({count - 4, count - 2, count - 1, count}):
        for name in store.repositories(1):
            store.remove_repository(1, name)
        job = begin()
        try:
            with killed_at(number, answered=False):
                run_once(database, own.session(), run, job)
        except Killed:
            continue_job(database, own.session(), run, job)
        assert found(database, job).state == "Completed"
        assert index_as_values(database) == wanted
