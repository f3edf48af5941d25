"""What the estate's webhooks were called for: the newest push into each of a few repositories."""

from __future__ import annotations

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.registry.webhook_events import WEBHOOK_TYPE, record
from sandbox.seeds.resources import guid
from sandbox.storage.store import Store

_REPOSITORIES = 6


def events(store: Store) -> None:
    """Add the events to a store whose registries are filled."""
    for registry in store.list_resources(REGISTRY_TYPE):
        pushes = _pushes(store, registry["name"])
        for webhook in store.list_resources(WEBHOOK_TYPE, registry["id"]):
            for at, target in pushes:
                content = {"target": target, "request": {"host": registry["properties"]["loginServer"]}}
                record(store, webhook["id"], "push", at, content, guid("event", webhook["id"], target["digest"]))


def _pushes(store: Store, registry: str) -> list[tuple[str, dict[str, str]]]:
    """When, and what, the oldest first."""
    found = []
    for repository in store.list_repositories(registry)[:_REPOSITORIES]:
        for tag in store.list_tags(registry, repository, limit=1, order="timedesc"):
            found.append((tag.updated, {"repository": repository, "tag": tag.name, "digest": tag.digest}))
    return sorted(found, key=lambda push: push[0])
