"""Tags that are versions, and which of them is the last of its minor."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# 1.4.7, v1.4.7, 1.4.7-rc.1, 1.4.7-alpine. A registry takes no + in a tag, which semver has for builds.
_VERSION = re.compile(r"v?(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})(?:-([0-9A-Za-z.-]+))?")
# What comes after the hyphen is a variant of the image (1.4.7-alpine), unless it begins like a release to come.
_PRE_RELEASE = re.compile(r"(?i)(alpha|beta|rc|pre|preview|dev|snapshot|nightly|next|canary)(?![a-z])|\d")

Identifier = tuple[int, int, str]


@dataclass(frozen=True, order=True)
class Version:
    """A version in its order; of one patch, a pre-release comes before the release (https://semver.org, section 11)."""

    patch: int
    released: bool
    pre_release: tuple[Identifier, ...]


def last_of_minors(names: Iterable[str]) -> frozenset[str]:
    """The names that are the last version of their minor, each variant (1.4.7-alpine) by itself."""
    best: dict[tuple[int, int, str], tuple[Version, set[str]]] = {}
    for name in names:
        if (found := parse_version(name)) is None:
            continue
        minor, version = found
        known = best.get(minor)
        if known is None or version > known[0]:
            best[minor] = (version, {name})
        elif version == known[0]:  # v1.4.7 beside 1.4.7
            known[1].add(name)
    return frozenset(name for _, same in best.values() for name in same)


def parse_version(tag: str) -> tuple[tuple[int, int, str], Version] | None:
    """The major, minor and variant of a tag, and its place among those; None for a tag that is no such version."""
    found = _VERSION.fullmatch(tag)
    if not found:
        return None
    major, minor, patch, rest = found.groups()
    pre_release = bool(rest and _PRE_RELEASE.match(rest))
    identifiers = tuple(_identifier(one) for one in rest.split(".")) if pre_release else ()
    variant = "" if pre_release or not rest else rest
    return (int(major), int(minor), variant), Version(int(patch), not pre_release, identifiers)


def _identifier(text: str) -> Identifier:
    """Numbers come before words."""
    return (0, int(text), "") if text.isascii() and text.isdigit() else (1, 0, text)
