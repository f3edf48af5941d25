"""Growth of many registries: by registry and by tag, with what is unknown said as such."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.growth.estate import GroupGrowth, groups_by_tag, growth_of_groups, stack, tag_names
from services.growth.history import WHOLE, Snapshot
from services.growth.store import add_snapshots, read_totals
from tests.support.shell_lines import registry as a_registry

DAY = date(2026, 11, 29)
ONE = replace(a_registry(), id="/one", tags=(("Team", "shop"),))
TWO = replace(a_registry(), id="/two", tags=(("team", "pay"), ("env", "prod")))
NONE = replace(a_registry(), id="/none", tags=())
NO_VALUE = replace(a_registry(), id="/no-value", tags=(("TEAM", ""),))


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def test_a_registry_without_the_tag_says_so_and_azure_tells_no_case_apart_in_names() -> None:
    assert tag_names((ONE, TWO, NONE)) == ("env", "Team")
    assert groups_by_tag((ONE, TWO, NONE, NO_VALUE), "Team") == {
        "/one": "shop", "/two": "pay", "/none": "No tag Team", "/no-value": "Team without a value",
    }  # fmt: skip


def test_between_two_snapshots_a_registry_is_as_in_the_one_before_and_before_the_first_not_there() -> None:
    totals = {"/one": {ago(2): 5, DAY: 7}, "/two": {ago(1): 10}}
    found = {(one.day, one.repository): one.total for one in stack(totals, {"/one": "a", "/two": "b"})}
    assert found == {(ago(2), "a"): 5, (ago(1), "a"): 5, (ago(1), "b"): 10, (DAY, "a"): 7, (DAY, "b"): 10}


def test_what_was_not_known_then_is_unknown_and_what_was_created_since_had_nothing() -> None:
    totals = {"/one": {ago(40): 5, DAY: 7}, "/two": {ago(1): 10, DAY: 10}, "/none": {DAY: 3}}
    groups = {"/one": "shop", "/two": "shop", "/none": "No tag team"}
    assert growth_of_groups(totals, groups, {}, 30) == (
        GroupGrowth("shop", 2, 17, 2, 1),
        GroupGrowth("No tag team", 1, 3, None, 1),
    )
    made = {"/two": ago(2), "/none": ago(300)}
    assert growth_of_groups(totals, groups, made, 30)[0] == GroupGrowth("shop", 2, 17, 12, 0)
    assert growth_of_groups({}, {}, {}, 30) == ()


def test_the_growth_of_what_has_no_snapshot_any_more_is_unknown_and_not_0() -> None:
    totals = {"/one": {ago(60): 5, DAY: 7}, "/two": {ago(60): 10, ago(40): 12}, "/none": {ago(60): 1, ago(29): 2}}
    groups = {"/one": "shop", "/two": "shop", "/none": "other"}
    assert growth_of_groups(totals, groups, {"/two": ago(90)}, 30) == (
        GroupGrowth("shop", 2, 19, 2, 1),
        GroupGrowth("other", 1, 2, 1, 0),
    )
    assert growth_of_groups(totals, groups, {}, 50)[0] == GroupGrowth("shop", 2, 19, 4, 0)


@given(
    st.dictionaries(
        st.sampled_from(["/a", "/b", "/c"]),
        st.dictionaries(st.integers(0, 40).map(ago), st.integers(0, 9), min_size=1),
        min_size=1,
    )
)
def test_the_groups_together_are_all_registries_on_each_day(totals: dict[str, dict[date, int]]) -> None:
    together = {one.day: one.total for one in stack(totals, dict.fromkeys(totals, "all"))}
    apart: dict[date, int] = dict.fromkeys(together, 0)
    for one in stack(totals, {name: name for name in totals}):
        apart[one.day] += one.total
    assert together == apart
    last = max(together)
    assert together[last] == sum(days[max(days)] for days in totals.values())


def test_only_the_span_and_the_registries_asked_for_are_read(database: Engine) -> None:
    today = datetime.now(UTC).date()
    for registry in (ONE, TWO):
        for age in (100, 1, 0):
            day = today - timedelta(days=age)
            add_snapshots(
                database, registry, [Snapshot(day, WHOLE, age, 2, 0, 1, 1), Snapshot(day, "app", 9, 0, 0, 1, 1)]
            )
    assert read_totals(database, (ONE, NONE), 92) == {"/one": {today - timedelta(days=1): 3, today: 2}}
    assert read_totals(database, (ONE,)).keys() == {"/one"} and len(read_totals(database, (ONE,))["/one"]) == 3
