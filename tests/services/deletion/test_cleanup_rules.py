"""A rule chooses the tags and leftovers that it names, and nothing that anything else still needs."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.storage.store import Store
from services.deletion.cleanup_rules import Chosen, Rule, choose, choose_tags
from services.deletion.plan import plan_deletion
from services.deletion.running_images import running_digests
from services.images.leftovers import find_leftovers
from services.images.manifests import attached_to
from services.images.tree import Role, build_tree
from tests.support.documents import digest_of
from tests.support.registries_at_random import Pushes, read, registries, write
from tests.support.repository_samples import NOW, contents, manifest, row


def tags_of(chosen: Chosen) -> list[str]:
    return [tag.name for tag in chosen.tags]


def test_a_pattern_is_a_glob_over_the_whole_name() -> None:
    found = contents(row(1, "pr-1"), row(2, "pr-22"), row(3, "v1", "my-pr-3"), row(4, "PR-4"))
    assert sorted(tags_of(choose(found, Rule("pr-*"), NOW))) == ["pr-1", "pr-22"]
    assert tags_of(choose(found, Rule("pr-?"), NOW)) == ["pr-1"]
    assert tags_of(choose(found, Rule(""), NOW)) == []


def test_age_is_that_of_the_last_update() -> None:
    found = contents(row(1, "a"), row(2, "b"), ages={"a": 30, "b": 29.9})
    assert tags_of(choose(found, Rule("*", timedelta(days=30)), NOW)) == ["a"]


def test_the_newest_of_the_chosen_are_kept() -> None:
    found = contents(*(row(n, f"v{n}") for n in range(1, 5)), ages={"v1": 40, "v2": 50, "v3": 60, "v4": 1})
    assert tags_of(choose(found, Rule("*", timedelta(days=30), keep=1), NOW)) == ["v2", "v3"]


def test_an_index_of_several_platforms_is_not_chosen_by_one_of_them() -> None:
    found = contents(
        row(1, "both", index=True),
        row(2),
        row(3, platform="linux/arm64"),
        row(4, "arm", platform="linux/arm64"),
        row(5, "only-arm", index=True),
        manifests=(manifest(1, (2, "linux/amd64"), (3, "linux/arm64")), manifest(5, (3, "linux/arm64"))),
    )
    assert sorted(tags_of(choose(found, Rule("*", platform="linux/arm64"), NOW))) == ["arm", "only-arm"]


def test_an_image_with_another_tag_stays() -> None:
    chosen = choose(contents(row(1, "pr-1", "v1"), row(2, "pr-2")), Rule("pr-*"), NOW)
    assert sorted(tags_of(chosen)) == ["pr-1", "pr-2"]
    assert chosen.digests == (digest_of(2),)
    assert chosen.kept == ((digest_of(1), "v1"),)


def test_a_tag_that_one_of_the_two_lists_has_keeps_an_image() -> None:
    """The lists of manifests and of tags are read one after the other: a tag may be set between them."""
    found = contents(row(1, "pr-1", "v1"))
    of_rows = replace(found, tags=tuple(tag for tag in found.tags if tag.name != "v1"))
    of_tags = replace(found, rows=tuple(replace(one, tags=("pr-1",)) for one in found.rows))
    for one in (found, of_rows, of_tags):
        chosen = choose(one, Rule("pr-*"), NOW)
        assert (chosen.digests, chosen.kept) == ((), ((digest_of(1), "v1"),))


def test_a_tag_of_a_signature_is_nobodys_own() -> None:
    name = digest_of(1).replace(":", "-") + ".sig"
    assert tags_of(choose(contents(row(1, "v1"), row(2, name)), Rule("*"), NOW)) == ["v1"]


def test_leftovers_are_held_by_nothing_and_refer_to_nothing() -> None:
    found = contents(
        row(1, "v1", index=True),
        row(2),
        row(3),
        row(4),
        row(5, index=True),
        row(6),
        row(7, age=1),
        manifests=(
            manifest(1, (2, "linux/amd64")),
            manifest(4, subject=digest_of(1)),
            manifest(5, (6, "linux/amd64")),
        ),
    )
    assert set(choose(found, Rule(leftovers=True, older_than=timedelta(days=30)), NOW).digests) == {
        digest_of(3),
        digest_of(5),
    }
    unread = replace(found, manifests={}, untried=len(found.rows))
    assert find_leftovers(unread.rows, unread.manifests).certain == ()
    plan = plan_deletion(unread, choose(unread, Rule(leftovers=True), NOW).digests, registry="contoso", by_name=False)
    assert plan.unblocked == ()
    assert all("could not be read" in item.blocker for item in plan.items)


def test_tags_by_name_keep_their_order_and_leave_out_what_is_not_there() -> None:
    found = contents(row(1, "a", "b"), row(2, "c"))
    assert [tag.name for tag in choose_tags(found, ["c", "x", "a", "c"])] == ["c", "a"]


@settings(suppress_health_check=list(HealthCheck))
@given(
    drawn=registries(),
    number=st.integers(0, 10**12),
    rule=st.builds(
        Rule,
        st.sampled_from(["*", "v*", "latest", ""]),
        st.integers(0, 30).map(lambda minutes: timedelta(minutes=minutes)),
        keep=st.integers(0, 3),
        leftovers=st.booleans(),
    ),
)
def test_no_tag_is_lost_that_the_rule_did_not_choose(
    store: Store, drawn: tuple[Pushes, ...], number: int, rule: Rule
) -> None:
    registry = f"r{number}"
    store.delete_registry_data(registry)
    write(store, registry, drawn)
    for found in read(store, registry):
        now = found.repository.updated
        chosen = choose(found, rule, now)
        plan = plan_deletion(found, chosen.digests, registry="contoso", by_name=False)
        own = {tag for tag in plan.tags if not attached_to(tag)}
        assert own <= {tag.name for tag in chosen.tags}
        by_name = {tag.name: tag for tag in found.tags}
        assert all(by_name[name].updated <= now - rule.older_than for name in own)


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(drawn=registries(), number=st.integers(0, 10**12))
def test_the_tree_and_the_clean_up_show_the_same_leftovers(
    store: Store, drawn: tuple[Pushes, ...], number: int
) -> None:
    registry = f"r{number}"
    store.delete_registry_data(registry)
    write(store, registry, drawn)
    for found in read(store, registry):
        nodes = build_tree(found.rows, found.manifests.values())
        untagged = {node.digest for node in nodes if node.role is Role.UNTAGGED}
        chosen = set(choose(found, Rule(leftovers=True), found.repository.updated).digests)
        if found.complete:
            assert chosen == untagged
        else:
            assert chosen >= untagged
            assert not plan_deletion(found, chosen, registry="contoso", by_name=False).unblocked


# What runs


def test_digests_and_tags_are_found_in_what_kubectl_prints() -> None:
    found = contents(row(1, "v1"), row(2, "v1.0"), row(3, "v2"))
    text = (
        f"contoso.azurecr.io/app:v1 contoso.azurecr.io/app@{digest_of(9)}\n"
        f"contoso.azurecr.io/app2:v1.0 other/contoso.azurecr.io/app:v2-rc\n"
    )
    assert running_digests(text, found) == {digest_of(1), digest_of(9)}
    assert running_digests("", found) == frozenset()
    assert running_digests("mycontoso.azurecr.io/app:v1 x-contoso.azurecr.io/app:v2", found) == frozenset()
    also = "contoso.azurecr.io:443/app:v1 contoso.eastus.geo.azurecr.io/app:v2"
    assert running_digests(also, found) == {digest_of(1), digest_of(3)}
