"""What a policy decides: each rule by itself, and what holds for any policy over any registry."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.storage.store import Store
from services.deletion.plan import Keeps
from services.deletion.running_images import RunningImages
from services.images.manifests import attached_to
from services.images.repositories import Locks
from services.images.repository_contents import RepositoryContents
from services.policies.decisions import LastPulls, RepositoryDecisions, decide
from services.policies.policy import DeleteRule, KeepRule, Policy, Rule, UntaggedRule, matches
from tests.support.documents import digest_of
from tests.support.policies_at_random import keep_rules, rules
from tests.support.policy_worlds import stored
from tests.support.registries_at_random import Pushes, registries
from tests.support.repository_samples import NOW, contents, days, manifest, row

NOTHING_RUNS, NOT_KNOWN = RunningImages(), LastPulls()
World = tuple[tuple[Pushes, ...], Policy, frozenset[int], bool, LastPulls]


def decided(
    found: RepositoryContents, *applied: Rule, running: RunningImages = NOTHING_RUNS, pulls: LastPulls = NOT_KNOWN
) -> RepositoryDecisions:
    return decide(Policy("p", applied), found, NOW, registry="contoso", running=running, pulls=pulls)


def deleted(decisions: RepositoryDecisions) -> set[int]:
    gone = {one.row.digest for one in decisions.manifests if one.delete}
    assert gone == set(decisions.plan.digests)
    return {number for number in range(1, 30) if digest_of(number) in gone}


def reason(decisions: RepositoryDecisions, number: int) -> tuple[str, str]:
    return next((one.rule, one.reason) for one in decisions.manifests if one.row.digest == digest_of(number))


def versions(*ages: float, prefix: str = "v") -> RepositoryContents:
    """Images 1, 2, … with a tag each, of these ages in days."""
    names = [f"{prefix}{number}" for number in range(1, len(ages) + 1)]
    rows = (row(number, name, age=age) for number, (name, age) in enumerate(zip(names, ages, strict=True), 1))
    return contents(*rows, ages=dict(zip(names, ages, strict=True)))


def test_at_least_so_many_stay_however_old() -> None:
    """What acr purge has no means for: its --keep counts only those that are old enough."""
    found = versions(1, 40, 50, 60)
    assert deleted(decided(found, DeleteRule("old", older_than_days=30))) == {2, 3, 4}
    assert deleted(decided(found, DeleteRule("old", at_least=3, older_than_days=30))) == {4}


def test_at_most_so_many_stay_however_new() -> None:
    found = versions(1, 2, 3, 60)
    assert deleted(decided(found, DeleteRule("few", at_most=2))) == {3, 4}
    assert deleted(decided(found, DeleteRule("few", at_least=1, at_most=3, older_than_days=2))) == {2, 3, 4}


def test_all_conditions_of_a_rule_must_hold() -> None:
    found = versions(1, 100, 100)
    pulls = LastPulls({digest_of(2): days(5)}, days(200))
    rule = DeleteRule("idle", older_than_days=30, not_pulled_for_days=90)
    assert deleted(decided(found, rule, pulls=pulls)) == {3}
    assert reason(decided(found, rule, pulls=pulls), 2) == ("idle", "v2: Pulled within 90 days.")


def test_unknown_pulls_keep_an_image_and_say_why() -> None:
    found = contents(row(1, "old"), ages={"old": 100})
    rule = DeleteRule("idle", not_pulled_for_days=90)
    unknown = decided(found, rule)
    assert (deleted(unknown), reason(unknown, 1)[1]) == (set(), f"old: {LastPulls().why}")
    short = decided(found, rule, pulls=LastPulls({}, days(10)))
    assert (deleted(short), reason(short, 1)[1]) == (
        set(),
        "old: Not known for 90 days: pulls are logged since 2026-05-22.",
    )
    assert deleted(decided(found, rule, pulls=LastPulls({}, days(91)))) == {1}


def test_a_pull_of_a_platform_is_one_of_its_index() -> None:
    found = contents(row(1, "v1", index=True), row(2), manifests=(manifest(1, (2, "linux/amd64")),), ages={"v1": 100})
    pulls = LastPulls({digest_of(2): days(1)}, days(200))
    assert deleted(decided(found, DeleteRule("idle", not_pulled_for_days=90), pulls=pulls)) == set()
    assert deleted(decided(found, DeleteRule("idle", not_pulled_for_days=90), pulls=LastPulls({}, days(200)))) == {1, 2}


def test_the_first_rule_that_matches_decides() -> None:
    found = versions(40, 50)
    keep, delete = KeepRule("releases", tags=("v1",)), DeleteRule("old", older_than_days=30)
    assert deleted(decided(found, keep, delete)) == {2}
    assert deleted(decided(found, delete, keep)) == {1, 2}
    assert reason(decided(found, keep, delete), 1) == ("releases", "v1: Kept: its tag matches.")


def test_a_rule_ranks_only_the_tags_that_reach_it() -> None:
    found = versions(40, 50, 60)
    assert deleted(decided(found, KeepRule("first", tags=("v1",)), DeleteRule("two", at_most=2))) == set()
    assert deleted(decided(found, DeleteRule("two", at_most=2))) == {3}


def test_the_newest_of_a_repository_stay() -> None:
    found = versions(40, 50, 60)
    assert deleted(decided(found, KeepRule("newest", newest=2), DeleteRule("old", older_than_days=1))) == {3}


def test_rules_are_for_their_repositories() -> None:
    found = versions(40)
    assert deleted(decided(found, DeleteRule("old", ("team/*",), older_than_days=1))) == set()
    assert reason(decided(found, DeleteRule("old", ("team/*",), older_than_days=1)), 1)[1] == "v1: No rule matches it."


def test_the_last_version_of_each_minor_stays() -> None:
    found = contents(row(1, "1.4.6"), row(2, "1.4.7"), row(3, "1.5.0"), row(4, "other"))
    rules_ = (KeepRule("minors", last_of_minor=True), DeleteRule("rest", at_most=0))
    assert deleted(decided(found, *rules_)) == {1, 4}


def test_an_image_with_a_tag_that_stays_stays_with_all_its_tags() -> None:
    found = contents(row(1, "pr-1", "v1"), row(2, "pr-2"))
    rules_ = (KeepRule("releases", tags=("v*",)), DeleteRule("pr", tags=("pr-*",), at_most=0))
    assert deleted(decided(found, *rules_)) == {2}
    assert reason(decided(found, *rules_), 1) == ("releases", "v1: Kept: its tag matches.")


@pytest.mark.parametrize("end", ["", ".sig"])
def test_signed_images_stay_by_either_way_of_signing(end: str) -> None:
    tag = digest_of(1).replace(":", "-") + end
    by_tag = contents(row(1, "v1"), row(2, "v2"), row(3, tag))
    rules_ = (KeepRule("signed", signed=True), DeleteRule("rest", at_most=0))
    assert deleted(decided(by_tag, *rules_)) == {2}
    signature = replace(manifest(3, subject=digest_of(1)), artifact_type="application/vnd.cncf.notary.signature")
    by_subject = contents(row(1, "v1"), row(2, "v2"), row(3), manifests=(signature,))
    assert deleted(decided(by_subject, *rules_)) == {2}
    sbom = replace(signature, artifact_type="application/spdx+json")
    assert deleted(decided(contents(row(1, "v1"), row(3), manifests=(sbom,)), *rules_)) == {1, 3}


def test_what_refers_to_an_image_that_stays_stays_whatever_its_own_tag() -> None:
    found = contents(row(1, "v1"), row(2, "sbom-1"), manifests=(manifest(2, subject=digest_of(1)),))
    rules_ = (KeepRule("releases", tags=("v*",)), DeleteRule("rest", at_most=0))
    assert deleted(decided(found, *rules_)) == set()
    assert reason(decided(found, *rules_), 2) == ("rest", f"It belongs to {digest_of(1)}, which stays.")
    assert deleted(decided(found, DeleteRule("rest", at_most=0))) == {1, 2}


def test_untagged_manifests_go_by_their_own_rule() -> None:
    found = contents(row(1, "v1", index=True), row(2), row(3), row(4, age=3), manifests=(manifest(1, (2, "x")),))
    assert deleted(decided(found, UntaggedRule("leftovers", older_than_days=7))) == {3}
    assert deleted(decided(found, DeleteRule("old", tags=("w*",), at_most=0))) == set()
    keep = KeepRule("all of it")
    assert deleted(decided(found, keep, UntaggedRule("leftovers", older_than_days=7))) == set()
    only_tags = KeepRule("releases", tags=("v*",))
    assert deleted(decided(found, only_tags, UntaggedRule("leftovers", older_than_days=7))) == {3}


def test_what_runs_or_is_locked_stays_with_the_rule_that_would_delete_it() -> None:
    found = versions(40, 50, 60)
    found = replace(found, rows=(*found.rows[:2], replace(found.rows[2], locks=Locks(delete=False))))
    decisions = decided(found, DeleteRule("all", at_most=0), running=RunningImages.of([digest_of(1)]))
    assert deleted(decisions) == {2}
    assert reason(decisions, 1) == ("all", "It runs in a cluster.")
    assert [one.by for one in decisions.manifests] == [str(Keeps.RUNS), "", str(Keeps.LOCK)]


def test_nothing_goes_while_a_cluster_could_not_be_asked() -> None:
    decisions = decided(versions(40), DeleteRule("all", at_most=0), running=RunningImages(unasked=("aks-a (stopped)",)))
    assert deleted(decisions) == set()
    assert reason(decisions, 1) == ("all", "Unknown whether it runs in aks-a (stopped).")
    assert decisions.manifests[0].by == Keeps.UNASKED
    accepted = RunningImages(unasked=("aks-a (stopped)",), accept_unasked=True)
    assert deleted(decided(versions(40), DeleteRule("all", at_most=0), running=accepted)) == {1}


def test_a_tag_without_a_time_stays() -> None:
    found = versions(40)
    found = replace(found, tags=(replace(found.tags[0], updated=None),))
    assert deleted(decided(found, DeleteRule("all", at_most=0))) == set()


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A registry, rules, which of its manifests run, whether a cluster could not be asked, and when was pulled."""
    drawn = draw(registries(unreadable=draw(st.integers(0, 5)) == 0))
    applied = draw(st.lists(rules(), max_size=4, unique_by=lambda rule: rule.name))
    running = draw(st.frozensets(st.integers(0, 20), max_size=2))
    return drawn, Policy("p", tuple(applied)), running, draw(st.integers(0, 4)) == 0, LastPulls({}, days(1000))


