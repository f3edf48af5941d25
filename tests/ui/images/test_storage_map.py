from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.images.storage import ImageStorage, RegistryStorage, RepositoryStorage
from ui.elements.chart_theme import contrast
from ui.images.storage_map import Area, Part, areas_of, colours_of, map_figure, tags_of

sizes = st.integers(0, 1000)
KEYS = [part for part in Part if part not in (Part.REGISTRY, Part.REPOSITORY)]


@st.composite
def storages(draw: st.DrawFn) -> RegistryStorage:
    """Of any shape, in the order that the services give: those with most of their own first."""
    repositories = []
    for number in range(draw(st.integers(0, 6))):
        own = sorted(draw(st.lists(sizes, max_size=8)), reverse=True)
        images = tuple(
            ImageStorage(f"sha256:{number}-{image}", (f"v{image}",), size, size) for image, size in enumerate(own)
        )
        between, untagged = draw(sizes), draw(sizes)
        unique = sum(own) + between + untagged
        repositories.append(RepositoryStorage(f"app{number}", unique, unique, between, untagged, images))
    repositories.sort(key=lambda repository: -repository.unique)
    shared = draw(sizes)
    total = shared + sum(repository.unique for repository in repositories)
    return RegistryStorage(total, shared, tuple(repositories))


def within(areas: list[Area]) -> dict[int | None, int]:
    found: defaultdict[int | None, int] = defaultdict(int)
    for area in areas:
        found[area.within] += area.size
    return found


@given(storage=storages(), smallest=st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.5]))
def test_areas_add_up_to_the_one_around_them_however_few_are_drawn(storage: RegistryStorage, smallest: float) -> None:
    areas = areas_of("contoso", storage, smallest)
    inside = within(areas)
    assert inside.get(None, 0) == storage.total
    assert all(area.size > 0 for area in areas)
    for area in areas:
        if area.part in (Part.REGISTRY, Part.REPOSITORY):
            assert inside[area.number] == area.size, area
    # Each area that is too small for its name stands for all such of its like.
    small = [area for area in areas if area.size < smallest * storage.total]
    assert len({area.within for area in small}) == len(small)


def test_the_smallest_images_are_drawn_as_one_and_a_single_one_as_itself() -> None:
    def drawn(smallest: float) -> list[tuple[str, int]]:
        images = tuple(ImageStorage(f"sha256:{size}", (f"v{size}",), size, size) for size in (9, 5, 3, 1))
        storage = RegistryStorage(18, 0, (RepositoryStorage("app", 18, 18, 0, 0, images),))
        return [(area.label, area.size) for area in areas_of("contoso", storage, smallest)]

    top = [("contoso", 18), ("app", 18), ("v9", 9), ("v5", 5)]
    assert drawn(0.2) == [*top, ("2 smaller parts", 4)]
    assert drawn(0.1) == [*top, ("v3", 3), ("v1", 1)]


def test_small_repositories_are_joined() -> None:
    repositories = tuple(RepositoryStorage(f"app{size}", size, size, 0, 0, ()) for size in (96, 2, 2))
    areas = areas_of("contoso", RegistryStorage(100, 0, repositories), 0.05)
    assert [(area.label, area.part, area.size) for area in areas[1:]] == [
        ("app96", Part.SMALLER, 96),
        ("2 smaller repositories", Part.SMALLER, 4),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_has_its_key_and_text_that_can_be_read(theme: str) -> None:
    areas = [
        Area(0, None, Part.REGISTRY, "contoso", 3),
        *(Area(n, 0, part, "<b>", 1) for n, part in enumerate(KEYS, 1)),
    ]
    treemap, *keys = map_figure(areas, theme).data
    assert {key.name: key.marker.color for key in keys} == {part.value: colours_of(theme)[part] for part in KEYS}
    assert len({key.marker.color for key in keys}) == len(keys)
    for fill, ink in zip(treemap.marker.colors, treemap.textfont.color, strict=True):
        assert contrast(fill, ink) >= 4.5
    assert "<b>" not in treemap.labels


def test_of_many_tags_one_is_named() -> None:
    assert tags_of(ImageStorage("", ("v1",), 0, 0)) == "v1"
    assert tags_of(ImageStorage("", ("latest", "v2", "v3"), 0, 0)) == "latest +2"
