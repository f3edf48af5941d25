"""Two images compared: what each has that the other has not, and how much is the same. Pure over what was read.

What was not read of one of them is not compared, and never the same: that part is None. Values are compared as they
are; in what comes out of it, those that look like a secret are hidden.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher

from services.compare.sbom_reading import FoundSbom
from services.images.manifests import Descriptor, HistoryStep, ImageConfig, Manifest
from services.redaction.texts import hide_in_command, hide_in_words, hide_value

# Beyond, histories are compared from the base up alone: aligning them takes the third power of their length at worst.
MOST_ALIGNED = 200


@dataclass(frozen=True)
class ComparedImage:
    """One side: an image, or a platform of an index.

    `digest` is what the reference leads to, `manifest` the image itself (of an index that of its `platform`), None with
    the reason in `unread` where it could not be read, or there is none. `platforms` of an index. `config` is None where
    there is none or it could not be read, `no_config` why. `total` are the bytes of all platforms' layers, each once,
    None where unknown. `pushed` is when the registry got it.
    """

    digest: str
    manifest: Manifest | None
    config: ImageConfig | None
    sbom: FoundSbom
    platform: str = ""
    platforms: tuple[str, ...] = ()
    total: int | None = None
    pushed: datetime | None = None
    unread: str = ""
    no_config: str = ""

    @property
    def pull_size(self) -> int | None:
        """Bytes of its compressed layers, None where unknown."""
        return self.manifest.layer_bytes if self.manifest else None


@dataclass(frozen=True)
class Difference:
    """A value that differs, None where that side has none."""

    name: str
    left: str | None
    right: str | None


@dataclass(frozen=True)
class Values:
    """Values by name, compared: those that differ, and how many are the same."""

    differing: tuple[Difference, ...]
    same: int


@dataclass(frozen=True)
class Layer:
    """A layer, and the build step that made it, '' where the history does not say. `elsewhere`: the other image has it
    too, in another place."""

    descriptor: Descriptor
    made_by: str
    elsewhere: bool = False


@dataclass(frozen=True)
class Layers:
    """Layers from the base up: those that both have, then each one's own. Sizes in bytes, None where unknown; `pull` is
    what who has the one image still loads to have the other: to the right, and to the left."""

    shared: tuple[Layer, ...]
    left: tuple[Layer, ...]
    right: tuple[Layer, ...]
    pull_right: int | None
    pull_left: int | None

    @property
    def differing(self) -> int:
        """How many layers of the image that has more of its own."""
        return max(len(self.left), len(self.right))


@dataclass(frozen=True)
class PackageChange:
    """A package that one side alone has, or in other versions: None where a side lacks it."""

    kind: str
    name: str
    left: tuple[str, ...] | None
    right: tuple[str, ...] | None


@dataclass(frozen=True)
class Packages:
    """Packages compared, and how many are the same on both sides."""

    differing: tuple[PackageChange, ...]
    same: int


@dataclass(frozen=True)
class Step:
    """A step of a build: in the left image, the right, or both."""

    step: HistoryStep
    left: bool
    right: bool


@dataclass(frozen=True)
class Comparison:
    """All parts; one is None where a side of it was not read or has none. `configuration` has the single values,
    `env`, `labels` and `ports` those by name. `platforms` are of the indexes."""

    left: ComparedImage
    right: ComparedImage
    layers: Layers | None
    configuration: Values | None
    env: Values | None
    labels: Values | None
    ports: Values | None
    platforms: Values
    packages: Packages | None
    history: tuple[Step, ...] | None

    @property
    def same_image(self) -> bool:
        """Whether both are one image, by digest."""
        mine, other = self.left.manifest, self.right.manifest
        return self.left.digest == self.right.digest or bool(mine and other and mine.digest == other.digest)

    @property
    def grows(self) -> int | None:
        """Bytes that the right is larger than the left, below 0 where it is smaller; None where unknown."""
        left, right = self.left.pull_size, self.right.pull_size
        return right - left if left is not None and right is not None else None


def compare_images(left: ComparedImage, right: ComparedImage) -> Comparison:
    """The comparison; that of the images the other way round is its mirror image."""
    mine, other = left.config, right.config
    both = (mine, other) if mine is not None and other is not None else None
    return Comparison(
        left,
        right,
        _layers(left, right),
        _shown_settings(*both) if both else None,
        _hidden(_values(dict(both[0].env), dict(both[1].env))) if both else None,
        _hidden(_values(dict(both[0].labels), dict(both[1].labels))) if both else None,
        _values(dict.fromkeys(both[0].ports, "open"), dict.fromkeys(both[1].ports, "open")) if both else None,
        _values(dict.fromkeys(left.platforms, "there"), dict.fromkeys(right.platforms, "there")),
        _packages(left.sbom, right.sbom),
        _history(both[0].history, both[1].history) if both else None,
    )


def common_platforms(left: Iterable[str], right: Iterable[str]) -> tuple[str, ...]:
    """The platforms that both have, in the order of the left."""
    also = set(right)
    return tuple(platform for platform in left if platform in also)


def _shown_settings(left: ImageConfig, right: ImageConfig) -> Values:
    found = _values(_settings(left), _settings(right))
    mine, other = (
        _settings(replace(one, entrypoint=hide_in_words(one.entrypoint), cmd=hide_in_words(one.cmd)))
        for one in (left, right)
    )
    shown = (Difference(one.name, mine.get(one.name), other.get(one.name)) for one in found.differing)
    return replace(found, differing=tuple(shown))


def _hidden(values: Values) -> Values:
    """The same with what looks like a secret hidden: that it differs stays."""

    def shown(name: str, value: str | None) -> str | None:
        return None if value is None else hide_value(name, value)

    hidden = (Difference(one.name, shown(one.name, one.left), shown(one.name, one.right)) for one in values.differing)
    return replace(values, differing=tuple(hidden))


def _settings(config: ImageConfig) -> dict[str, str]:
    """The values of a config that are one each. A list of words is written as a shell would take it."""
    found = {
        "Entrypoint": _line(config.entrypoint),
        "Command": _line(config.cmd),
        "User": config.user,
        "Working directory": config.working_dir,
        "Platform": config.platform,
    }
    return {name: value for name, value in found.items() if value}


def _line(words: Iterable[str]) -> str:
    return " ".join(f"'{word}'" if not word or set(word) & set(" \"'\t\n") else word for word in words)


def _values(left: Mapping[str, str], right: Mapping[str, str]) -> Values:
    names = sorted(left.keys() | right.keys())
    differing = [Difference(name, left.get(name), right.get(name)) for name in names]
    differing = [one for one in differing if one.left != one.right]
    return Values(tuple(differing), len(names) - len(differing))


def _layers(left: ComparedImage, right: ComparedImage) -> Layers | None:
    if left.manifest is None or right.manifest is None:
        return None
    mine, other = _layers_of(left), _layers_of(right)
    at = _common(
        [layer.descriptor.digest for layer in mine],
        [layer.descriptor.digest for layer in other],
    )
    return Layers(
        mine[:at],
        _marked(mine[at:], other),
        _marked(other[at:], mine),
        _missing(other, mine),
        _missing(mine, other),
    )


def _layers_of(image: ComparedImage) -> tuple[Layer, ...]:
    """The layers, each with the step that made it, where the history has a step for each."""
    layers = image.manifest.layers if image.manifest else ()
    steps = [hide_in_command(step.command) for step in image.config.history if not step.empty] if image.config else []
    made = steps if len(steps) == len(layers) else [""] * len(layers)
    return tuple(Layer(layer, command) for layer, command in zip(layers, made, strict=True))


def _common(left: Sequence[object], right: Sequence[object]) -> int:
    """How many of the first are the same."""
    for at, (mine, other) in enumerate(zip(left, right, strict=False)):
        if mine != other:
            return at
    return min(len(left), len(right))


def _marked(layers: Iterable[Layer], other: Iterable[Layer]) -> tuple[Layer, ...]:
    there = {layer.descriptor.digest for layer in other}
    return tuple(Layer(one.descriptor, one.made_by, one.descriptor.digest in there) for one in layers)


def _missing(wanted: Iterable[Layer], there: Iterable[Layer]) -> int | None:
    """The bytes of the layers that are not there, each once."""
    had = {layer.descriptor.digest for layer in there}
    sizes = {one.descriptor.digest: one.descriptor.size for one in wanted if one.descriptor.digest not in had}
    known = [size for size in sizes.values() if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _packages(left: FoundSbom, right: FoundSbom) -> Packages | None:
    if left.sbom is None or right.sbom is None:
        return None
    mine = {(one.kind, one.name): one.versions for one in left.sbom.packages}
    other = {(one.kind, one.name): one.versions for one in right.sbom.packages}
    names = sorted(mine.keys() | other.keys())
    differing = [PackageChange(*name, mine.get(name), other.get(name)) for name in names]
    differing = [one for one in differing if one.left != one.right]
    return Packages(tuple(differing), len(names) - len(differing))


def _history(left: tuple[HistoryStep, ...], right: tuple[HistoryStep, ...]) -> tuple[Step, ...]:
    """The steps of both, aligned. When a step ran is no difference: every build runs it anew."""
    found: list[Step] = []
    mine_at = other_at = 0
    for start, other_start, count in _blocks([_step(one) for one in left], [_step(one) for one in right]):
        found += (Step(_without_secrets(step), True, False) for step in left[mine_at:start])
        found += (Step(_without_secrets(step), False, True) for step in right[other_at:other_start])
        found += (Step(_without_secrets(step), True, True) for step in left[start : start + count])
        mine_at, other_at = start + count, other_start + count
    return tuple(found)


def _without_secrets(step: HistoryStep) -> HistoryStep:
    return replace(step, command=hide_in_command(step.command), comment=hide_in_command(step.comment))


def _step(step: HistoryStep) -> tuple[str, str, bool]:
    return step.command, step.comment, step.empty


def _blocks(left: list[tuple[str, str, bool]], right: list[tuple[str, str, bool]]) -> list[tuple[int, int, int]]:
    """Where they are the same: the place in both, and how long; at last both ends."""
    if left > right:  # What aligns them prefers the first of two equal ways: it would not be its own mirror image.
        return [(mine, other, count) for other, mine, count in _blocks(right, left)]
    if max(len(left), len(right)) > MOST_ALIGNED:
        return [(0, 0, _common(left, right)), (len(left), len(right), 0)]
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return [(block.a, block.b, block.size) for block in matcher.get_matching_blocks()]
