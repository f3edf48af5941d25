"""Each rule of a plan by itself: what it keeps, and why."""

from dataclasses import replace
from functools import partial

import pytest

from services.deletion.plan import DeletionPlan, Why, plan_deletion
from services.deletion.running_images import RunningImages
from services.images.manifests import Manifest
from services.images.repositories import Locks, ManifestRow, Tag
from services.images.repository_contents import RepositoryContents
from tests.support.documents import digest_of
from tests.support.repository_samples import contents, days, manifest, row

INDEX, AMD64, ARM64, SIGNATURE, OTHER = 1, 2, 3, 4, 5


def attached(*images: int, end: str = "") -> tuple[str, ...]:
    """Tags that attach a manifest to these images, as cosign sets them."""
    return tuple(f"sha256-{digest_of(image).removeprefix('sha256:')}{end}" for image in images)


def planned(
    found: RepositoryContents, *chosen: int, by_name: bool = False, running: tuple[int, ...] = ()
) -> DeletionPlan:
    return plan_deletion(
        found,
        [digest_of(number) for number in chosen],
        registry="contoso",
        by_name=by_name,
        running=RunningImages.of(digest_of(number) for number in running),
    )


def unblocked(plan: DeletionPlan) -> set[int]:
    return {number for number in range(1, 20) if digest_of(number) in plan.digests}


def blocker(plan: DeletionPlan, number: int) -> str:
    return next(item.blocker for item in plan.items if item.digest == digest_of(number))


def multi_platform(*tags: str, index_locks: Locks | None = None) -> RepositoryContents:
    """An index of two platforms, and an image that has nothing to do with it."""
    rows = [row(INDEX, *tags, index=True), row(AMD64), row(ARM64, platform="linux/arm64"), row(OTHER, "other")]
    if index_locks:
        rows[0] = replace(rows[0], locks=index_locks)
    return contents(*rows, manifests=(manifest(INDEX, (AMD64, "linux/amd64"), (ARM64, "linux/arm64")),))


@pytest.mark.parametrize("by_name", [True, False])
def test_a_hidden_manifest_stops_the_plan(by_name: bool) -> None:
    """It may be an index that needs any of them."""
    found = contents(row(1, "v1"), row(2, "v2"))
    assert unblocked(planned(found, 1, by_name=by_name)) == {1}
    hidden = replace(found, repository=replace(found.repository, manifest_count=3))
    plan = planned(hidden, 1, by_name=by_name)
    assert unblocked(plan) == set()
    assert blocker(plan, 1) == (
        "Of 3 manifests, 1 are hidden from the list (locked against listing) or came meanwhile: what they point to is "
        "not known. Refresh, or have them listed."
    )
    assert plan.blockers == (blocker(plan, 1),)


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("running", [INDEX, AMD64, ARM64])
def test_what_runs_keeps_the_index_it_is_in_and_what_it_is_made_of(by_name: bool, running: int) -> None:
    """A node pulls by the index, and gets a platform of it."""
    plan = planned(multi_platform("v1"), INDEX, OTHER, by_name=by_name, running=(running,))
    assert unblocked(plan) == {OTHER}
    assert blocker(plan, running) == "It runs in a cluster."
    if running != INDEX:
        assert blocker(plan, INDEX) == f"What it belongs to, {digest_of(running)}, runs in a cluster."
    else:
        assert blocker(plan, AMD64) == f"What it belongs to, {digest_of(INDEX)}, runs in a cluster."


def test_the_platform_beside_the_one_that_runs_stays_with_the_index() -> None:
    plan = planned(multi_platform("v1"), INDEX, running=(AMD64,))
    assert blocker(plan, ARM64) == f"The index {digest_of(INDEX)} (v1) stays, and needs it."


