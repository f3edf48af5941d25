"""What was pushed, pulled, untagged and deleted in a registry, by whom and from where, as its logs have it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.arm.logs import Row
from services.connection.answers import checked, time_or_none
from services.connection.errors import as_service_error
from services.connection.session import AzureSession
from services.pulls.queries import CHANGES, EVENTS, MOST_EVENTS, run_query
from services.registries.registry import Registry


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """One event. `operation` is Azure's: Pull, Push, Untag, Delete, Purge Tag, Purge Manifest and others. `result`:
    the HTTP status. `identity` as in `ImagePull`. What was not logged of it is ""."""

    at: datetime
    operation: str
    repository: str
    tag: str
    digest: str
    identity: str
    address: str
    agent: str
    result: str


@dataclass(frozen=True)
class Events:
    """The newest events first; `more`: there are older ones, which were not read."""

    values: tuple[RegistryEvent, ...] = ()
    more: bool = False

    def of_image(self, repository: str, digest: str, tags: tuple[str, ...] = ()) -> tuple[RegistryEvent, ...]:
        """Those of a digest, and of tags of it where no digest was logged."""
        return tuple(
            one
            for one in self.values
            if one.repository == repository and (one.digest == digest or (not one.digest and one.tag in tags))
        )


def read_events(session: AzureSession, registry: Registry, span: timedelta) -> Events:
    """All events of the last `span`. Raises ServiceError."""
    return _read(session, registry, EVENTS, span)


def read_changes(session: AzureSession, registry: Registry) -> Events:
    """All events but pulls, as far as logs go back. Raises ServiceError."""
    return _read(session, registry, CHANGES, None)


def _read(session: AzureSession, registry: Registry, query: str, span: timedelta | None) -> Events:
    rows = run_query(session, registry, query, span)
    with as_service_error(f"Could not read the events of {registry.name}"):
        found = tuple(checked(_event(row)) for row in rows[:MOST_EVENTS])
    return Events(found, len(rows) > MOST_EVENTS)


def _event(row: Row) -> RegistryEvent:
    at = time_or_none(row["TimeGenerated"])
    if at is None:
        raise ValueError("an event without a time")
    names = ("OperationName", "Repository", "Tag", "Digest", "Identity", "CallerIpAddress", "UserAgent")
    texts = [str(row.get(name) or "") for name in (*names, "ResultDescription")]
    return RegistryEvent(at, *texts)
