"""Webhooks of a registry: what Azure calls when something is pushed or deleted. Listed, added, pinged, removed.

The console never calls a service URI: only Azure does.
https://learn.microsoft.com/azure/container-registry/container-registry-webhook
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.mgmt.containerregistry import models

from services.child_resources.webhook_rules import NewWebhook, objections, warnings_about
from services.connection.changes import Outcome, changed, refused, remove, write
from services.connection.errors import as_service_error, if_there, says_not_found
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.registries.registry import Registry


@dataclass(frozen=True)
class Webhook:
    """`scope`: "" for everything, else `repository`, `repository:tag` or `repository:*`. Its address is not among
    this: see `read_callback`."""

    name: str
    location: str
    status: str
    scope: str
    actions: tuple[str, ...]
    provisioning_state: str

    @property
    def enabled(self) -> bool:
        return self.status == "enabled"


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


def list_webhooks(session: AzureSession, registry: Registry) -> tuple[Webhook, ...]:
    """All of them, by name. Raises ServiceError."""
    with as_service_error(f"Could not list the webhooks of {registry.name}"):
        client = session.registries(registry.subscription_id).webhooks
        found = [_webhook(model) for model in client.list(registry.resource_group, registry.name)]
    return tuple(sorted(found, key=lambda webhook: webhook.name.casefold()))


def get_webhook(session: AzureSession, registry: Registry, name: str) -> Webhook:
    """One webhook. Raises ServiceError."""
    with as_service_error(f"Could not read the webhook {name}"):
        client = session.registries(registry.subscription_id).webhooks
        return _webhook(client.get(registry.resource_group, registry.name, name))


def read_callback(session: AzureSession, registry: Registry, name: str) -> Callback:
    """Asks Azure for a webhook's address: an action of its own (`webhooks/getCallbackConfig/action`), which Reader
    does not have, since the address may hold a key. Raises ServiceError."""
    with as_service_error(f"Could not read where the webhook {name} calls"):
        client = session.registries(registry.subscription_id).webhooks
        found = client.get_callback_config(registry.resource_group, registry.name, name)
    return Callback(found.service_uri or "", tuple(sorted(found.custom_headers or {})))


def list_events(session: AzureSession, registry: Registry, name: str) -> tuple[Event, ...]:
    """The last calls of a webhook that Azure remembers, the newest first. Raises ServiceError."""
    with as_service_error(f"Could not read the events of the webhook {name}"):
        client = session.registries(registry.subscription_id).webhooks
        found = [_event(model) for model in client.list_events(registry.resource_group, registry.name, name)]
    never = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda event: event.at or never, reverse=True))


def ping(session: AzureSession, registry: Registry, name: str) -> str:
    """Has Azure call the webhook's address once: the id of the event. Raises ServiceError."""
    with as_service_error(f"Could not ping the webhook {name}"):
        client = session.registries(registry.subscription_id).webhooks
        return client.ping(registry.resource_group, registry.name, name).id or ""


@dataclass(frozen=True)
class AddPlan:
    """A webhook to be added. Nothing is sent while there are `blockers`."""

    registry: Registry
    wanted: NewWebhook
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_webhook(registry: Registry, there: tuple[Webhook, ...], wanted: NewWebhook) -> AddPlan:
    """What is in the way of a webhook beside those that are there, and what to know before it is added."""
    blockers = objections(registry, tuple(webhook.name for webhook in there), wanted)
    return AddPlan(registry, wanted, blockers, warnings_about(registry, wanted))