@pytest.mark.parametrize("by_name", [True, False])
def test_platforms_that_were_not_chosen_stay_with_an_index_that_is_refused(by_name: bool) -> None:
    found = multi_platform("v1", index_locks=Locks(delete=False))
    plan = planned(found, INDEX, by_name=by_name)
    assert {item.why for item in plan.items} == {Why.CHOSEN, Why.CHILD}
    assert unblocked(plan) == set()
    # Chosen by its name, a platform may be deleted, and the plan says what it breaks.
    plan = planned(found, INDEX, AMD64, by_name=by_name)
    assert unblocked(plan) == ({AMD64} if by_name else set())
    assert plan.broken == ((digest_of(INDEX),) if by_name else ())


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("locked", [INDEX, OTHER])
def test_a_platform_of_two_indexes_stays_where_one_of_them_is_refused(by_name: bool, locked: int) -> None:
    rows = [row(INDEX, "v1", index=True), row(OTHER, "v2", index=True), row(AMD64)]
    rows = [replace(one, locks=Locks(delete=False)) if one.digest == digest_of(locked) else one for one in rows]
    both = (manifest(INDEX, (AMD64, "linux/amd64")), manifest(OTHER, (AMD64, "linux/amd64")))
    found = contents(*rows, manifests=both)
    assert unblocked(planned(found, INDEX, OTHER, by_name=by_name)) == {INDEX, OTHER} - {locked}
    free = contents(*(replace(one, locks=Locks()) for one in rows), manifests=both)
    assert unblocked(planned(free, INDEX, OTHER, by_name=by_name)) == {INDEX, OTHER, AMD64}
    assert unblocked(planned(free, INDEX, by_name=by_name)) == {INDEX}


@pytest.mark.parametrize("by_name", [True, False])
def test_a_child_that_refers_to_an_image_that_stays_stays_with_it(by_name: bool) -> None:
    """An index may list the signature of another image."""
    rows = (row(INDEX, "v1", index=True), row(SIGNATURE), row(OTHER, "other"))
    found = contents(*rows, manifests=(manifest(INDEX, (SIGNATURE, "")), subject_of(SIGNATURE, OTHER)))
    assert unblocked(planned(found, INDEX, by_name=by_name)) == {INDEX}


def test_a_tag_that_only_the_list_of_tags_has_keeps_a_platform() -> None:
    """The lists of manifests and of tags are read one after the other: a tag may be set between them."""
    found = multi_platform("v1")
    tag = Tag("arm", digest_of(ARM64), days(1), days(1), Locks())
    found = replace(found, tags=(*found.tags, tag))
    for by_name in (True, False):
        assert unblocked(planned(found, INDEX, by_name=by_name)) == {INDEX, AMD64}
    assert planned(found, ARM64, by_name=True).tags == ("arm",)


def test_a_tag_that_only_the_row_of_a_manifest_has_keeps_it() -> None:
    found = replace(multi_platform("v1"), tags=())
    assert planned(found, INDEX).tags == ("v1",)
    with_tag = replace(found, rows=tuple(_tagged(one, ARM64, "arm") for one in found.rows))
    assert unblocked(planned(with_tag, INDEX)) == {INDEX, AMD64}


def _tagged(found: ManifestRow, number: int, tag: str) -> ManifestRow:
    return replace(found, tags=(tag,)) if found.digest == digest_of(number) else found


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("end", ["", ".sig"])
def test_a_signature_of_two_images_is_deleted_with_both_and_with_neither_alone(by_name: bool, end: str) -> None:
    """Its tags attach it; a registry deletes it with neither."""
    found = contents(row(1, "v1"), row(2, "v2"), row(SIGNATURE, *attached(1, 2, end=end)))
    assert unblocked(planned(found, 1, by_name=by_name)) == {1}
    assert unblocked(planned(found, 2, by_name=by_name)) == {2}
    plan = planned(found, 1, 2, by_name=by_name)
    assert unblocked(plan) == {1, 2, SIGNATURE}
    assert plan.items[-1].after == tuple(sorted((digest_of(1), digest_of(2))))


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("locked", [1, 2])
def test_a_signature_of_two_images_stays_where_one_of_them_is_refused(by_name: bool, locked: int) -> None:
    rows = [row(1, "v1"), row(2, "v2"), row(SIGNATURE, *attached(1, 2, end=".sig"))]
    rows[locked - 1] = replace(rows[locked - 1], locks=Locks(delete=False))
    plan = planned(contents(*rows), 1, 2, by_name=by_name)
    assert unblocked(plan) == {1, 2} - {locked}
    assert blocker(plan, SIGNATURE) == f"It belongs to {digest_of(locked)}, which stays."


