"""All tags of a repository: how they are read, filtered and sorted."""

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.data_plane import RegistryClient, path_of
from services.images.manifests import Kind
from services.images.repositories import PAGE, Locks, Tag
from services.images.summaries import ImageSummary
from services.images.tag_list import ListedTag, SortKey, TagList, filter_tags, matches, read_tag_list, sort_tags
from tests.support.canned import Answer, CannedRegistry
from tests.support.documents import OCI_INDEX, digest_of, entry, raw, tag

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SCOPE = "repository:app:metadata_read"
NEW, OLD = (raw({"mediaType": OCI_INDEX, "manifests": [], "annotations": {"version": v}}) for v in "21")
IMAGE = digest_of(1)
MORE = {"Link": '</acr/v1/app/_tags?last=v2&n=1000&orderby=timedesc>; rel="next"'}
PAGES = (
    Answer(200, {"tags": [tag("latest", NEW[1]), tag("v2", NEW[1])]}, MORE),
    Answer(200, {"tags": [tag("v2", NEW[1]), tag("v1", OLD[1]), tag("v0", IMAGE)]}),
)


@pytest.fixture
def served(registry: CannedRegistry) -> CannedRegistry:
    """The repository app: four tags on two pages, one of them on both, of two indexes and an image."""
    registry.serve("GET", "/acr/v1/app/_tags", SCOPE, *PAGES)
    rows = [entry(digest, mediaType=OCI_INDEX, os=None, architecture=None) for _, digest in (NEW, OLD)]
    registry.serve("GET", "/acr/v1/app/_manifests", SCOPE, Answer(200, {"manifests": [*rows, entry(IMAGE)]}))
    for content, digest in (NEW, OLD):
        answer = Answer(200, content, {"Content-Type": OCI_INDEX})
        registry.serve("GET", path_of("/v2/app/manifests/{digest}", digest=digest), "repository:app:pull", answer)
    return registry


def names(found: TagList) -> list[str]:
    return [one.name for one in found.tags.values]


def test_every_page_is_read_and_each_tag_is_there_once(served: CannedRegistry, client: RegistryClient) -> None:
    parts: list[TagList] = []
    found = read_tag_list(client, "app", {}, on_part=parts.append)
    assert names(found) == ["latest", "v2", "v1", "v0"]
    assert [names(part) for part in parts] == [["latest", "v2"], names(found)]
    assert (found.more, [part.more for part in parts]) == (False, [True, False])
    assert {item.tag.name: item.image.kind for item in found.items if item.image} == {
        "latest": Kind.INDEX,
        "v2": Kind.INDEX,
        "v1": Kind.INDEX,
        "v0": Kind.IMAGE,
    }
    asked = [call.query for call in served.calls() if call.path.endswith("_tags")]
    assert asked == [
        {"n": str(PAGE), "orderby": "timedesc"},
        {"n": str(PAGE), "orderby": "timedesc", "last": "v2"},
    ]


def test_of_a_large_repository_the_newest_indexes_are_read(served: CannedRegistry, client: RegistryClient) -> None:
    found = read_tag_list(client, "app", {}, most_indexes=1)
    assert [(item.tag.name, item.image is not None) for item in found.items] == [
        ("latest", True),
        ("v2", True),
        ("v1", False),
        ("v0", True),
    ]
    assert found.images.untried == 1
    assert path_of("/v2/app/manifests/{digest}", digest=OLD[1]) not in [call.path for call in served.calls()]


def test_a_stop_keeps_what_was_read_and_says_that_there_is_more(served: CannedRegistry, client: RegistryClient) -> None:
    stop = Event()
    found = read_tag_list(client, "app", {}, on_part=lambda _: stop.set(), stop=stop)
    assert (names(found), found.more) == (["latest", "v2"], True)
    assert found.images.untried == 1
    assert len(served.calls()) == 1


def test_tags_are_there_where_manifests_are_refused(served: CannedRegistry, client: RegistryClient) -> None:
    denied = {"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]}
    served.serve("GET", "/acr/v1/app/_manifests", SCOPE, Answer(403, denied))
    found = read_tag_list(client, "app", {})
    assert len(found.items) == 4
    assert not any(item.image for item in found.items)
    assert [(refusal.what, refusal.error.code) for refusal in found.images.refused] == [("manifests of app", "DENIED")]


def listed(name: str, days: int | None = 0, size: int | None = None, digest: str = IMAGE) -> ListedTag:
    at = None if days is None else NOW - timedelta(days=days)
    image = ImageSummary(digest, Kind.IMAGE, (), size)
    return ListedTag(Tag(name, digest, at, at, Locks()), image)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["v1.0", "v1.1", "V2", "pr-7"]),
        ("v", ["v1.0", "v1.1", "V2"]),
        ("v1.*", ["v1.0", "v1.1"]),
        (" v?.0 ", ["v1.0"]),
        ("[!v]*", ["V2", "pr-7"]),
        ("pr", ["pr-7"]),
        ("p*x", []),
    ],
)
def test_a_glob_is_of_the_whole_name_and_text_of_a_part(text: str, found: list[str]) -> None:
    assert [item.tag.name for item in filter_tags(map(listed, ("v1.0", "v1.1", "V2", "pr-7")), text)] == found


@pytest.mark.parametrize(("text", "found"), [("sha256:abcdef0", 1), ("abcdef0", 1), ("abcdef1", 0), ("abcde", 0)])
def test_the_beginning_of_a_digest_finds_its_tags(text: str, found: int) -> None:
    items = [listed("v1", digest="sha256:abcdef0" + "0" * 57), listed("v2")]
    assert len(filter_tags(items, text)) == found


@given(st.text("abAB1.-", max_size=6), st.text("abAB*?.", max_size=5))
def test_a_glob_means_what_it_means_in_a_clean_up(name: str, pattern: str) -> None:
    if "*" in pattern or "?" in pattern:
        assert matches(name, pattern) == fnmatchcase(name, pattern)
    elif pattern in name:
        assert matches(name, pattern)


tags = st.builds(
    listed, st.text("abc", min_size=1, max_size=3), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)
)


@given(st.lists(tags, max_size=8), st.sampled_from(SortKey), st.booleans())
def test_sorting_loses_no_tag_and_puts_the_unknown_last(items: list[ListedTag], key: SortKey, descending: bool) -> None:
    def value(item: ListedTag) -> object:
        assert item.image
        return {
            SortKey.UPDATED: item.tag.updated,
            SortKey.CREATED: item.tag.created,
            SortKey.SIZE: item.image.size,
            SortKey.NAME: item.tag.name,
            SortKey.KIND: item.image.kind,
            SortKey.LOCKS: None,
        }[key]

    found = sort_tags(items, key, descending=descending)
    assert sorted(map(id, found)) == sorted(map(id, items))
    values = [value(item) for item in found]
    known = [one for one in values if one is not None]
    assert values[: len(known)] == known
    assert all(a >= b if descending else a <= b for a, b in pairwise(known))  # type: ignore[operator]
