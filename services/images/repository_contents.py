"""The complete contents of repositories: every tag, every manifest, and what each manifest points to.

Deleting and counting bytes need all of it: only the manifests say what an index holds, and which layers are shared.
A manifest is read once: `known` keeps it by its digest, under which it can never change.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Event

from services.connection.data_plane import RegistryClient
from services.connection.errors import as_service_error
from services.connection.parallel import Partial, Progress, Refusal, counter, parallel_map
from services.database.contents import ContentStore
from services.images.manifest_reading import read_manifests, shared_manifests
from services.images.manifests import Manifest
from services.images.repositories import ManifestRow, Repository, Tag, all_tags, get_repository, manifest_rows


@dataclass(frozen=True)
class RepositoryContents:
    """One repository as it was read. `manifests` has those of `rows` that could be read, by digest.

    `hidden` counts the manifests that the registry has and does not list: locked against listing, or pushed meanwhile.
    """

    repository: Repository
    tags: tuple[Tag, ...]
    rows: tuple[ManifestRow, ...]
    manifests: dict[str, Manifest]
    unread: tuple[Refusal, ...] = ()
    untried: int = 0

    @property
    def name(self) -> str:
        return self.repository.name

    @cached_property
    def hidden(self) -> int:
        return max(0, self.repository.manifest_count - len({row.digest for row in self.rows}))

    @property
    def complete(self) -> bool:
        """Whether it is known what every manifest of the repository points to."""
        return not self.unread and not self.untried and not self.hidden


def read_contents(
    client: RegistryClient,
    names: Iterable[str],
    known: dict[str, Manifest],
    *,
    store: ContentStore | None = None,
    known_lists: Callable[[str], RepositoryContents | None] = lambda _name: None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[RepositoryContents]:
    """The contents of these repositories of one registry. `known` is added to, and `store` of all processes.

    Three requests a repository (more where it has thousands), and one for each manifest in neither; in parallel.
    A repository that can't be listed is a Refusal of the result; a manifest that can't be read one of its repository.
    `known_lists`: the rows and tags of a repository that did not change since they were read; None: they are read now.
    `progress(done, of, what)` is called in the caller's thread. Raises ServiceError where nobody can sign in.
    """
    names = list(names)
    with as_service_error(f"Could not sign in to {client.login_server}"):
        client.tokens.hold_for_reading(names)

    count_repositories = counter(progress, "repositories", len(names))
    listed = parallel_map(
        lambda name: known_lists(name) or _listed(client, name),
        names,
        server=client.login_server,
        done=count_repositories,
        stop=stop,
    )
    unknown = {
        contents.name: [row for row in contents.rows if row.digest not in known]
        for contents in listed.values
        if contents.repository.locks.read
    }
    known |= shared_manifests(client, store, unknown)
    missing = {row.digest: contents.name for contents in listed.values for row in contents.rows}
    missing = {digest: name for digest, name in missing.items() if digest not in known}
    read = read_manifests(client, store, missing, done=counter(progress, "manifests", len(missing)), stop=stop)
    known |= {manifest.digest: manifest for manifest in read.values}
    refused = {refusal.what: refusal for refusal in read.refused}
    return replace(listed, values=tuple(_with_manifests(contents, known, refused) for contents in listed.values))


def _listed(client: RegistryClient, name: str) -> RepositoryContents:
    # The count comes last: what is pushed while the lists are read then counts as hidden, not as seen.
    rows, tags = manifest_rows(client, name), all_tags(client, name)
    unread = rows.refused + tags.refused
    return RepositoryContents(get_repository(client, name), tags.values, rows.values, {}, unread)


def _with_manifests(
    contents: RepositoryContents, known: dict[str, Manifest], refused: dict[str, Refusal]
) -> RepositoryContents:
    digests = [row.digest for row in contents.rows]
    manifests = {digest: known[digest] for digest in digests if digest in known}
    unread = tuple(refused[digest] for digest in digests if digest in refused)
    untried = len(digests) - len(manifests) - len(unread)
    return replace(contents, manifests=manifests, unread=contents.unread + unread, untried=untried)
