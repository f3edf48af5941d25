"""The bars of a registry's storage, on its numbers."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.images.storage import RegistryStorage, RepositoryStorage
from ui.images.storage_chart import MOST_BARS, SHARED, TAGGED, UNREAD, UNTAGGED, storage_chart, storage_colours

MIB = 2**20
APP = RepositoryStorage("app", 10 * MIB, 6 * MIB, 0, 2 * MIB, ())


def test_a_bar_is_what_only_tags_have_what_is_shared_and_what_is_untagged() -> None:
    small = RepositoryStorage("small", 3 * MIB, 3 * MIB, 0, 0, ())
    chart = storage_chart(RegistryStorage(13 * MIB, 4 * MIB, (small, APP)))
    assert chart
    assert chart.series == (TAGGED, SHARED, UNTAGGED)
    assert [(bar.label, bar.parts) for bar in chart.bars] == [("app", (4, 4, 2)), ("small", (3, 0, 0))]
    assert chart.title == "app has the most: 10.0 MiB of 13.0 MiB in manifests"
    assert chart.unit == "MiB"


def test_what_was_not_all_read_has_one_part_and_a_lower_bound() -> None:
    unread = replace(APP, unread=1)
    chart = storage_chart(RegistryStorage(10 * MIB, 0, (unread,)))
    assert chart
    assert chart.series == (UNREAD,)
    assert (chart.bars[0].parts, chart.bars[0].text) == ((10,), "≥ 10.0 MiB")
    assert chart.title == "app has the most: ≥ 10.0 MiB of at least 10.0 MiB in manifests"


@given(st.lists(st.integers(0, 10**10), max_size=40))
def test_bars_are_sorted_and_the_rest_is_one(sizes: list[int]) -> None:
    repositories = tuple(RepositoryStorage(f"app{n}", size, size, 0, 0, ()) for n, size in enumerate(sizes))
    chart = storage_chart(RegistryStorage(sum(sizes), 0, repositories))
    stored = sorted((size for size in sizes if size), reverse=True)
    if not stored:
        assert chart is None
        return
    assert chart
    assert len(chart.bars) == min(len(stored), MOST_BARS)
    named = [bar.total for bar in chart.bars if not bar.label.startswith("Other")]
    assert named == sorted(named, reverse=True)
    if len(stored) > MOST_BARS:
        assert chart.bars[-1].label == f"Other ({len(stored) - MOST_BARS + 1})"


def test_each_series_has_a_colour_of_its_own() -> None:
    for theme in ("light", "dark"):
        assert len(set(storage_colours(theme).values())) == 4