def test_a_signature_that_the_list_of_tags_attaches_to_a_second_image_stays() -> None:
    found = contents(row(1, "v1"), row(2, "v2"), row(SIGNATURE, *attached(1, end=".sig")))
    (name,) = attached(2, end=".sig")
    found = replace(found, tags=(*found.tags, Tag(name, digest_of(SIGNATURE), days(1), days(1), Locks())))
    assert unblocked(planned(found, 1)) == {1}


def test_a_tag_of_a_signature_is_not_one_of_its_own() -> None:
    """By a rule an image goes with its signature, and stays with one that somebody tagged."""
    found = contents(row(1, "v1"), row(SIGNATURE, *attached(1, end=".sig")))
    plan = planned(found, 1)
    assert unblocked(plan) == {1, SIGNATURE}
    assert plan.tags == ("v1", *attached(1, end=".sig"))
    tagged = contents(row(1, "v1"), row(SIGNATURE, *attached(1, end=".sig"), "release"))
    assert unblocked(planned(tagged, 1)) == {1}
    assert unblocked(planned(tagged, 1, by_name=True)) == {1}


def subject_of(number: int, of: int) -> Manifest:
    return manifest(number, subject=digest_of(of))


@pytest.mark.parametrize("by_name", [True, False])
def test_a_referrer_that_may_not_be_deleted_keeps_what_it_refers_to(by_name: bool) -> None:
    """The registry deletes referrers with their subject, whatever their locks say."""
    rows = [row(1, "v1"), replace(row(SIGNATURE), locks=Locks(delete=False)), row(OTHER, "other")]
    plan = planned(contents(*rows, manifests=(subject_of(SIGNATURE, 1),)), 1, OTHER, by_name=by_name)
    assert unblocked(plan) == {OTHER}
    assert f"{digest_of(SIGNATURE)} refers to it" in blocker(plan, 1)


def test_an_index_that_lists_the_signature_of_a_platform_is_deleted_before_the_platform() -> None:
    """Deleting the platform deletes its signature: interrupted between the two, the index would lack it."""
    found = contents(
        row(INDEX, "v1", index=True),
        row(AMD64),
        row(SIGNATURE),
        manifests=(manifest(INDEX, (SIGNATURE, "")), subject_of(SIGNATURE, AMD64)),
    )
    plan = planned(found, AMD64, INDEX)
    assert plan.digests.index(digest_of(INDEX)) < plan.digests.index(digest_of(AMD64))
    assert next(item.after for item in plan.items if item.digest == digest_of(AMD64)) == (digest_of(INDEX),)


def test_a_circle_of_tags_set_by_hand_stays() -> None:
    found = contents(row(1, *attached(2)), row(2, *attached(1)), row(OTHER, "other"))
    plan = planned(found, 1, 2, OTHER, by_name=True)
    assert OTHER in unblocked(plan)
    assert {item.digest for item in plan.items} == {digest_of(1), digest_of(2), digest_of(OTHER)}


def test_a_plan_says_what_it_breaks_which_tags_go_and_that_nothing_is_left() -> None:
    found = multi_platform("v1", "latest")
    (warning,) = planned(found, AMD64, by_name=True).warnings
    assert warning == f"1 index stays and can't be pulled completely any more: {digest_of(INDEX)}."
    named = partial(plan_deletion, found, [digest_of(INDEX)], registry="contoso", by_name=True)
    assert named().warnings == ("These tags are deleted too, with the images: latest, v1.",)
    assert named(named=["v1"]).warnings == ("This tag is deleted too, with the images: latest.",)
    assert named(named=["v1", "latest"]).warnings == ()
    assert planned(found, INDEX, by_name=False).warnings == ()
    plan = planned(found, INDEX, OTHER, by_name=False)
    assert plan.empties_repository
    assert plan.warnings == ("Nothing is left of the repository: it is deleted with its last manifest.",)


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("locks", [Locks(delete=False), Locks(write=False)])
def test_a_lock_of_the_repository_keeps_all_that_is_in_it(by_name: bool, locks: Locks) -> None:
    found = multi_platform("v1")
    found = replace(found, repository=replace(found.repository, locks=locks))
    plan = planned(found, INDEX, OTHER, by_name=by_name)
    assert unblocked(plan) == set()
    assert "The repository app is locked against" in blocker(plan, OTHER)
