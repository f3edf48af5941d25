from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from services.images.storage import ImageStorage, RegistryStorage, RepositoryStorage
from ui.images.storage_map import Area, Part, areas_of, tags_of

sizes = st.integers(0, 1000)


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


@given(storage=storages(), largest=st.integers(1, 12))
def test_areas_add_up_to_the_one_around_them_however_few_are_drawn(storage: RegistryStorage, largest: int) -> None:
    areas = areas_of("contoso", storage, largest)
    inside = within(areas)
    assert inside.get(None, 0) == storage.total
    assert all(area.size > 0 for area in areas)
    for area in areas:
        if area.part in (Part.REGISTRY, Part.REPOSITORY) and "smaller" not in area.label:
            assert inside[area.number] == area.size, area
    drawn = [area for area in areas if area.part is Part.IMAGE and "smaller" not in area.label]
    assert len(drawn) <= largest
    assert len([area for area in areas if area.part is Part.REPOSITORY]) <= largest + 1


def test_the_smallest_images_are_drawn_as_one() -> None:
    images = tuple(ImageStorage(f"sha256:{size}", (f"v{size}",), size, size) for size in (9, 5, 3, 1))
    areas = areas_of("contoso", RegistryStorage(18, 0, (RepositoryStorage("app", 18, 18, 0, 0, images),)), largest=2)
    assert [(area.label, area.size) for area in areas] == [
        ("contoso", 18),
        ("app", 18),
        ("v9", 9),
        ("v5", 5),
        ("2 smaller images", 4),
    ]


def test_of_many_tags_one_is_named() -> None:
    assert tags_of(ImageStorage("", ("v1",), 0, 0)) == "v1"
    assert tags_of(ImageStorage("", ("latest", "v2", "v3"), 0, 0)) == "latest +2"
