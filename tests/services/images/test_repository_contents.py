"""Repositories are read whole, each manifest once, and what is missing is said."""

from dataclasses import replace
from threading import Event

from sandbox.server import Sandbox
from sandbox.storage.store import Locks
from services.connection.session import connect_sandbox
from services.deletion.plan import plan_deletion
from services.images.manifests import Manifest
from services.images.repositories import repository_names
from services.images.repository_contents import RepositoryContents, read_contents
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox


def manifest_reads(sandbox: Sandbox) -> int:
    return sum(1 for request in sandbox.requests if request.method == "GET" and "/manifests/" in request.path)


def of_app(own: OwnSandbox, known: dict[str, Manifest] | None = None) -> RepositoryContents:
    (contents,) = read_contents(own.client, [APP], {} if known is None else known).values
    return contents


def test_a_registry_is_read_whole_and_each_manifest_once(sandbox: Sandbox) -> None:
    client = connect_sandbox(sandbox.ready).registry(sandbox.ready["registries"]["contosohub"])
    names = [name for page in repository_names(client) for name in page]
    known: dict[str, Manifest] = {}
    steps: list[tuple[int, int, str]] = []
    sandbox.clear_requests()
    read = read_contents(client, names, known, progress=lambda *step: steps.append(step))
    assert [contents.name for contents in read.values] == names
    assert read.complete and all(contents.complete for contents in read.values)
    for contents in read.values:
        assert contents.manifests.keys() == {row.digest for row in contents.rows}
        assert len(contents.rows) == contents.repository.manifest_count
        assert len(contents.tags) == contents.repository.tag_count
        assert {(tag.name, tag.digest) for tag in contents.tags} == {
            (tag, row.digest) for row in contents.rows for tag in row.tags
        }
    assert manifest_reads(sandbox) == len(known)
    assert steps[-1] == (len(known), len(known), "manifests")
    again = read_contents(client, names, known)
    assert again.values == read.values
    assert manifest_reads(sandbox) == len(known)


def test_a_manifest_that_can_not_be_read_is_named(own: OwnSandbox) -> None:
    good, _ = own.push("v1")
    bad, _ = own.push("v2", number=2)
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, bad, Locks(read=False), own.sandbox.state.stamp())
    contents = of_app(own)
    assert contents.manifests.keys() == {good}
    assert [refusal.what for refusal in contents.unread] == [bad]
    assert not contents.complete


def test_what_is_hidden_from_the_list_is_counted(own: OwnSandbox) -> None:
    own.push("v1")
    hidden, _ = own.push(number=2)
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, hidden, Locks(list=False), own.sandbox.state.stamp())
    contents = of_app(own)
    assert contents.hidden == 1
    assert not contents.complete


def test_a_manifest_that_is_listed_twice_hides_none(own: OwnSandbox) -> None:
    """One is locked against listing, and the list names another twice: as many entries as there are manifests."""
    first, _ = own.push("v1")
    hidden, _ = own.push(number=2)
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, hidden, Locks(list=False), own.sandbox.state.stamp())
    contents = of_app(own)
    (row,) = contents.rows
    assert row.digest == first
    twice = replace(contents, rows=(row, row))
    assert (twice.hidden, twice.complete) == (1, False)
    assert plan_deletion(twice, [first], registry=REGISTRY, by_name=True).unblocked == ()


def test_a_repository_that_is_gone_is_a_refusal_of_its_own(own: OwnSandbox) -> None:
    own.push("v1")
    read = read_contents(own.client, [APP, "team/gone"], {})
    assert [contents.name for contents in read.values] == [APP]
    assert [(refusal.what, refusal.error.code) for refusal in read.refused] == [("team/gone", "NAME_UNKNOWN")]


def test_what_a_stop_leaves_is_untried(own: OwnSandbox) -> None:
    for number in range(1, 60):
        own.push(number=number)
    stop = Event()
    read = read_contents(
        own.client,
        [APP],
        {},
        progress=lambda _done, _of, what: stop.set() if what == "manifests" else None,
        stop=stop,
    )
    (contents,) = read.values
    assert contents.untried == 59 - len(contents.manifests) > 0
    assert not contents.complete
