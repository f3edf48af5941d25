"""Which manifests of a repository belong to which: index → platforms → attestations, and referrers → their subject.

Built from the manifests themselves: the registry lists an index's children and referrers without tags, as it lists
leftovers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Event

from services.connection.data_plane import RegistryClient
from services.connection.parallel import Partial
from services.database.contents import ContentStore
from services.images.leftovers import find_leftovers, is_index, may_be_index, may_have_subject
from services.images.manifest_reading import read_listed
from services.images.manifests import Descriptor, Kind, Manifest, attached_to
from services.images.repositories import ManifestRow, last_update_of


class Role(StrEnum):
    """What a manifest is to the one above it, or to the repository where it is at the top."""

    INDEX = "index"
    IMAGE = "image"
    ARTIFACT = "artifact"
    PLATFORM = "platform"
    ATTESTATION = "attestation"
    REFERRER = "referrer"
    UNTAGGED = "untagged"
    MISSING = "missing"
    UNREAD = "not read"


@dataclass(frozen=True)
class Node:
    """One manifest in the tree, at `depth`. `label` is its platform or artifact type; `row` None where it is missing.

    An index that lists a digest the repository does not have is broken: its child is MISSING.
    """

    depth: int
    role: Role
    digest: str
    label: str
    row: ManifestRow | None


def read_for_tree(
    client: RegistryClient,
    repository: str,
    rows: Iterable[ManifestRow],
    *,
    store: ContentStore | None = None,
    done: Callable[[int, int], None] | None = None,
    stop: Event | None = None,
) -> Partial[Manifest]:
    """The manifests that the tree needs: indexes, and what has no tag and is in none (it may refer to something).

    A request for each that is not in `store`. `done(count, of)` is called in the caller's thread.
    """
    rows = list(rows)
    count = 0
    of = 0

    def read(wanted: list[ManifestRow]) -> Partial[Manifest]:
        nonlocal of
        of += len(wanted)
        return read_listed(client, store, repository, wanted, on_each=counted, stop=stop)

    def counted() -> None:
        nonlocal count
        count += 1
        if done:
            done(count, of)

    indexes = read([row for row in rows if may_be_index(row)])
    children = {child.digest for index in indexes.values for child in index.children}
    others = read(
        [row for row in rows if row.digest not in children and may_have_subject(row) and not may_be_index(row)]
    )
    return Partial(indexes.values + others.values, indexes.refused + others.refused, indexes.untried + others.untried)


def build_tree(
    rows: Iterable[ManifestRow], manifests: Iterable[Manifest], *, every_row: bool = True
) -> tuple[Node, ...]:
    """The whole repository as a tree, flattened from the top down; the newest first on each level.

    UNTAGGED are the leftovers (`find_leftovers`); what else is at the top without a tag is UNREAD: all of it where not
    `every_row` of the registry's list could be understood, since one may be an index.
    """
    by_digest = {row.digest: row for row in rows}
    read = {manifest.digest: manifest for manifest in manifests}
    referrers = referrers_of(by_digest, read)
    below_others = {child.digest for manifest in read.values() for child in manifest.children}
    below_others |= {digest for attached in referrers.values() for digest in attached}
    newest_first = sorted(by_digest.values(), key=last_update_of, reverse=True)
    tops = [row for row in newest_first if row.digest not in below_others or (row.tags and not _only_attached(row))]
    leftovers = frozenset(find_leftovers(by_digest.values(), read).certain if every_row else ())
    nodes: list[Node] = []
    shown: set[str] = set()

    def add(row: ManifestRow) -> None:
        role = _top_role(row, read, leftovers)
        nodes.extend(_list_tree(_Placed(0, role, row.digest, ""), by_digest, read, referrers, shown))

    for row in tops:
        add(row)
    # A tag sha256-… can be set by hand, and an index can refer to its own child: manifests in such a circle would be
    # nowhere. They are no leftovers.
    for row in sorted(newest_first, key=lambda row: not row.tags):
        if row.digest not in shown:
            add(row)
    return tuple(nodes)


def _only_attached(row: ManifestRow) -> bool:
    """Whether all its tags are of the referrers' tag schema: none is a user's own."""
    return all(attached_to(tag) for tag in row.tags)


def referrers_of(rows: Mapping[str, ManifestRow], read: Mapping[str, Manifest]) -> Mapping[str, list[str]]:
    """Digest → digests of what refers to it, by subject or by tag schema; both by digest. What refers to a digest that
    is not among `rows` is left out: it stays at the top."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for digest, row in rows.items():
        manifest = read.get(digest)
        subjects = {manifest.subject} if manifest and manifest.subject else set()
        # The index at the tag sha256-… itself is the registry's list of referrers: each of them has its subject.
        subjects |= {attached_to(tag) for tag in row.tags if _only_attached(row)}
        for subject in subjects & rows.keys():
            found[subject].append(digest)
    return found


