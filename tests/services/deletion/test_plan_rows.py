"""What a plan lists: every manifest once, deleted or kept, and the oldest image first."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from sandbox.storage.store import Store
from services.deletion.plan import plan_deletion
from services.deletion.plan_rows import NOT_CHOSEN, count_kinds, deleted_manifests, kept_manifests, plan_all
from services.deletion.running_images import RunningImages
from services.images.repository_contents import RepositoryContents
from tests.support.registries_at_random import Pushes, read, registries, write

NUMBERS = iter(range(10**9))


def drawn_contents(store: Store, drawn: tuple[Pushes, ...], data: some.DataObject) -> RepositoryContents:
    name = f"rows{next(NUMBERS)}"
    write(store, name, drawn)
    return data.draw(some.sampled_from(read(store, name)))


@given(drawn=registries(), data=some.data(), by_name=some.booleans())
def test_each_manifest_is_deleted_or_stays(
    store: Store, drawn: tuple[Pushes, ...], data: some.DataObject, by_name: bool
) -> None:
    contents = drawn_contents(store, drawn, data)
    digests = sorted(row.digest for row in contents.rows)
    chosen = data.draw(some.lists(some.sampled_from(digests), unique=True))
    plan = plan_deletion(contents, chosen, registry="contoso", by_name=by_name)
    deleted, kept = deleted_manifests(contents, plan.unblocked), kept_manifests(contents, plan)
    assert sorted([*(one.item.digest for one in deleted), *(one.row.digest for one in kept)]) == digests
    assert {one.item.digest for one in deleted} == set(plan.digests)
    tops = [one.row.created for one in deleted if not one.depth]
    assert tops == sorted(tops)
    for above, one in pairwise(deleted):
        assert one.depth <= above.depth + 1
    for one in kept:
        assert (one.kind == NOT_CHOSEN) is (not one.reason)
    assert sum(int(part.split()[0]) for part in count_kinds(kept).split(", ") if part) == len(kept)


@given(drawn=registries(), data=some.data())
def test_the_plan_of_a_repository_has_each_manifest_once(
    store: Store, drawn: tuple[Pushes, ...], data: some.DataObject
) -> None:
    contents = drawn_contents(store, drawn, data)
    plan = plan_all(contents, "contoso", RunningImages())
    assert sorted(item.digest for item in plan.items) == sorted(row.digest for row in contents.rows)
