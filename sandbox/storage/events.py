"""What happened to the repositories of registries, as diagnostic settings sent it to workspaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

from sandbox.storage.database import Database


@dataclass(frozen=True)
class RepositoryEvent:
    """One row of ContainerRegistryRepositoryEvents in one workspace. `registry` is the id of a resource, `workspace`
    too, both in lower case; `operation` is Azure's: Pull, Push, Delete, Untag. `result` is the status of HTTP."""

    registry: str
    workspace: str
    at: str
    operation: str
    repository: str
    tag: str
    digest: str
    identity: str
    address: str
    agent: str
    result: str = "200"


class EventStore:
    """Rows of events. They stay when the registry goes, as they do in a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, events: Iterable[RepositoryEvent]) -> None:
        sql = "INSERT INTO registry_events VALUES (lower(?), lower(?), ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._database.run_for_each(sql, (astuple(event) for event in events))

    def list(self, registry_id: str, since: str = "", until: str = "9999") -> list[RepositoryEvent]:
        """Those of a registry from one time to another, the newest first."""
        sql = "SELECT * FROM registry_events WHERE registry = lower(?) AND at >= ? AND at < ? ORDER BY at DESC, rowid"
        return [RepositoryEvent(*row) for row in self._database.all(sql, registry_id, since, until)]
