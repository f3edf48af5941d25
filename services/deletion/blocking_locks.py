"""Which locks keep what from being deleted: a lock of the repository keeps everything, one of a tag its manifest.

https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from services.images.repositories import Locks
from services.images.repository_contents import RepositoryContents


@dataclass(frozen=True)
class BlockingLocks:
    """Sentences, one a lock. `by_digest`: the locks of a manifest's tags and its own; absent where it has none."""

    of_repository: tuple[str, ...]
    by_digest: Mapping[str, tuple[str, ...]]

    @property
    def all(self) -> tuple[str, ...]:
        """Every lock: each keeps the repository."""
        return (*self.of_repository, *(sentence for of_one in self.by_digest.values() for sentence in of_one))

    def keeping(self, digest: str) -> tuple[str, ...]:
        """The locks that keep this manifest, those of the repository first."""
        return (*self.of_repository, *self.by_digest.get(digest, ()))


def blocking_locks(contents: RepositoryContents) -> BlockingLocks:
    """The locks against deletion in a repository. Pure."""
    locked: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for tag in contents.tags:
        if not tag.locks.deletable:
            locked[tag.digest] += _sentence("tag", tag.name, tag.locks)
    for row in contents.rows:
        if not row.locks.deletable:
            locked[row.digest] += _sentence("manifest", row.digest, row.locks)
    return BlockingLocks(_sentence("repository", contents.name, contents.repository.locks), dict(locked))


def _sentence(what: str, name: str, locks: Locks) -> tuple[str, ...]:
    if against := locks.against_deletion:
        return (f"The {what} {name} is locked against {against}: unlock it first.",)
    return ()
