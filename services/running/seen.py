"""Where the images of one repository were seen to run: in clusters that were asked, and in apps. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.running.join import PlacedImage


@dataclass(frozen=True)
class SeenRunning:
    """Where images of a repository run: by digest, and by the tag that a reference names. `asked`: how many clusters
    answered, and `since` when the first of them did, None for none; `apps_at`: when the apps were read, None where they
    were not. What no cluster was asked is not in it: absent is not unused."""

    by_digest: Mapping[str, tuple[str, ...]]
    by_tag: Mapping[str, tuple[str, ...]]
    asked: int = 0
    since: datetime | None = None
    apps_at: datetime | None = None

    def places(self, digest: str, *tags: str) -> tuple[str, ...]:
        """Where an image with this digest and these tags runs, each place once."""
        by_tag = (place for tag in tags for place in self.by_tag.get(tag, ()))
        return tuple(dict.fromkeys((*self.by_digest.get(digest, ()), *by_tag)))


def seen_running(
    placed: Iterable[PlacedImage], answered_at: Iterable[datetime], apps_at: datetime | None = None
) -> SeenRunning | None:
    """What was seen of one repository's images; None where no cluster answered, and no app runs one. `apps_at`: when
    the apps were read, None where none could be."""
    times, placed = list(answered_at), list(placed)
    if not times and not placed:
        return None
    by_digest: defaultdict[str, dict[str, None]] = defaultdict(dict)
    by_tag: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one in placed:
        if one.digest:
            by_digest[one.digest][one.place] = None
        if one.named and one.named.tag and not one.named.digest:
            by_tag[one.named.tag][one.place] = None
    return SeenRunning(
        {digest: tuple(places) for digest, places in by_digest.items()},
        {tag: tuple(places) for tag, places in by_tag.items()},
        len(times),
        min(times, default=None),
        apps_at,
    )
