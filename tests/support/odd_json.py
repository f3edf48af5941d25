"""JSON with one member that is not as it should be: removed, null, or of another type."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

REMOVED = "removed"
# In place of a member: what may stand there in none, and what may stand there and is beyond all bounds.
ODD: tuple[Any, ...] = (None, "odd", 7, 1e400, True, [], {}, [None], {"odd": None}, "0001-01-01T00:00:00Z", "\ud83d")


@dataclass(frozen=True)
class Change:
    """One member of a document, by the keys and indexes that lead to it, and what stands there instead."""

    path: tuple[str | int, ...]
    odd: Any

    def __str__(self) -> str:
        return f"{'/'.join(map(str, self.path)) or 'all of it'}: {self.odd!r}"

    def of(self, document: Any) -> Any:
        """A copy of the document with the change."""
        if not self.path:
            return None if self.odd == REMOVED else self.odd
        changed = copy.deepcopy(document)
        *above, last = self.path
        at = changed
        for key in above:
            at = at[key]
        if self.odd == REMOVED:
            del at[last]
        else:
            at[last] = self.odd
        return changed


def changes(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[Change]:
    """Every change of every member, of the whole document too. Of a long list its first three entries are changed."""
    yield from (Change(path, odd) for odd in (REMOVED, *ODD))
    if isinstance(document, dict):
        for key, member in document.items():
            yield from changes(member, (*path, key))
    elif isinstance(document, list):
        for number, member in enumerate(document[:3]):
            yield from changes(member, (*path, number))


def as_sent(document: Any) -> bytes:
    """The bytes of a body: half a surrogate pair as the escape that JSON allows."""
    return json.dumps(document).encode()
