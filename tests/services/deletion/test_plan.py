"""What a plan may never touch, over registries at random, with the sandbox's own store to say what really goes."""

import json

from hypothesis import event, given
from hypothesis import strategies as st

from sandbox.storage.store import Locks, Store
from services.deletion.plan import DeletionPlan, Why, plan_deletion
from services.deletion.running_images import RunningImages
from services.images.manifests import attached_to
from services.images.repository_contents import RepositoryContents
from services.images.storage import freed_bytes
from tests.support.documents import OCI_MANIFEST
from tests.support.registries_at_random import (
    Pushed,
    Pushes,
    Tagged,
    _image,
    _referrer,
    read,
    registries,
    write,
)

OPEN = Locks()


class Told:
    """One registry in the store, and what the store itself says of a repository of it."""

    numbers = iter(range(10**9))

    def __init__(self, store: Store, drawn: tuple[Pushes, ...]) -> None:
        self.store = store
        self.registry = f"registry{next(self.numbers)}"
        write(store, self.registry, drawn)
        self.contents = read(store, self.registry)

    def bodies(self, repository: str) -> dict[str, dict[str, object]]:
        found = self.store.list_manifests(self.registry, repository)
        stored = {item.digest: self.store.get_manifest_body(self.registry, repository, item.digest) for item in found}
        return {digest: json.loads(body or b"{}") for digest, body in stored.items()}

    def tags(self, repository: str) -> dict[str, str]:
        return {tag.name: tag.digest for tag in self.store.list_tags(self.registry, repository)}

    def broken(self, repository: str) -> dict[str, set[str]]:
        """The indexes that lack a child, with what they lack."""
        bodies = self.bodies(repository)
        lacks = {
            digest: {child["digest"] for child in body.get("manifests", ())} - bodies.keys()
            for digest, body in bodies.items()
        }
        return {digest: missing for digest, missing in lacks.items() if missing}


drawn_registries = registries() | registries(locks=False)


@given(drawn=drawn_registries, data=st.data(), by_name=st.booleans())
def test_what_goes_is_what_was_planned(
    store: Store, drawn: tuple[Pushes, ...], data: st.DataObject, by_name: bool
) -> None:
    told = Told(store, drawn)
    contents = data.draw(st.sampled_from(told.contents), "repository")
    digests = sorted(row.digest for row in contents.rows)
    chosen = data.draw(st.lists(st.sampled_from(digests), min_size=1, unique=True), "chosen")
    running = frozenset(data.draw(st.lists(st.sampled_from(digests), max_size=1), "running"))
    plan = plan_deletion(contents, chosen, registry="contoso", by_name=by_name, running=RunningImages.of(running))
    event(f"goes {min(len(plan.unblocked), 3)}, by name {by_name}, breaks {bool(plan.broken)}")
    before, tags_before = told.bodies(contents.name), told.tags(contents.name)
    broken_before, bytes_before = told.broken(contents.name), store.blobs.stored_bytes(told.registry)
    foretold = freed_bytes(told.contents, {contents.name: plan.digests})

    for item in plan.unblocked:
        if store.get_manifest(told.registry, contents.name, item.digest):  # Else it went along with its subject.
            store.delete_manifest(told.registry, contents.name, item.digest, store_time(contents))
        # Even cut off here, no index lacks a child that the plan did not say it would.
        allowed = {index: set(missing) for index, missing in broken_before.items()}
        for done in plan.unblocked:
            for index in done.breaks:
                allowed.setdefault(index, set()).add(done.digest)
        for index, missing in told.broken(contents.name).items():
            assert missing <= allowed.get(index, set())

    gone = before.keys() - told.bodies(contents.name).keys()
    assert gone == set(plan.digests)
    assert tags_before.keys() - told.tags(contents.name).keys() == set(plan.tags)
    assert bytes_before - store.blobs.stored_bytes(told.registry) == foretold
    assert plan.empties_repository == (store.get_repository(told.registry, contents.name) is None)
    assert set(plan.broken) == {
        index for index, missing in told.broken(contents.name).items() if missing != broken_before.get(index)
    }
    assert_nothing_forbidden(contents, plan, chosen, running, gone, before)