def _top_role(row: ManifestRow, read: Mapping[str, Manifest], leftovers: frozenset[str]) -> Role:
    manifest = read.get(row.digest)
    if not row.tags:
        return Role.UNTAGGED if row.digest in leftovers else Role.UNREAD
    if is_index(row) or (manifest and manifest.kind is Kind.INDEX):
        return Role.INDEX
    return Role.ARTIFACT if manifest and manifest.kind is Kind.ARTIFACT else Role.IMAGE


@dataclass(frozen=True)
class _Placed:
    """A manifest and its place in the tree."""

    depth: int
    role: Role
    digest: str
    label: str


def _list_tree(
    top: _Placed,
    rows: Mapping[str, ManifestRow],
    read: Mapping[str, Manifest],
    referrers: Mapping[str, list[str]],
    shown: set[str],
) -> Iterator[Node]:
    """`top` and all below it. What belongs to a manifest is listed where it is first `shown`: indexes may list one
    another any number of times, and sixteen that do so twice each would make sixty thousand rows."""
    stack = [top]
    while stack:
        at = stack.pop()
        row = rows.get(at.digest)
        yield Node(at.depth, at.role if row else Role.MISSING, at.digest, at.label or _label(row), row)
        if at.digest not in shown:
            shown.add(at.digest)
            stack.extend(reversed(list(_list_below(at, rows, read, referrers))))


def _list_below(
    at: _Placed, rows: Mapping[str, ManifestRow], read: Mapping[str, Manifest], referrers: Mapping[str, list[str]]
) -> Iterator[_Placed]:
    """The platforms of an index, each with its attestations, then the attestations of others, then referrers."""
    children = read[at.digest].children if at.digest in read else ()
    row = rows.get(at.digest)
    # The index at a tag sha256-…: the registry's list of what refers to that digest.
    lists_referrers = bool(row and row.tags and _only_attached(row))
    attestations: defaultdict[str, list[str]] = defaultdict(list)
    for child in children:
        if child.attests:
            attestations[child.attests].append(child.digest)
    for child in children:
        if not child.attests:
            role = Role.REFERRER if lists_referrers else _child_role(child, rows)
            yield _Placed(at.depth + 1, role, child.digest, child.platform or child.artifact_type)
            for digest in attestations.pop(child.digest, ()):
                yield _Placed(at.depth + 2, Role.ATTESTATION, digest, "")
    for digests in attestations.values():
        for digest in digests:
            yield _Placed(at.depth + 1, Role.ATTESTATION, digest, "")
    for digest in referrers.get(at.digest, ()):
        yield _Placed(at.depth + 1, Role.REFERRER, digest, read[digest].artifact_type if digest in read else "")


def _child_role(child: Descriptor, rows: Mapping[str, ManifestRow]) -> Role:
    row = rows.get(child.digest)
    if child.kind is Kind.INDEX or (row and is_index(row)):
        return Role.INDEX
    return Role.ARTIFACT if child.kind is Kind.ARTIFACT and not child.platform else Role.PLATFORM


def _label(row: ManifestRow | None) -> str:
    return row.platform if row else ""