def reachable(found: RepositoryContents, start: str) -> set[str]:
    """A manifest, all that it lists to any depth, and whatever refers to any of them."""
    seen, stack = set(), [start]
    listed = {one.digest for one in found.rows}
    while stack:
        digest = stack.pop()
        if digest in seen or digest not in listed:
            continue
        seen.add(digest)
        if digest in found.manifests:
            stack += [child.digest for child in found.manifests[digest].children]
        stack += [one.digest for one in found.manifests.values() if one.subject == digest]
    return seen


@settings(suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_nothing_protected_ever_goes(store: Store, world: World) -> None:
    drawn, policy, numbers, unasked, pulls = world
    for found in stored(store, drawn):
        running = frozenset(one.digest for number, one in enumerate(found.rows) if number in numbers)
        known = RunningImages(dict.fromkeys(running, ()), ("A cluster could not be asked.",) if unasked else ())
        decisions = decide(policy, found, NOW, registry="r", running=known, pulls=pulls)
        gone = {one.row.digest for one in decisions.manifests if one.delete}
        assert gone == set(decisions.plan.digests)
        assert {one.row.digest for one in decisions.manifests} == {one.digest for one in found.rows}
        protected = {one.tag.digest for one in decisions.tags if not one.delete} | running
        for digest in protected:
            assert not gone & reachable(found, digest)
        if unasked or not found.complete:
            assert not gone
        tags_gone = {tag for tag in decisions.plan.tags if not attached_to(tag)}
        assert tags_gone <= {one.tag.name for one in decisions.tags if one.delete}
        assert all(one.reason for one in decisions.manifests)
        for rule in policy.rules_of(found.name):
            _check_rule(rule, decisions)


def _check_rule(rule: Rule, decisions: RepositoryDecisions) -> None:
    """The least that a rule keeps is kept."""
    newest = [one for one in decisions.tags if not isinstance(rule, UntaggedRule) and matches(one.tag.name, rule.tags)]
    if isinstance(rule, DeleteRule):
        own = [one for one in newest if one.rule == rule.name]
        assert sum(not one.delete for one in own) >= min(rule.at_least, len(own))
        if rule.at_most is not None:
            assert sum(not one.delete for one in own if one.tag.updated) <= rule.at_most
        for one in own:
            young = rule.older_than_days is not None and one.tag.updated > NOW - timedelta(days=rule.older_than_days)
            assert not (young and one.delete and rule.at_most is None)


@settings(suppress_health_check=list(HealthCheck))
@given(world=worlds(), more=keep_rules(st.just("one more")), place=st.integers(0, 4))
def test_one_more_rule_that_keeps_never_deletes_more(store: Store, world: World, more: KeepRule, place: int) -> None:
    drawn, policy, *_, pulls = world
    wider = replace(policy, rules=(*policy.rules[:place], more, *policy.rules[place:]))
    for found in stored(store, drawn):
        before, after = (
            set(decide(one, found, NOW, registry="r", running=NOTHING_RUNS, pulls=pulls).plan.digests)
            for one in (policy, wider)
        )
        assert after <= before


@settings(suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_what_comes_first_decides_and_what_comes_after_it_does_not(store: Store, world: World) -> None:
    drawn, policy, *_, pulls = world
    for found in stored(store, drawn):
        decisions = decide(policy, found, NOW, registry="r", running=NOTHING_RUNS, pulls=pulls)
        applied = [rule for rule in policy.rules_of(found.name) if not isinstance(rule, UntaggedRule)]
        for one in decisions.tags:
            unconditional = next(
                (
                    rule.name
                    for rule in applied
                    if matches(one.tag.name, rule.tags)
                    and not (isinstance(rule, KeepRule) and (rule.newest or rule.signed or rule.last_of_minor))
                ),
                "",
            )
            order = [rule.name for rule in applied]
            if one.rule:
                assert not unconditional or order.index(one.rule) <= order.index(unconditional)
            else:
                assert not (unconditional and one.tag.locks.deletable)


def test_pulls_are_asked_again_of_what_only_they_let_go() -> None:
    """Whichever of an image's tags the rule chose; not of what has too many newer ones anyway."""
    ages = {"a-1": 99, "pr-1": 100, "pr-2": 100, "old": 100}
    found = contents(row(1, "a-1", "pr-1", age=99), row(2, "pr-2", age=100), row(3, "old", age=100), ages=ages)
    by_pull = DeleteRule("unpulled", tags=("pr-*",), not_pulled_for_days=90)
    pulls = LastPulls({digest_of(1): days(95)}, days(400))
    plan = decided(found, by_pull, DeleteRule("old", older_than_days=30), pulls=pulls).plan
    assert set(plan.digests) == {digest_of(1), digest_of(2), digest_of(3)}
    assert plan.pulled == {digest_of(1): days(95), digest_of(2): None}

    few = decided(versions(1, 2, 3), DeleteRule("few", at_most=1, not_pulled_for_days=30)).plan
    assert set(few.digests) == {digest_of(2), digest_of(3)} and not few.pulled
