"""Which tags and manifests a rule chooses: by name, age and platform, or for having no tag at all.

What acr purge gets wrong on registries of today is kept out here: a tag of the referrers' schema is nobody's own and
is never chosen, and what counts as a leftover is `images.leftovers`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from services.images.leftovers import find_leftovers
from services.images.manifests import Kind, attached_to
from services.images.platforms import images_below
from services.images.repositories import ManifestRow, Tag, last_update_of
from services.images.repository_contents import RepositoryContents


@dataclass(frozen=True)
class Rule:
    """All conditions must hold. `pattern` is a glob over tag names, '' chooses no tag.

    `older_than`: not changed since (a tag's own last update; a leftover's). `platform`, such as linux/arm64: images of
    that one alone; an index of several platforms is not chosen by one of them. `keep`: of the tags that the rest
    chooses, the newest so many stay. `leftovers`: manifests that nothing points to, as old.
    """

    pattern: str = ""
    older_than: timedelta = timedelta()
    platform: str = ""
    keep: int = 0
    leftovers: bool = False


@dataclass(frozen=True)
class Chosen:
    """What a rule chooses: tags; manifests all of whose tags it chose, and leftovers; and digests that stay since they
    have another tag (digest, that tag)."""

    tags: tuple[Tag, ...]
    digests: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]


def choose(contents: RepositoryContents, rule: Rule, now: datetime) -> Chosen:
    """What `rule` chooses in a repository, the newest first. Pure."""
    platforms = platforms_of(contents)
    tags = [
        tag
        for tag in sorted(contents.tags, key=lambda tag: (last_update_of(tag), tag.name), reverse=True)
        if fnmatchcase(tag.name, rule.pattern)
        and not attached_to(tag.name)
        and is_older(tag, now - rule.older_than)
        and (not rule.platform or platforms.get(tag.digest) == {rule.platform})
    ][rule.keep :]
    names = {tag.name for tag in tags}
    digests: list[str] = []
    kept: list[tuple[str, str]] = []
    others = _other_tags(contents, names)
    for digest in dict.fromkeys(tag.digest for tag in tags):
        if digest in others:
            kept.append((digest, others[digest]))
        else:
            digests.append(digest)
    if rule.leftovers:
        digests += [digest for digest in _leftovers(contents, now - rule.older_than) if digest not in digests]
    return Chosen(tuple(tags), tuple(digests), tuple(kept))


def choose_tags(contents: RepositoryContents, names: Iterable[str]) -> tuple[Tag, ...]:
    """The tags of these names, in their order; names that are not there are left out."""
    by_name = {tag.name: tag for tag in contents.tags}
    return tuple(by_name[name] for name in dict.fromkeys(names) if name in by_name)


def platforms_of(contents: RepositoryContents) -> dict[str, set[str]]:
    """Digest → its platforms: those of an index, or an image's own; none for an artifact, or where an index within it
    was not read."""
    found: dict[str, set[str]] = {}
    for row in contents.rows:
        manifest = contents.manifests.get(row.digest)
        images = images_below(manifest, contents.manifests) if manifest else ()
        if any(image.kind is Kind.INDEX for image in images):
            continue
        listed = {image.platform for image in images if image.platform}
        if own := listed or ({row.platform} if row.platform else set()):
            found[row.digest] = own
    return found


def is_older(item: Tag | ManifestRow, before: datetime) -> bool:
    """Whether its last update is known to be no later than `before`: what has no time is protected from rules."""
    return item.updated is not None and item.updated <= before


def _leftovers(contents: RepositoryContents, before: datetime) -> Iterator[str]:
    found = find_leftovers(contents.rows, contents.manifests, {tag.digest for tag in contents.tags})
    older = {row.digest for row in contents.rows if is_older(row, before)}
    # Where not everything was read, the plan refuses every one of them and says why: better than not to name them.
    digests = found.certain if contents.complete else (*found.certain, *found.undetermined)
    yield from (digest for digest in digests if digest in older)


def _other_tags(contents: RepositoryContents, chosen: set[str]) -> dict[str, str]:
    """Digest → one of its tags that is not among the chosen."""
    pairs = [(tag.digest, tag.name) for tag in contents.tags]
    pairs += [(row.digest, name) for row in contents.rows for name in row.tags]
    return {digest: name for digest, name in pairs if name not in chosen}
