"""A policy that is exported to acr purge deletes the same images; one that can't be says why."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sandbox.storage.store import Store
from services.deletion.running_images import RunningImages
from services.images.manifests import attached_to
from services.images.repository_contents import RepositoryContents
from services.policies.acr_purge import as_acr_purge
from services.policies.acr_purge_variant import nearest_variant
from services.policies.decisions import LastPulls, decide
from services.policies.policy import DeleteRule, KeepRule, Policy, Rule, UntaggedRule
from services.policies.text import parse_policy
from tests.support.acr_purge import purge
from tests.support.documents import digest_of
from tests.support.policies_at_random import REPOSITORIES, TAGS, is_valid, policies
from tests.support.policy_worlds import stored
from tests.support.registries_at_random import Pushes, registries
from tests.support.repository_samples import NOW, contents, manifest, row
from ui.policies.draft import TEMPLATE

UNTAGGED = UntaggedRule("untagged", older_than_days=0)


def reasons(*rules: Rule) -> str:
    exported = as_acr_purge(Policy("p", rules))
    assert bool(exported.commands) != bool(exported.reasons)
    return " ".join(exported.reasons)


def test_age_and_number_are_exported() -> None:
    policy = Policy(
        "p",
        (
            KeepRule("base", ("base/*",)),
            KeepRule("releases", tags=("v*", "1.?")),
            DeleteRule("old", at_most=20, older_than_days=30),
            UNTAGGED,
        ),
    )
    tags = r"^(?!(sha256-[0-9a-f]{64}(\.[a-z]+)?|v.*|1\..)$)(.*)$"
    assert as_acr_purge(policy).commands == (
        f"acr purge --filter '(?!(base/.*)$)(.*):{tags}' --ago 0d --keep 20",
        f"acr purge --filter '(?!(base/.*)$)(.*):{tags}' --ago 30d",
        "acr purge --filter '(?!(base/.*)$)(.*):^$' --ago 0d --untagged",
    )


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ((KeepRule("a", newest=3), UNTAGGED), "a: acr purge can't keep the newest of all tags"),
        ((KeepRule("a", last_of_minor=True), UNTAGGED), "a: acr purge does not know versions."),
        ((KeepRule("a", signed=True), UNTAGGED), "a: acr purge does not know signatures."),
        ((DeleteRule("a", not_pulled_for_days=9), UNTAGGED), "a: acr purge does not know when an image was pulled."),
        ((DeleteRule("a", at_least=1, older_than_days=9), UNTAGGED), "a: --keep counts only tags that are old enough"),
        ((DeleteRule("a", older_than_days=9),), "a: acr purge only removes its tags."),
        (
            (DeleteRule("a", older_than_days=9), UntaggedRule("u", older_than_days=10)),
            "u waits 10 days, and a 9",
        ),
        (
            (DeleteRule("a", ("app-*",), older_than_days=9), DeleteRule("b", older_than_days=9), UNTAGGED),
            "a and b are for some of the same repositories, and not for all of them.",
        ),
        ((KeepRule("a"),), "The policy deletes nothing."),
    ],
)
def test_what_cannot_be_exported_says_why(rules: tuple[Rule, ...], reason: str) -> None:
    assert reason in reasons(*rules)


def after(found: RepositoryContents, policy: Policy) -> set[str]:
    for command in as_acr_purge(policy).commands:
        found = purge(found, command, NOW)
    return {one.digest for one in found.rows}


def kept(found: RepositoryContents, policy: Policy, *running: int) -> set[str]:
    runs = RunningImages.of(digest_of(number) for number in running)
    plan = decide(policy, found, NOW, registry="r", running=runs, pulls=LastPulls()).plan
    return {one.digest for one in found.rows} - set(plan.digests)


OLD = Policy("p", (KeepRule("v", tags=("v*",)), DeleteRule("old", older_than_days=9), UNTAGGED))


def test_it_differs_where_it_is_said_to() -> None:
    runs = contents(row(1, "a"))
    assert (after(runs, OLD), kept(runs, OLD, 1)) == (set(), {digest_of(1)})
    orphan = contents(row(1), manifests=(manifest(1, subject=digest_of(9)),))
    assert (after(orphan, OLD), kept(orphan, OLD)) == ({digest_of(1)}, set())
    signature = contents(row(1, "a"), row(2, digest_of(1).replace(":", "-") + ".sig"))
    assert (after(signature, OLD), kept(signature, OLD)) == ({digest_of(2)}, set())
    two_tags = contents(row(1, "a", "v1"))
    assert after(two_tags, OLD) == kept(two_tags, OLD) == {digest_of(1)}


def means_the_same(found: RepositoryContents) -> bool:
    """Whether a repository has nothing of what acr purge is said to treat otherwise."""
    rows = {one.digest: one for one in found.rows}
    referrers = {one.digest for one in found.manifests.values() if one.subject}
    older = all(
        rows[child.digest].updated <= rows[one.digest].updated
        for one in found.manifests.values()
        for child in one.children
        if child.digest in rows
    )
    newest_tag = {digest: max(tag.updated for tag in found.tags if tag.digest == digest) for digest in
                  {tag.digest for tag in found.tags}}  # fmt: skip
    listed = {child.digest for one in found.manifests.values() for child in one.children}
    return (
        older
        and not referrers & listed
        and not any(attached_to(tag.name) for tag in found.tags)
        and not any(tag.digest in referrers for tag in found.tags)
        and all(one.subject in rows for one in found.manifests.values() if one.subject)
        and all(rows[digest].updated <= at for digest, at in newest_tag.items())
    )


_AGES = st.none() | st.integers(0, 4)
_DELETE = st.builds(
    DeleteRule, st.sampled_from("abc"), REPOSITORIES, TAGS, st.just(0), st.none() | st.integers(0, 3), _AGES
)
_KEEP = st.builds(KeepRule, st.sampled_from("def"), REPOSITORIES, TAGS)
_UNTAGGED = st.builds(UntaggedRule, st.sampled_from("gh"), REPOSITORIES, st.sampled_from([0, 0, 0, 1, 3]))


def after_variant(found: RepositoryContents, policy: Policy) -> set[str]:
    variant = nearest_variant(policy)
    for command in variant.commands if variant else ():
        found = purge(found, command, NOW)
    return {one.digest for one in found.rows}


START = parse_policy(TEMPLATE)


def test_the_policy_that_a_new_one_starts_with_has_a_variant_that_says_what_differs() -> None:
    assert as_acr_purge(START).reasons
    variant = nearest_variant(START)
    assert variant
    assert variant.differences == (
        "Newest tags: it keeps the 5 newest of those tags alone that acr purge would delete, and so more images.",
    )
    tags = r"^(?!(sha256-[0-9a-f]{64}(\.[a-z]+)?|v.*)$)(.*)$"
    assert variant.commands == (
        f"acr purge --filter '(.*):{tags}' --ago 90d --keep 5",
        "acr purge --filter '(.*):^$' --ago 14d --untagged",
    )


def test_what_can_be_exported_has_no_variant_and_nothing_that_deletes_has_none() -> None:
    assert nearest_variant(OLD) is None
    assert nearest_variant(Policy("p", (DeleteRule("a", not_pulled_for_days=9),))) is None


def test_what_a_rule_that_is_left_out_decides_is_no_later_rules() -> None:
    unpulled = DeleteRule("unpulled", tags=("pr-*",), older_than_days=30, not_pulled_for_days=30)
    policy = Policy("p", (unpulled, DeleteRule("old", older_than_days=90), UntaggedRule("untagged", older_than_days=7)))
    variant = nearest_variant(policy)
    assert variant
    assert variant.commands[0].startswith("acr purge --filter '(.*):^(?!(sha256-[0-9a-f]{64}(\\.[a-z]+)?|pr-.*)$)")


@st.composite
def any_policy(draw: st.DrawFn) -> Policy:
    drawn = draw(policies())
    policy = replace(drawn, rules=(*drawn.rules, *draw(st.sampled_from([(), (replace(UNTAGGED, name="last one"),)]))))
    assume(nearest_variant(policy))
    return policy


@settings(suppress_health_check=list(HealthCheck))
@given(drawn=registries(locks=False), policy=any_policy())
def test_the_variant_deletes_no_image_that_the_policy_keeps(
    store: Store, drawn: tuple[Pushes, ...], policy: Policy
) -> None:
    for read in stored(store, drawn):
        earlier = timedelta(hours=1)
        found = replace(
            read,
            rows=tuple(replace(one, updated=one.updated - earlier) for one in read.rows),
            tags=tuple(replace(one, updated=one.updated - earlier) for one in read.tags),
        )
        if means_the_same(found):
            assert after_variant(found, policy) >= kept(found, policy)


@st.composite
def exportable(draw: st.DrawFn) -> Policy:
    rules = draw(st.lists(st.one_of(_DELETE, _KEEP, _UNTAGGED), min_size=1, max_size=4, unique_by=lambda one: one.name))
    policy = Policy("p", (*rules, *draw(st.sampled_from([(), (UNTAGGED,)]))))
    assume(is_valid(policy) and as_acr_purge(policy).commands)
    return policy


@settings(suppress_health_check=list(HealthCheck))
@given(drawn=registries(locks=False), policy=exportable())
def test_what_is_exported_deletes_the_same_images(store: Store, drawn: tuple[Pushes, ...], policy: Policy) -> None:
    for read in stored(store, drawn):
        # An hour aside: at the very moment of an age the two may differ.
        earlier = timedelta(hours=1)
        found = replace(
            read,
            rows=tuple(replace(one, updated=one.updated - earlier) for one in read.rows),
            tags=tuple(replace(one, updated=one.updated - earlier) for one in read.tags),
        )
        if means_the_same(found):
            assert after(found, policy) == kept(found, policy)
