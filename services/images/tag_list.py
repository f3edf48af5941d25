"""All tags of a repository with what each points to: read whole, then filtered and sorted here.

A registry lists tags by time or by name alone, a thousand a request, and knows no filter.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from threading import Event
from typing import Any

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Progress, Refusal
from services.database.contents import ContentStore
from services.images.leftovers import is_index
from services.images.manifests import Manifest
from services.images.repositories import PAGE, ManifestRow, Tag, manifest_rows, tag_page
from services.images.summaries import ImageSummary, summarise

# Each index costs a request: in a larger repository those of the newest tags alone are read at first.
MOST_INDEXES = 1000
_GLOB = re.compile(r"[*?\[]")
_HEX = re.compile(r"(?:sha256:)?[0-9a-f]{7,64}")


@dataclass(frozen=True)
class ListedTag:
    """A tag and what it points to; `image` None: not read yet, or not readable."""

    tag: Tag
    image: ImageSummary | None


@dataclass(frozen=True)
class TagList:
    """The tags of a repository, the newest first; those locked against listing are not among them.

    `more`: whether there are tags that were not read (stopped, or not read yet). `images`: what their digests are.
    """

    tags: Partial[Tag]
    more: bool
    images: Partial[ImageSummary]

    @property
    def items(self) -> list[ListedTag]:
        known = {summary.digest: summary for summary in self.images.values}
        return [ListedTag(tag, known.get(tag.digest)) for tag in self.tags.values]


NOTHING_READ = TagList(Partial(()), True, Partial(()))


def read_tag_list(
    client: RegistryClient,
    repository: str,
    known: dict[str, Manifest],
    *,
    store: ContentStore | None = None,
    most_indexes: int = MOST_INDEXES,
    on_part: Callable[[TagList], None] = lambda _: None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> TagList:
    """Every tag, with a summary of what it points to.

    A request each thousand tags, one each thousand manifests, and one for each index that is neither in `known`
    (manifests by digest, which is added to) nor in `store`: those of the newest tags, at most `most_indexes`. `on_part`
    gets what is known so far. Raises ServiceError where the list of tags or of manifests can't be read.
    """
    stop = stop or Event()
    found = Partial[Tag](())
    after: str | None = None
    while True:
        page = tag_page(client, repository, size=PAGE, after=after)
        # A tag that moves while the list is read may be listed twice.
        tags = {tag.name: tag for tag in (*found.values, *page.tags)}
        found = Partial(tuple(tags.values()), found.refused + page.refused)
        after = page.next
        on_part(TagList(found, bool(after), Partial((), untried=1)))
        if progress:
            progress(len(found.values), 0, "tags")
        if not after or stop.is_set():
            break
    digests = list(dict.fromkeys(tag.digest for tag in found.values))
    if stop.is_set():
        return TagList(found, bool(after), Partial((), untried=len(digests)))
    try:
        rows = manifest_rows(client, repository)
    except ServiceError as error:
        return TagList(found, bool(after), Partial((), (Refusal(f"manifests of {repository}", error),)))
    wanted = _with_newest_indexes(digests, rows.values, most_indexes)
    images = summarise(client, repository, wanted, rows.values, known, store=store, progress=progress, stop=stop)
    left = len(digests) - len(wanted)
    return TagList(
        found, bool(after), replace(images, refused=rows.refused + images.refused, untried=images.untried + left)
    )


def _with_newest_indexes(digests: Iterable[str], rows: Iterable[ManifestRow], most: int) -> list[str]:
    """`digests`, the newest first, without the indexes after the first `most` of them."""
    indexes = {row.digest for row in rows if is_index(row)}
    left = set([digest for digest in digests if digest in indexes][most:])
    return [digest for digest in digests if digest not in left]


class SortKey(StrEnum):
    """What tags are sorted by."""

    UPDATED = "Last update"
    CREATED = "Created"
    NAME = "Tag"
    SIZE = "Size"
    KIND = "Kind"
    LOCKS = "Locked"


_VALUES: Mapping[SortKey, Callable[[ListedTag], Any]] = {
    SortKey.UPDATED: lambda item: item.tag.updated,
    SortKey.CREATED: lambda item: item.tag.created,
    SortKey.NAME: lambda item: item.tag.name,
    SortKey.SIZE: lambda item: item.image.size if item.image else None,
    SortKey.KIND: lambda item: item.image.kind if item.image else None,
    SortKey.LOCKS: lambda item: item.tag.locks.label or None,
}


def sort_tags(items: Iterable[ListedTag], key: SortKey, *, descending: bool) -> list[ListedTag]:
    """The tags by `key`, equal ones in the order that they had; those whose value is unknown come last. Pure."""
    items = list(items)
    value = _VALUES[key]
    known = sorted((item for item in items if value(item) is not None), key=value, reverse=descending)
    return known + [item for item in items if value(item) is None]


def filter_tags(items: Iterable[ListedTag], text: str) -> list[ListedTag]:
    """The tags that `text` names, as `matches` has it, and those of a digest that begins with it. Pure."""
    text = text.strip()
    start = f"sha256:{text.removeprefix('sha256:')}" if _HEX.fullmatch(text) else ""
    return [item for item in items if matches(item.tag.name, text) or (start and item.tag.digest.startswith(start))]


def matches(name: str, text: str) -> bool:
    """Whether a name is meant by `text`: a glob of the whole name (`v1.*`; `*`, `?`, `[…]`) as in a clean-up's rule, or
    a part of the name in any case. '' means every name. Pure."""
    text = text.strip()
    return fnmatchcase(name, text) if _GLOB.search(text) else text.casefold() in name.casefold()
