"""Where a webhook calls, and what became of its last calls.

The console never calls a service URI: only Azure does.
https://learn.microsoft.com/azure/container-registry/container-registry-webhook
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from azure.mgmt.containerregistry import models

from services.arm.pages import items
from services.connection.answers import checked, read_entries, time_or_none
from services.connection.errors import as_service_error
from services.connection.parallel import Partial
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.registries.registry import Registry


@dataclass(frozen=True)
class Callback:
    """Where a webhook calls, and the names of the headers that it sends along. Their values are secrets: left out."""

    service_uri: str
    header_names: tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """One call of a webhook: `action` on `target` (`repository:tag` or `repository@digest`, "" for a ping), and what
    its address answered. `status` "": nothing is known of an answer."""

    id: str
    at: datetime | None
    action: str
    target: str
    status: str
    reason: str

    @property
    def taken(self) -> bool:
        """Whether the address took it."""
        return self.status.startswith("2")


def read_callback(session: AzureSession, registry: Registry, name: str) -> Callback:
    """Asks Azure for a webhook's address: an action of its own (`webhooks/getCallbackConfig/action`), which Reader
    does not have, since the address may hold a key. Raises ServiceError."""
    with as_service_error(f"Could not read where the webhook {name} calls"):
        client = session.registries(registry.subscription_id).webhooks
        found = client.get_callback_config(registry.resource_group, registry.name, name)
        if not found.service_uri:
            raise ValueError("a service URI is missing")
        return checked(Callback(found.service_uri, tuple(sorted(found.custom_headers or {}))))


def list_events(session: AzureSession, registry: Registry, name: str) -> Partial[Event]:
    """The last calls of a webhook that Azure remembers, the newest first. Raises ServiceError."""
    with as_service_error(f"Could not read the events of the webhook {name}"):
        client = session.registries(registry.subscription_id).webhooks
        listed = items(session, client.list_events, registry.resource_group, registry.name, name)
        found = read_entries(f"events of {name}", listed, _event)
    never = datetime.min.replace(tzinfo=UTC)
    return replace(found, values=tuple(sorted(found.values, key=lambda event: event.at or never, reverse=True)))


def ping(session: AzureSession, registry: Registry, name: str) -> str:
    """Has Azure call the webhook's address once: the id of the event. Raises ServiceError."""
    with as_service_error(f"Could not ping the webhook {name}"):
        client = session.registries(registry.subscription_id).webhooks
        return sdk_text(client.ping(registry.resource_group, registry.name, name).id)


def _event(model: models.Event) -> Event:
    content = model.event_request_message.content if model.event_request_message else None
    response = model.event_response_message
    return Event(
        id=model.id or "",
        at=time_or_none(content.timestamp if content else None),
        action=(content.action if content else "") or "",
        target=_target(content.target if content else None),
        status=str((response.status_code if response else "") or ""),
        reason=(response.reason_phrase if response else "") or "",
    )


def _target(target: models.Target | None) -> str:
    if target is None or not target.repository:
        return ""
    if target.tag:
        return f"{target.repository}:{target.tag}"
    return f"{target.repository}@{target.digest}" if target.digest else target.repository
