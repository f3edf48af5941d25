"""What two images differ in, in a sentence, and as text to paste: Markdown that is readable as it is."""

from collections.abc import Iterable, Iterator

from services.compare.comparison import ComparedImage, Comparison, Values
from services.wording import counted, size

# So many lines of one part are pasted; the rest is counted.
MOST_LINES = 100
SHORT = 12


def summary(comparison: Comparison) -> str:
    """ "14 MiB larger, 3 layers differ, 5 packages changed": the right image as against the left, what is the same left
    out. What is not known is said."""
    if comparison.same_image:
        return "The same image"
    facts = [
        _growth(comparison.grows),
        _layers(comparison),
        _configuration(comparison),
        _packages(comparison),
    ]
    return ", ".join(fact for fact in facts if fact)


def _growth(grows: int | None) -> str:
    if grows is None:
        return "difference in size unknown"
    if not grows:
        return "same size"
    return f"{size(abs(grows))} {'larger' if grows > 0 else 'smaller'}"


def _layers(comparison: Comparison) -> str:
    if comparison.layers is None:
        return "layers unknown"
    number = comparison.layers.differing
    return f"{counted(number, 'layer')} {'differs' if number == 1 else 'differ'}" if number else "same layers"


def _configuration(comparison: Comparison) -> str:
    parts = [comparison.configuration, comparison.env, comparison.labels, comparison.ports]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return "configuration unknown"
    number = sum(len(part.differing) for part in known)
    return f"{counted(number, 'setting')} changed" if number else "same configuration"


def _packages(comparison: Comparison) -> str:
    if comparison.packages is None:
        unknown = comparison.left.sbom.unknown or comparison.right.sbom.unknown
        return "packages unknown" if unknown else "packages not compared: no SBOM"
    number = len(comparison.packages.differing)
    return f"{counted(number, 'package')} changed" if number else "same packages"


def sbom_gaps(comparison: Comparison, left: str, right: str) -> tuple[str, ...]:
    """Why packages are not compared, a sentence for each side (`left` and `right` are their names) that lacks them; and
    what to know where they are."""
    sides = ((left, comparison.left.sbom), (right, comparison.right.sbom))
    gaps = tuple(f"{name}: {found.why}" for name, found in sides if found.sbom is None)
    forms = [found.sbom.form for _, found in sides if found.sbom]
    if not gaps and len(set(forms)) > 1:
        return (
            f"{left} has {forms[0]}, {right} {forms[1]}: tools name packages differently, so more seems to differ.",
        )
    return gaps


def as_text(comparison: Comparison, left: str, right: str) -> str:
    """The comparison as Markdown. `left` and `right`: the images' full names."""
    lines = [
        _one_line(f"# {left} and {right}"),
        "",
        f"{summary(comparison)}.",
        "",
        *_sides(comparison, left, right),
        *_layer_lines(comparison),
        *_values_lines("Configuration", comparison.configuration, comparison),
        *_values_lines("Environment", comparison.env, comparison),
        *_values_lines("Labels", comparison.labels, comparison),
        *_values_lines("Ports", comparison.ports, comparison),
        *_values_lines("Platforms", comparison.platforms, comparison),
        *_package_lines(comparison, left, right),
        *_history_lines(comparison),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _sides(comparison: Comparison, left: str, right: str) -> Iterator[str]:
    yield "```diff"
    for sign, name, image in (("-", left, comparison.left), ("+", right, comparison.right)):
        yield f"{sign} {_one_line(name)}"
        yield f"  {image.digest}"
        yield f"  {_facts(image)}"
    yield from ("```", "")


def _facts(image: ComparedImage) -> str:
    platform = f"{image.platform}, " if image.platform else ""
    pull = f"pull size {size(image.pull_size)}" if image.pull_size is not None else "pull size unknown"
    total = f", {size(image.total)} over all platforms" if image.total is not None and image.platforms else ""
    pushed = f", pushed {image.pushed:%Y-%m-%d %H:%M} UTC" if image.pushed else ""
    return _one_line(f"{platform}{pull}{total}{pushed}")


def _layer_lines(comparison: Comparison) -> Iterator[str]:
    yield "## Layers"
    yield ""
    found = comparison.layers
    if found is None:
        yield from ("Unknown: " + "; ".join(_unread(comparison)), "")
        return
    rows = [
        f"{sign} {layer.descriptor.digest.removeprefix('sha256:')[:SHORT]} {_size(layer.descriptor.size):>10}  "
        f"{_one_line(layer.made_by)}".rstrip()
        for sign, layers in (("-", found.left), ("+", found.right))
        for layer in layers
    ]
    yield from _limited(rows)
    yield f"{counted(len(found.shared), 'layer')} shared from the base up."
    yield ""


def _size(count: int | None) -> str:
    return "unknown" if count is None else size(count)


def _unread(comparison: Comparison) -> list[str]:
    return [one.unread for one in (comparison.left, comparison.right) if one.manifest is None and one.unread]


def _values_lines(title: str, values: Values | None, comparison: Comparison) -> Iterator[str]:
    if values is None:
        if title == "Configuration":
            whys = [one.no_config or one.unread for one in (comparison.left, comparison.right) if one.config is None]
            yield from (f"## {title}", "", f"Not compared: {'; '.join(filter(None, whys))}.", "")
        return
    if not values.differing and not values.same:
        return
    yield from (f"## {title}", "")
    rows = []
    for one in values.differing:
        rows += [f"- {_named(title, one.name, one.left)}"] if one.left is not None else []
        rows += [f"+ {_named(title, one.name, one.right)}"] if one.right is not None else []
    yield from _limited(rows)
    yield f"{values.same:,} the same."
    yield ""


def _named(title: str, name: str, value: str) -> str:
    """Name and value; of what is there or not, the name alone."""
    return _one_line(name if title in ("Ports", "Platforms") else f"{name}={value}")


def _package_lines(comparison: Comparison, left: str, right: str) -> Iterator[str]:
    yield from ("## Packages", "")
    found = comparison.packages
    for gap in sbom_gaps(comparison, left, right):
        yield f"{'' if found else 'Not compared. '}{_one_line(gap).rstrip('.')}."
    if found is None:
        yield ""
        return
    rows = []
    for one in found.differing:
        name = f"{one.kind}:{one.name}" if one.kind else one.name
        rows += [f"- {_one_line(name)} {_versions(one.left)}"] if one.left is not None else []
        rows += [f"+ {_one_line(name)} {_versions(one.right)}"] if one.right is not None else []
    yield from _limited(rows)
    yield f"{found.same:,} the same."
    yield ""


def _versions(versions: Iterable[str]) -> str:
    return _one_line(", ".join(version or "(no version)" for version in versions))


def _history_lines(comparison: Comparison) -> Iterator[str]:
    if comparison.history is None:
        return
    yield from ("## History", "")
    rows = [
        f"{'-' if one.left else '+'} {_one_line(one.step.command)}"
        for one in comparison.history
        if not (one.left and one.right)
    ]
    yield from _limited(rows)
    yield f"{counted(len(comparison.history) - len(rows), 'step')} the same."
    yield ""


def _limited(rows: list[str]) -> Iterator[str]:
    """The rows as a block: each begins with its sign, so that no text of others ends it."""
    if not rows:
        return
    yield "```diff"
    yield from rows[:MOST_LINES]
    if len(rows) > MOST_LINES:
        yield f"… and {len(rows) - MOST_LINES:,} more"
    yield from ("```", "")


def _one_line(text: str) -> str:
    """Text of others on one line: what breaks it is a blank."""
    return " ".join(text.split())
