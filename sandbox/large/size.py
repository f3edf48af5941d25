"""How large an estate is: `500:40:250` is 500 registries of 40 repositories of 250 manifests, each."""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "estate:"
MOST_REGISTRIES, MOST_REPOSITORIES, MOST_MANIFESTS = 2_000, 1_000, 10_000


@dataclass(frozen=True)
class Size:
    """Registries, repositories of each, and manifests of each of these."""

    registries: int
    repositories: int
    manifests: int

    @property
    def seed(self) -> str:
        """The name of the seed of this size."""
        return f"{PREFIX}{self.registries}:{self.repositories}:{self.manifests}"


def parse_size(text: str) -> Size:
    """The size that `500:40:250` names, with or without `estate:` before it. Raises ValueError, which says what is
    wrong."""
    match = re.fullmatch(r"([0-9]{1,5}):([0-9]{1,5}):([0-9]{1,5})", text.removeprefix(PREFIX))
    if match is None:
        raise ValueError(f"{text!r} is not REGISTRIES:REPOSITORIES:MANIFESTS")
    size = Size(*map(int, match.groups()))
    most = Size(MOST_REGISTRIES, MOST_REPOSITORIES, MOST_MANIFESTS)
    if not (1 <= size.registries <= most.registries and 1 <= size.repositories <= most.repositories):
        raise ValueError(f"{text!r}: 1 to {most.registries:,} registries of 1 to {most.repositories:,} repositories")
    if not 1 <= size.manifests <= most.manifests:
        raise ValueError(f"{text!r}: 1 to {most.manifests:,} manifests a repository")
    return size
