"""Two images compared: with itself nothing differs, the other way round is the mirror image, unknown is no sameness."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from services.compare.comparison import (
    ComparedImage,
    Comparison,
    Difference,
    Layers,
    PackageChange,
    Packages,
    Values,
    common_platforms,
    compare_images,
)
from services.compare.report import MOST_LINES, as_text, sbom_gaps, summary
from services.compare.sbom import Package, Sbom
from services.compare.sbom_reading import FoundSbom
from services.images.manifests import Descriptor, HistoryStep, ImageConfig, Kind, Manifest
from tests.support.documents import OCI_LAYER, OCI_MANIFEST, digest_of

MIB = 2**20


def image_of(
    layers: list[tuple[int, int | None]], config: ImageConfig | None = None, number: int = 1, **more: Any
) -> ComparedImage:
    described = tuple(Descriptor(digest_of(digest), OCI_LAYER, size) for digest, size in layers)
    digest = digest_of(1000 + number)
    manifest = Manifest(digest, OCI_MANIFEST, 100, Kind.IMAGE, None, described, (), "", "", ())
    values: dict[str, Any] = {"sbom": FoundSbom(None, "No SBOM refers to it"), **more}
    return ComparedImage(digest, manifest, config, **values)


def sbom_of(*packages: tuple[str, str], form: str = "SPDX") -> FoundSbom:
    return FoundSbom(Sbom(form, tuple(Package("deb", name, (version,)) for name, version in packages)))


def step(command: str, *, empty: bool = False) -> HistoryStep:
    return HistoryStep("2026-01-02T03:04:05Z", command, "", empty)


FEW = some.sampled_from("abc")
PAIRS = some.lists(some.tuples(FEW, FEW), max_size=3).map(tuple)
CONFIGS = some.builds(
    ImageConfig,
    user=FEW,
    entrypoint=some.lists(FEW, max_size=2).map(tuple),
    cmd=some.lists(some.sampled_from(["a", "b c", ""]), max_size=2).map(tuple),
    env=PAIRS,
    labels=PAIRS,
    ports=some.lists(FEW, max_size=2).map(tuple),
    history=some.lists(some.builds(step, FEW, empty=some.booleans()), max_size=8).map(tuple),
)
SBOMS = some.one_of(
    some.just(FoundSbom(None, "No SBOM refers to it")),
    some.just(FoundSbom(None, "Denied", unknown=True)),
    some.dictionaries(FEW, FEW, max_size=3).map(lambda found: sbom_of(*found.items())),
)
IMAGES = some.builds(
    image_of,
    some.lists(some.tuples(some.integers(1, 4), some.integers(0, 9)), max_size=5),
    some.none() | CONFIGS,
    some.integers(1, 2),
    sbom=SBOMS,
    platforms=some.lists(FEW, unique=True, max_size=3).map(tuple),
) | some.builds(ComparedImage, some.just(digest_of(9)), some.none(), some.none(), SBOMS, unread=some.just("Denied"))


def turned(values: Values | None) -> Values | None:
    if values is None:
        return None
    return Values(tuple(Difference(one.name, one.right, one.left) for one in values.differing), values.same)


def turned_layers(found: Layers | None, shared: Layers | None) -> Layers | None:
    if found is None or shared is None:
        return None
    # A layer that both have carries the step of the one on the left.
    return Layers(shared.shared, found.right, found.left, found.pull_left, found.pull_right)


def turned_packages(found: Packages | None) -> Packages | None:
    if found is None:
        return None
    return Packages(
        tuple(PackageChange(one.kind, one.name, one.right, one.left) for one in found.differing), found.same
    )


def sides(comparison: Comparison) -> list[tuple[object, ...]] | None:
    if comparison.history is None:
        return None
    return [(one.step, one.left, one.right) for one in comparison.history]


@given(IMAGES)
def test_an_image_does_not_differ_from_itself(image: ComparedImage) -> None:
    found = compare_images(image, image)
    assert found.same_image
    assert summary(found) == "The same image"
    assert found.layers is None or not found.layers.differing
    assert found.layers is None or (found.layers.pull_left, found.layers.pull_right) == (0, 0)
    for values in (found.configuration, found.env, found.labels, found.ports, found.platforms):
        assert values is None or not values.differing
    assert found.packages is None or not found.packages.differing
    assert all(one.left and one.right for one in found.history or ())


@given(IMAGES, IMAGES)
def test_the_other_way_round_is_the_mirror_image(left: ComparedImage, right: ComparedImage) -> None:
    there, back = compare_images(left, right), compare_images(right, left)
    assert back.layers == turned_layers(there.layers, back.layers)
    assert (there.layers is None) is (back.layers is None)
    for name in ("configuration", "env", "labels", "ports", "platforms"):
        assert getattr(back, name) == turned(getattr(there, name))
    assert back.packages == turned_packages(there.packages)
    assert there.grows == (None if back.grows is None else -back.grows)
    history, turned_history = sides(there), sides(back)
    if history is None or turned_history is None:
        assert history is turned_history
        return
    # Steps of one alone that stand between the same steps of both may change places.
    assert sorted(map(repr, history)) == sorted(repr((one, left, right)) for one, right, left in turned_history)
    assert [one for one in history if one[1] and one[2]] == [one for one in turned_history if one[1] and one[2]]


@given(CONFIGS, CONFIGS)
def test_every_step_of_both_is_shown_in_its_order(left: ImageConfig, right: ImageConfig) -> None:
    found = compare_images(image_of([], left), image_of([], right, 2)).history
    assert found is not None
    mine, its = ([one.step.command for one in found if one.left], [one.step.command for one in found if one.right])
    assert mine == [one.command for one in left.history]
    assert its == [one.command for one in right.history]


@given(IMAGES, IMAGES)
def test_what_is_unknown_of_one_is_never_said_to_be_the_same(left: ComparedImage, right: ComparedImage) -> None:
    found = compare_images(left, right)
    if found.same_image:
        return
    said = summary(found)
    if left.sbom.sbom is None or right.sbom.sbom is None:
        assert "same packages" not in said
        assert "packages changed" not in said
        assert sbom_gaps(found, "a", "b")
    if left.config is None or right.config is None:
        assert "configuration unknown" in said
    if left.manifest is None or right.manifest is None:
        assert "layers unknown" in said
    assert as_text(found, "a", "b").endswith("\n")


def test_the_summary_says_what_differs() -> None:
    left = image_of(
        [(1, 30 * MIB), (2, 5 * MIB), (3, MIB)],
        ImageConfig(env=(("A", "1"),)),
        sbom=sbom_of(("libc6", "1"), ("zlib", "1")),
    )
    right = image_of(
        [(1, 30 * MIB), (4, 20 * MIB)],
        ImageConfig(env=(("A", "2"),)),
        2,
        sbom=sbom_of(("libc6", "2"), ("zlib", "1"), ("new", "1")),
    )
    found = compare_images(left, right)
    assert summary(found) == "14.0 MiB larger, 2 layers differ, 1 setting changed, 2 packages changed"
    assert summary(compare_images(right, left)).startswith("14.0 MiB smaller, 2 layers differ")
    assert found.layers
    assert (found.layers.pull_right, found.layers.pull_left) == (20 * MIB, 6 * MIB)


def test_a_layer_in_another_place_is_not_loaded_again() -> None:
    found = compare_images(image_of([(1, 10), (2, 20)]), image_of([(2, 20), (3, 5)], number=2)).layers
    assert found
    assert found.shared == ()
    assert [(layer.descriptor.size, layer.elsewhere) for layer in found.right] == [(20, True), (5, False)]
    assert found.pull_right == 5


def test_a_size_that_is_not_given_is_unknown() -> None:
    found = compare_images(image_of([(1, None)]), image_of([(2, 5)], number=2))
    assert found.grows is None
    assert found.layers
    assert found.layers.pull_left is None
    assert summary(found).startswith("difference in size unknown")


def test_when_a_step_ran_is_no_difference() -> None:
    left = ImageConfig(history=(step("FROM x"), replace(step("RUN y"), created="2020-01-01T00:00:00Z")))
    right = ImageConfig(history=(step("FROM x"), step("RUN y"), step("CMD z", empty=True)))
    found = compare_images(image_of([], left), image_of([], right, 2)).history
    assert found
    assert [(one.step.command, one.left, one.right) for one in found] == [
        ("FROM x", True, True),
        ("RUN y", True, True),
        ("CMD z", False, True),
    ]


def test_a_history_without_end_is_compared_from_the_base_up() -> None:
    long = ImageConfig(history=tuple(step(f"RUN {number}") for number in range(20_000)))
    longer = ImageConfig(history=(*long.history[:10_000], step("RUN other"), *long.history[10_000:]))
    found = compare_images(image_of([], long), image_of([], longer, 2)).history
    assert found and sum(one.left and one.right for one in found) == 10_000


def test_a_layer_says_what_made_it_where_the_history_has_a_step_for_each() -> None:
    config = ImageConfig(history=(step("FROM x"), step("ENV y", empty=True), step("COPY z")))
    found = compare_images(image_of([(1, 1), (2, 2)], config), image_of([(1, 1)], config, 2)).layers
    assert found
    assert [layer.made_by for layer in found.left] == ["COPY z"]
    assert [layer.made_by for layer in found.shared] == ["FROM x"]


def test_platforms_that_both_have() -> None:
    assert common_platforms(["linux/amd64", "linux/arm64"], ["linux/arm64", "windows/amd64"]) == ("linux/arm64",)


def test_two_tools_are_said() -> None:
    left, right = (
        image_of([], sbom=sbom_of(("a", "1"))),
        image_of([], None, 2, sbom=sbom_of(("a", "1"), form="CycloneDX")),
    )
    (said,) = sbom_gaps(compare_images(left, right), "v1", "v2")
    assert "SPDX" in said and "CycloneDX" in said


def test_the_text_keeps_to_its_lines_and_blocks() -> None:
    hostile = "a\n```\n# b\r\x85c"
    config = ImageConfig(env=((hostile, hostile),), history=(step(hostile),))
    right = image_of([], config, 2, sbom=sbom_of(*((f"p{n}", hostile) for n in range(MOST_LINES + 5))))
    left = image_of([], ImageConfig(), sbom=sbom_of(), pushed=datetime(2026, 1, 2, tzinfo=UTC))
    text = as_text(compare_images(left, right), hostile, "v2")
    fences = [line for line in text.splitlines() if line.startswith("```")]
    assert fences == ["```diff", "```"] * (len(fences) // 2)
    assert "… and 5 more" in text


def with_secret(secret: str) -> ComparedImage:
    config = ImageConfig(
        entrypoint=("app", f"--password={secret}"),
        cmd=("--token", secret),
        env=(("DB_PASSWORD", secret), ("PATH", "/bin"), ("DATABASE", f"postgres://app:{secret}@db/app")),
        labels=(("build.token", secret), ("version", "1")),
        history=(step(f"RUN |1 TOKEN={secret} /bin/sh -c make"), step("COPY a")),
    )
    return image_of([(len(secret), 1), (99, 2)], config, number=len(secret))


def test_secrets_are_compared_and_shown_nowhere() -> None:
    left, right = with_secret("zq7one"), with_secret("zq7other")
    found = compare_images(left, right)
    assert found.env is not None
    assert [one.name for one in found.env.differing] == ["DATABASE", "DB_PASSWORD"]
    assert found.env.same == 1
    shown = [found.layers, found.configuration, found.env, found.labels, found.history, as_text(found, "one", "two")]
    assert "zq7" not in "".join(map(str, shown))
    assert "- DB_PASSWORD=(hidden: looks like a secret)" in as_text(found, "one", "two")
    same = compare_images(left, replace(left, digest=digest_of(5)))
    assert same.env is not None
    assert not same.env.differing
