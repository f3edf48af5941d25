"""A registry read for its snapshot of a day: its lists from the index where nothing changed, and manifests that any
process has read before from the database."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Event

from services.connection.data_plane import require_same_time
from services.connection.errors import ServiceError
from services.connection.parallel import Refusal
from services.connection.session import AzureSession
from services.database.contents import ContentStore
from services.growth.history import WHOLE, Beside, Snapshot, snapshots_of
from services.images.repositories import get_repository, repository_names
from services.images.repository_contents import RepositoryContents, read_contents
from services.images.storage import registry_storage
from services.index.lists import indexed_lists, indexed_repositories
from services.index.store import IndexStore, IndexTarget
from services.pricing.estimates import Estimate
from services.pulls.metrics import read_month
from services.pulls.pulls import read_pulls
from services.registries.reading import get_registry
from services.registries.registry import Registry
from services.wording import counted


def take_snapshot(
    session: AzureSession,
    resource_id: str,
    now: datetime,
    *,
    pace: Callable[[], None],
    index: IndexStore,
    store: ContentStore | None = None,
    estimate: Callable[[Registry], Estimate | None] = lambda _registry: None,
    stop: Event | None = None,
) -> tuple[Registry, tuple[Snapshot, ...]]:
    """A registry and its snapshots of the day of `now`. `pace` is called before each read of its data plane.

    What is known beside its bytes (pulls, cost) is unknown where it can't be read. Raises ServiceError where not all of
    it could be read, as all else would look like something that shrank; ClocksApart where `now` is not the registry's
    time; Stopped where `stop` was set before all was read.
    """
    registry = get_registry(session, resource_id)
    title = f"Could not take the snapshot of {registry.name}"
    if not registry.login_server:
        raise ServiceError(title, "It has no login server yet.", "Wait until it is created.", "NoLoginServer")
    client = session.registry(registry.login_server).paced(pace)
    require_same_time(client, title, now)
    names = [name for page in repository_names(client) for name in page]
    target = IndexTarget(registry.id, registry.name, registry.login_server, registry.created)
    indexed = indexed_repositories(index, target)

    def known_lists(name: str) -> RepositoryContents | None:
        return indexed_lists(index, indexed[name], get_repository(client, name)) if name in indexed else None

    read = read_contents(client, names, {}, store=store, known_lists=known_lists, stop=stop)
    if stop and stop.is_set():
        raise ServiceError(title, "It was stopped before all was read.", "It goes on by itself.", "Stopped")
    refused = [*read.refused, *(refusal for one in read.values for refusal in one.unread)]
    storage = registry_storage(read)
    if not storage.complete:
        hidden = sum(one.hidden for one in storage.repositories)
        raise _incomplete(title, len(read.refused), len(refused) - len(read.refused), hidden, refused)
    beside = Beside(_pulls(session, registry), estimate(registry))
    return registry, snapshots_of(storage, read.values, now.date(), beside)


def _incomplete(title: str, repositories: int, manifests: int, hidden: int, refused: list[Refusal]) -> ServiceError:
    """Without the words of what was refused: they may name a repository, and more people see this than may list it."""
    unread = [counted(repositories, "repository", "repositories")] if repositories else []
    unread += [counted(manifests, "manifest")] if manifests else []
    parts = [f"{' and '.join(unread)} could not be read"] if unread else []
    if hidden:
        parts.append(f"{counted(hidden, 'manifest')} {'are' if hidden > 1 else 'is'} not listed")
    first = refused[0].error if refused else None
    answered = f" ({first.status or first.code})" if first and (first.status or first.code) else ""
    remedy = first.remedy if first else "They are locked against listing, or were pushed meanwhile."
    return ServiceError(title, f"{', and '.join(parts)}{answered}.", remedy, "Incomplete")


def _pulls(session: AzureSession, registry: Registry) -> dict[str, int]:
    """Pulls in 30 days: of the registry by metrics, and where they are logged of each repository that was pulled."""
    found: dict[str, int] = {}
    with suppress(ServiceError):  # Unknown: a snapshot without it is worth more than none.
        found[WHOLE] = read_month(session, registry).pulls
    logged = read_pulls(session, registry)
    if logged.since is not None:
        for one in logged.pulls:
            found[one.repository] = found.get(one.repository, 0) + one.month
    return found