def apply_webhook(session: AzureSession, plan: AddPlan, report: Callable[[str], None] = lambda _state: None) -> Outcome:
    """Adds the webhook as planned. CREATED: it is there so, as read back. NOT_CONFIRMED: Azure took it, and it does not
    show, or could not be read.

    Raises ServiceError where nothing was added: refused by the plan, by Azure, or since the list has changed.
    """
    wanted, registry = plan.wanted, plan.registry
    title = f"Could not add the webhook {wanted.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("looking again")
    again = plan_webhook(registry, list_webhooks(session, registry), wanted)
    if again.blockers:
        raise changed(title, f"What was not in the way before is now: {' '.join(again.blockers)}")
    report("adding")
    client = session.registries(registry.subscription_id).webhooks
    body = models.WebhookCreateParameters(
        location=wanted.location,
        properties=models.WebhookPropertiesCreateParameters(
            service_uri=wanted.service_uri,
            custom_headers=dict(wanted.headers) or None,
            status="enabled" if wanted.enabled else "disabled",
            scope=wanted.scope,
            actions=list(wanted.actions),
        ),
    )
    found = write(
        title,
        lambda: client.begin_create(registry.resource_group, registry.name, wanted.name, body).result(),
        lambda: get_webhook(session, registry, wanted.name),
        lambda webhook: _is(webhook, wanted),
        says_not_found,
    )
    return Outcome.CREATED if found else Outcome.NOT_CONFIRMED


def _is(webhook: Webhook, wanted: NewWebhook) -> bool:
    return (webhook.enabled, webhook.scope, set(webhook.actions)) == (
        wanted.enabled,
        wanted.scope,
        set(wanted.actions),
    ) and webhook.location.casefold() == wanted.location.casefold()


def apply_status(session: AzureSession, registry: Registry, webhook: Webhook, *, enabled: bool) -> Outcome:
    """Enables or disables a webhook. Raises ServiceError where it is left as it was: refused, or another one by now."""
    title = f"Could not {'enable' if enabled else 'disable'} the webhook {webhook.name}"
    if get_webhook(session, registry, webhook.name) != webhook:
        raise changed(title, "The webhook is another one than was shown.")
    client = session.registries(registry.subscription_id).webhooks
    body = models.WebhookUpdateParameters(
        properties=models.WebhookPropertiesUpdateParameters(status="enabled" if enabled else "disabled")
    )
    found = write(
        title,
        lambda: client.begin_update(registry.resource_group, registry.name, webhook.name, body).result(),
        lambda: get_webhook(session, registry, webhook.name),
        lambda now: now.enabled is enabled,
        says_not_found,
    )
    return Outcome.CHANGED if found else Outcome.NOT_CONFIRMED


def apply_removal(
    session: AzureSession, registry: Registry, webhook: Webhook, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Removes a webhook as it was shown.

    DELETED: it is gone, as read back. ALREADY_DONE: somebody else removed it. NOT_CONFIRMED: Azure took it, and it is
    still there or could not be read. Raises ServiceError where it is left: refused, or another one than was shown.
    """
    title = f"Could not remove the webhook {webhook.name}"
    report("looking again")
    now = if_there(lambda: get_webhook(session, registry, webhook.name), says_not_found)
    if now is None:
        return Outcome.ALREADY_DONE
    if now != webhook:
        raise changed(title, "The webhook is another one than was shown.")
    report("removing")
    client = session.registries(registry.subscription_id).webhooks
    return remove(
        title,
        lambda: client.begin_delete(registry.resource_group, registry.name, webhook.name).result(),
        lambda: get_webhook(session, registry, webhook.name),
        says_not_found,
    )


def _webhook(model: models.Webhook) -> Webhook:
    properties = model.properties
    return Webhook(
        name=model.name or "",
        location=model.location or "",
        status=sdk_text(properties.status if properties else None),
        scope=(properties.scope if properties else "") or "",
        actions=tuple(sdk_text(action) for action in (properties.actions if properties else None) or ()),
        provisioning_state=sdk_text(properties.provisioning_state if properties else None),
    )


def _event(model: models.Event) -> Event:
    content = model.event_request_message.content if model.event_request_message else None
    response = model.event_response_message
    return Event(
        id=model.id or "",
        at=content.timestamp if content else None,
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
