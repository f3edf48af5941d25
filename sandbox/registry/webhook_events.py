"""What a webhook would have been called for, kept with it. Nothing leaves the machine: no address is ever called.

Events: https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.registry.call import Call
from sandbox.storage.store import Store

WEBHOOK_TYPE = REGISTRY_TYPE + "/webhooks"
MOST = 50
# What an address "answers": that of https://contoso.example/status/503 answers 503, any other 200.
_STATUS = re.compile(r".*/status/(\d{3})/?")
_PHRASES = {str(status.value): status.phrase for status in HTTPStatus}
Json = dict[str, Any]


def pushed(call: Call, media_type: str, size: int, digest: str, tag: str | None) -> None:
    """Record that a manifest was pushed, by digest alone where there is no tag."""
    target = {"mediaType": media_type, "size": size, "length": size, "digest": digest, "repository": call.name}
    _happened(call, "push", {**target, "tag": tag} if tag else target)


def deleted(call: Call, digest: str = "") -> None:
    """Record that a manifest was deleted, or without a digest the repository. Removed tags make no event."""
    _happened(call, "delete", {"repository": call.name, **({"digest": digest} if digest else {})})


def _happened(call: Call, action: str, target: Json) -> None:
    for document in call.store.list_resources(WEBHOOK_TYPE, call.document["id"]):
        properties = document["properties"]
        listens = properties["status"] == "enabled" and action in properties["actions"]
        if listens and matches(properties.get("scope") or "", target["repository"], target.get("tag")):
            content = {"target": target, "request": {"host": call.login_server, "method": call.request.method}}
            record(call.store, document["id"], action, call.state.stamp(), content)


def matches(scope: str, repository: str, tag: str | None) -> bool:
    """Whether a scope covers what happened: "" is everything, `app:*` all of app, and `app` is `app:latest`."""
    if not scope:
        return True
    wanted, _, wanted_tag = scope.partition(":")
    return wanted == repository and (wanted_tag == "*" or tag == (wanted_tag or "latest"))


def record(store: Store, webhook_id: str, action: str, now: str, content: Json, event_id: str = "") -> str:
    """Keep a call with the webhook, the newest first, and drop the oldest; returns its id."""
    event_id = event_id or str(uuid.uuid4())
    with store.transaction():
        document = store.get_resource(webhook_id)
        if document is not None:
            kept = document["_sandbox"].get("events", [])
            document["_sandbox"]["events"] = [_event(document, event_id, action, now, content), *kept][:MOST]
            store.put_resource(document)
    return event_id


def _event(document: Mapping[str, Any], event_id: str, action: str, now: str, content: Json) -> Json:
    private = document["_sandbox"]
    found = _STATUS.fullmatch(urlsplit(private["serviceUri"]).path)
    status = found[1] if found else "200"
    return {
        "id": event_id,
        "eventRequestMessage": {
            "content": {"id": event_id, "timestamp": now, "action": action, **content},
            "headers": {
                "Content-Type": "application/json; charset=utf-8",
                **dict.fromkeys(private.get("customHeaders") or {}, "*****"),
            },
            "method": "POST",
            "requestUri": private["serviceUri"],
            "version": "1.1",
        },
        "eventResponseMessage": {
            "content": "",
            "headers": {},
            "reasonPhrase": _PHRASES.get(status, ""),
            "statusCode": status,
            "version": "1.1",
        },
    }
