"""When each image of a registry was pulled last, how often, and by whom, as far as its logs go back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from services.arm.logs import Row
from services.connection.answers import checked, time_or_none
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import Refusal
from services.connection.session import AzureSession
from services.pulls.logging import list_settings
from services.pulls.queries import LOGGED, PULLS, run_query
from services.registries.registry import Registry

# Where nothing has been logged for so long, logs may have stopped arriving.
QUIET = timedelta(days=7)
NOT_LOGGED = "What happens in this registry is not logged."
NO_EVENT = "No event is logged yet: the first arrives some minutes after logging was turned on."


@dataclass(frozen=True, slots=True)
class ImagePull:
    """The last pull of a digest by a tag, or by its digest alone where `tag` is "". `identity`: an object id, the name
    of a token or of the registry, "" for an anonymous pull. `month`: how many pulls there were in the last 30 days."""

    repository: str
    tag: str
    digest: str
    at: datetime
    identity: str
    agent: str
    month: int


@dataclass(frozen=True)
class PullsOfImage:
    """What was logged of one image: its last pull, None for none since logging began, and how many in 30 days."""

    last: ImagePull | None = None
    month: int = 0


@dataclass(frozen=True, eq=False)
class RegistryPulls:
    """The pulls of a registry that are logged. Two that were read at different times are not equal.

    `since`: since when they are known without a gap that shows; None where that is not known, and `why` is the reason,
    a sentence. A gap between two settings does not show in Azure. `logged`: whether a diagnostic setting sends them to
    a workspace now; None where that could not be read. `unread`: what could not be read of it.
    """

    pulls: tuple[ImagePull, ...] = ()
    since: datetime | None = None
    why: str = "Pulls are not read yet."
    logged: bool | None = None
    unread: tuple[Refusal, ...] = field(default=())

    @property
    def known(self) -> bool:
        """Whether anything is known of when images were pulled."""
        return self.since is not None or bool(self.pulls)

    @cached_property
    def _by_repository(self) -> Mapping[str, Mapping[tuple[str, str], PullsOfImage]]:
        """By repository, then by digest and "", or for a pull whose digest is not logged by "" and its tag."""
        groups: defaultdict[str, defaultdict[tuple[str, str], list[ImagePull]]] = defaultdict(lambda: defaultdict(list))
        for one in self.pulls:
            groups[one.repository][one.digest, "" if one.digest else one.tag].append(one)
        return {
            repository: {key: _sum(found) for key, found in images.items()} for repository, images in groups.items()
        }

    def of(self, repository: str, digests: Sequence[str], tags: Iterable[str] = ()) -> PullsOfImage:
        """The pulls of an image: `digests` are its own and those of what it lists, `tags` its tags. The number in 30
        days is of the first digest and of the tags: nodes pull an index, and then one of its platforms."""
        images = self._by_repository.get(repository, {})
        own = [images[key] for key in ((digests[0], ""), *(("", tag) for tag in tags)) if key in images]
        listed = [images[digest, ""] for digest in digests[1:] if (digest, "") in images]
        last = max((one.last for one in (*own, *listed) if one.last), key=lambda pull: pull.at, default=None)
        return PullsOfImage(last, sum(one.month for one in own) or max((one.month for one in listed), default=0))

    def last_by_digest(self, repository: str, tags: Mapping[str, str]) -> dict[str, datetime]:
        """When each digest of a repository was pulled last; `tags`: tag → the digest that it points to now."""
        found: dict[str, datetime] = {}
        for (digest, tag), pulls in self._by_repository.get(repository, {}).items():
            of = digest or tags.get(tag, "")
            if of and pulls.last:
                found[of] = max(pulls.last.at, found.get(of, pulls.last.at))
        return found


def _sum(found: Sequence[ImagePull]) -> PullsOfImage:
    return PullsOfImage(max(found, key=lambda one: one.at), sum(one.month for one in found))


def read_pulls(session: AzureSession, registry: Registry, now: datetime | None = None) -> RegistryPulls:
    """What is logged of a registry's pulls: one request where nothing is, else three. Raises nothing that Azure
    answers: what could not be read is in it, with the reason."""
    unread: tuple[Refusal, ...] = ()
    logged: bool | None = None
    try:
        settings = list_settings(session, registry)
        unread = settings.refused
        sent = any(one.sends_events for one in settings.values)
        logged = sent if sent or settings.complete else None
    except ServiceError as error:
        unread = (Refusal(registry.name, error),)
    if logged is False:
        return RegistryPulls(why=NOT_LOGGED, logged=False)
    try:
        first, last = _read_logged(session, registry)
        pulls = tuple(_read_rows(session, registry))
    except ServiceError as error:
        why = f"Pulls could not be read: {error.cause.rstrip('.')}."
        return RegistryPulls(why=why, logged=logged, unread=(*unread, Refusal(registry.name, error)))
    since, why = judge_since(first, last, logged, now or datetime.now(UTC))
    return RegistryPulls(pulls, since, why, logged, unread)


def read_pulls_since(session: AzureSession, registry: Registry, span: timedelta, now: datetime) -> RegistryPulls:
    """As `read_pulls`, of the last `span` alone: two requests. `since` is None where it is not known that all of them
    are logged."""
    try:
        settings = list_settings(session, registry)
        if not any(one.sends_events for one in settings.values):
            unread = "Not known whether pulls are still logged: the diagnostic settings could not be read."
            return RegistryPulls(why=NOT_LOGGED if settings.complete else unread, unread=settings.refused)
        pulls = tuple(_read_rows(session, registry, span))
    except ServiceError as error:
        why = f"Pulls could not be read: {error.cause.rstrip('.')}."
        return RegistryPulls(why=why, unread=(Refusal(registry.name, error),))
    return RegistryPulls(pulls, now - span, "", True)


def judge_since(
    first: datetime | None, last: datetime | None, logged: bool | None, now: datetime
) -> tuple[datetime | None, str]:
    """Since when pulls are known without a gap that shows, or None and why not. `first` and `last`: the first and the
    last event of any kind. Pure."""
    if first is None or last is None:
        return None, NO_EVENT
    if not logged:
        return None, "Not known whether pulls are still logged: the diagnostic settings could not be read."
    if last < now - QUIET:
        return None, f"Nothing has been logged since {last:%Y-%m-%d}: logs may have stopped arriving."
    return first, ""


def _read_logged(session: AzureSession, registry: Registry) -> tuple[datetime | None, datetime | None]:
    """When the first and the last event were logged."""
    rows = run_query(session, registry, LOGGED)
    with as_service_error(f"Could not read the logs of {registry.name}"):
        return (time_or_none(rows[0]["First"]), time_or_none(rows[0]["Last"])) if rows else (None, None)


def _read_rows(session: AzureSession, registry: Registry, span: timedelta | None = None) -> list[ImagePull]:
    rows = run_query(session, registry, PULLS, span)
    with as_service_error(f"Could not read the pulls of {registry.name}"):
        return [checked(_image_pull(row)) for row in rows]


def _image_pull(row: Row) -> ImagePull:
    at = time_or_none(row["TimeGenerated"])
    if at is None:
        raise ValueError("a pull without a time")
    text = {name: str(row.get(name) or "") for name in ("Repository", "Tag", "Digest", "Identity", "UserAgent")}
    return ImagePull(
        text["Repository"], text["Tag"], text["Digest"], at, text["Identity"], text["UserAgent"], row["Pulls30"]
    )