def assert_nothing_forbidden(
    contents: RepositoryContents,
    plan: DeletionPlan,
    chosen: list[str],
    running: frozenset[str],
    gone: set[str],
    before: dict[str, dict[str, object]],
) -> None:
    rows = {row.digest: row for row in contents.rows}
    locked = {digest for digest, row in rows.items() if not (row.locks.delete and row.locks.write)}
    locked |= {tag.digest for tag in contents.tags if not (tag.locks.delete and tag.locks.write)}
    assert not gone & locked
    if not (contents.repository.locks.delete and contents.repository.locks.write):
        assert not gone
    assert not gone & running_with_relatives(running, before)
    if not plan.by_name:
        assert not plan.broken
        own = {tag.digest for tag in contents.tags if not attached_to(tag.name)}
        assert not (gone & own) - set(chosen)
    holders: dict[str, set[str]] = {}
    for digest, body in before.items():
        for child in body.get("manifests", ()):
            holders.setdefault(child["digest"], set()).add(digest)
    subjects = {digest: (body.get("subject") or {}).get("digest") for digest, body in before.items()}
    for item in plan.unblocked:
        assert set(item.after) <= gone
        assert (item.why is Why.CHOSEN) == (item.digest in chosen)
        assert item.why is Why.CHOSEN or item.of in gone
        # What was not chosen stays with whatever else needs it.
        if item.why is Why.CHILD:
            assert holders[item.digest] <= gone
        if item.why is Why.ATTACHED:
            assert {attached_to(tag) for tag in item.tags} & before.keys() <= gone
    planned = {item.digest for item in plan.items}
    for item in plan.items:
        if item.why is Why.CHILD:
            assert item.of in holders[item.digest] <= planned
            assert not item.tags
            assert subjects[item.digest] not in before
        if item.why is Why.REFERRER:
            assert item.of == subjects[item.digest]
        if item.why is Why.ATTACHED:
            assert {attached_to(tag) for tag in item.tags} & before.keys() <= planned


def running_with_relatives(running: frozenset[str], bodies: dict[str, dict[str, object]]) -> set[str]:
    """What runs, the indexes that it is in, and what it is made of: a node pulls by any of them."""
    below = {digest: {child["digest"] for child in body.get("manifests", ())} for digest, body in bodies.items()}
    above = {digest: {index for index, children in below.items() if digest in children} for digest in below}
    found: set[str] = set()
    for edges in (below, above):
        level = set(running)
        while level:
            found |= level
            level = {other for digest in level for other in edges.get(digest, ())} - found - set(running)
    return found


def store_time(contents: RepositoryContents) -> str:
    """Later than all in it."""
    return f"{contents.repository.updated.year + 1}-01-01T00:00:00.0000000Z"


def test_a_signature_with_a_tag_of_its_own_keeps_what_it_signs_from_a_rule(store: Store) -> None:
    image, signature = (
        _image([1], []),
        _referrer([2], [Pushed(json.dumps(_image([1], [])).encode(), OCI_MANIFEST, OPEN)]),
    )
    pushed = [Pushed(json.dumps(body).encode(), OCI_MANIFEST, OPEN) for body in (image, signature)]
    tags = (Tagged("v1", pushed[0].digest, OPEN), Tagged("signature", pushed[1].digest, OPEN))
    (contents,) = Told(store, (Pushes("app", tuple(pushed), tags, OPEN),)).contents
    by_rule = plan_deletion(contents, [pushed[0].digest], registry="contoso", by_name=False)
    assert not by_rule.unblocked
    assert "It has a tag of its own, which was not chosen: signature." in by_rule.items[0].blocker
    by_name = plan_deletion(contents, [pushed[0].digest], registry="contoso", by_name=True)
    assert by_name.tags == ("v1", "signature")


@given(drawn=registries(unreadable=True), data=st.data())
def test_nothing_goes_while_it_is_not_known_what_holds_it(
    store: Store, drawn: tuple[Pushes, ...], data: st.DataObject
) -> None:
    contents = data.draw(st.sampled_from(Told(store, drawn).contents))
    digests = [row.digest for row in contents.rows]
    plan = plan_deletion(contents, digests, registry="contoso", by_name=data.draw(st.booleans()))
    assert contents.complete or not plan.unblocked
    assert {item.digest for item in plan.items} == set(digests)
    assert all(item.blocker for item in plan.items) or contents.complete
