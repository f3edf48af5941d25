"""The soft delete policy as far as storage shows it: what is deleted stays stored, and billed, until it expires.

What was deleted can't be listed or restored here: no page does that.
https://learn.microsoft.com/azure/container-registry/container-registry-soft-delete-policy
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from sandbox.documents.errors import Document
from sandbox.registry.call import Call
from sandbox.storage.records import timestamp

Result = TypeVar("Result")


def delete_softly(call: Call, delete: Callable[[], Result]) -> Result:
    """Runs `delete`; while the registry's policy is on, the bytes that it frees stay in use until they expire."""
    registry = call.store.get_resource(call.document["id"]) or call.document
    policy = registry["properties"]["policies"]["softDeletePolicy"]
    if policy["status"] != "enabled":
        return delete()
    with call.store.transaction():
        before = call.store.blobs.stored_bytes(registry["name"].lower())
        result = delete()
        freed = before - call.store.blobs.stored_bytes(registry["name"].lower())
        until = timestamp(datetime.fromisoformat(call.state.stamp()) + timedelta(days=policy["retentionDays"]))
        registry["_sandbox"].setdefault("softDeleted", []).append({"bytes": freed, "until": until})
        call.store.put_resource(registry)
    return result


def soft_deleted_bytes(registry: Document, now: str) -> int:
    """The bytes that are deleted and not expired at `now`."""
    kept = registry.get("_sandbox", {}).get("softDeleted", ())
    return sum(int(one["bytes"]) for one in kept if one["until"] > now)
