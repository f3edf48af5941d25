"""What was pulled after the plan stays, item by item, and so does what it belongs to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.deletion import run
from services.deletion.job_records import as_details, as_items, deletion_plan_of
from services.deletion.last_pulls import PullsNow, pulled_since
from services.deletion.plan import DeletionPlan
from services.deletion.run import apply_deletion
from services.images.repository_contents import read_contents
from services.jobs.jobs import Job
from tests.services.deletion.test_run import index, left, outcomes, planned, signature
from tests.support.own_sandbox import APP, OwnSandbox

PLANNED = datetime(2026, 11, 1, tzinfo=UTC)
LATER = PLANNED + timedelta(hours=1)


def by_pull(own: OwnSandbox, *chosen: str, last: datetime | None = None) -> DeletionPlan:
    """A plan of a rule that chose these, pulled `last`."""
    plan = planned(own, *chosen)
    return replace(plan, pulled=dict.fromkeys(plan.digests, last))


def reasons(own: OwnSandbox, plan: DeletionPlan, now: PullsNow) -> Mapping[str, str]:
    result = apply_deletion(own.client, plan, {}, pulled_now=lambda _repository, _tags: now)
    return {refusal.what: refusal.error.cause for refusal in result.refused}


def test_a_newer_pull_keeps_the_image_and_an_older_one_does_not(own: OwnSandbox) -> None:
    old, _ = own.push("a", number=1)
    new, _ = own.push("b", number=2)
    never, _ = own.push("c", number=3)
    keep, _ = own.push("keep", number=4)
    plan = by_pull(own, old, new, never, last=PLANNED)
    plan = replace(plan, pulled={**plan.pulled, never: None})
    found = reasons(own, plan, PullsNow({old: PLANNED, new: LATER}))
    assert list(found) == [new]
    assert "It was pulled on 2026-11-01 at 01:00 UTC, which the plan did not know." in found[new]
    assert left(own) == {new, keep}


def test_a_pulled_platform_keeps_its_index_and_all_of_it(own: OwnSandbox) -> None:
    own.push("keep", number=9)
    amd64, _ = own.push(number=1)
    arm64, _ = own.push(number=2)
    top = index(own, amd64, arm64, tags=("v1",))
    signed = signature(own, top)
    found = reasons(own, by_pull(own, top), PullsNow({amd64: LATER}))
    assert {top, amd64, arm64, signed} == set(found) and {top, amd64, arm64, signed} <= left(own)


def test_a_pulled_platform_keeps_each_index_that_lists_it(own: OwnSandbox) -> None:
    own.push("keep", number=9)
    amd64, _ = own.push("base", number=1)  # A tag of its own, and so in no plan.
    arm64, _ = own.push(number=2)
    tops = index(own, amd64, tags=("v1",)), index(own, amd64, arm64, tags=("v2",))
    plan = by_pull(own, *tops)
    assert amd64 not in plan.digests
    assert set(reasons(own, plan, PullsNow({amd64: LATER}))) >= set(tops) and set(tops) <= left(own)
    known = replace(plan, pulled=dict.fromkeys(plan.pulled, LATER))
    assert not reasons(own, known, PullsNow({amd64: LATER}))


def test_what_is_unknown_is_kept_and_other_rules_are_not_asked(own: OwnSandbox) -> None:
    asked, _ = own.push("a", number=1)
    other, _ = own.push("b", number=2)
    keep, _ = own.push("keep", number=4)
    plan = replace(planned(own, asked, other), pulled={asked: None})
    found = reasons(own, plan, PullsNow(why="Pulls could not be read: it said 429."))
    assert list(found) == [asked]
    assert (
        "Its last pull could not be read again, and so it stays. Pulls could not be read: it said 429." in found[asked]
    )
    assert left(own) == {asked, keep}


def test_logs_are_read_before_each_batch_and_only_where_a_rule_asks(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [own.push(f"v{number}", number=number)[0] for number in range(1, 6)]
    own.push("keep", number=9)
    monkeypatch.setattr(run, "BATCH", 2)
    looks: list[Mapping[str, str]] = []

    def look(_repository: str, tags: Mapping[str, str]) -> PullsNow:
        looks.append(tags)
        # Pulled after the first batch is gone.
        return PullsNow({digests[4]: LATER} if len(looks) > 1 else {})

    result = apply_deletion(own.client, by_pull(own, *digests), {}, pulled_now=look)
    assert len(looks) == 2 and looks[0] == {f"v{number}": digest for number, digest in enumerate(digests, 1)}
    assert outcomes(result)[digests[4]] == "ChangedMeanwhile"
    apply_deletion(own.client, planned(own, digests[4]), {}, pulled_now=look)
    assert len(looks) == 2


def test_what_the_plan_knew_of_pulls_outlives_its_process(own: OwnSandbox) -> None:
    first, _ = own.push("a", number=1)
    second, _ = own.push("b", number=2)
    plan = replace(planned(own, first, second), pulled={first: PLANNED, second: None})
    job = Job("j", "me", "delete manifests", "x", APP, as_details(plan), PLANNED, as_items(plan), {}, 1, True)
    assert deletion_plan_of(job).pulled == plan.pulled
    (contents,) = read_contents(own.client, [APP], {}).values
    assert not pulled_since(plan, [], contents, lambda _repository, _tags: PullsNow(why="x"))
