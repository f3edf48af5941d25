"""Webhooks of a registry: what Azure calls when something is pushed or deleted. Listed, added, enabled, disabled,
deleted.

The console never calls a service URI: only Azure does.
https://learn.microsoft.com/azure/container-registry/container-registry-webhook
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from azure.mgmt.containerregistry import models

from services.arm.pages import items
from services.arm.providers import location_name
from services.child_resources.webhook_rules import NewWebhook, objections, warnings_about
from services.commands import child_resources as az_child_resources
from services.connection.answers import checked, read_entries
from services.connection.changes import Outcome, changed, refused, remove, write
from services.connection.errors import as_service_error, if_there, says_not_found
from services.connection.parallel import Partial
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.registries.registry import Registry


@dataclass(frozen=True)
class Webhook:
    """`scope`: "" for everything, else `repository`, `repository:tag` or `repository:*`. Its address is not among
    this: see `webhook_events.read_callback`."""

    name: str
    location: str
    status: str
    scope: str
    actions: tuple[str, ...]
    provisioning_state: str

    @property
    def enabled(self) -> bool:
        return self.status == "enabled"


def list_webhooks(session: AzureSession, registry: Registry) -> Partial[Webhook]:
    """All of them, by name. Raises ServiceError."""
    with as_service_error(f"Could not list the webhooks of {registry.name}"):
        client = session.registries(registry.subscription_id).webhooks
        listed = items(session, client.list, registry.resource_group, registry.name)
        found = read_entries(f"webhooks of {registry.name}", listed, _webhook)
    return replace(found, values=tuple(sorted(found.values, key=lambda webhook: webhook.name.casefold())))


def get_webhook(session: AzureSession, registry: Registry, name: str) -> Webhook:
    """One webhook. Raises ServiceError."""
    with as_service_error(f"Could not read the webhook {name}"):
        client = session.registries(registry.subscription_id).webhooks
        return checked(_webhook(client.get(registry.resource_group, registry.name, name)))


@dataclass(frozen=True)
class WebhookPlan:
    """A webhook to be added. Nothing is sent while there are `blockers`. In `commands`, what is not given yet stands in
    capitals."""

    registry: Registry
    wanted: NewWebhook
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def plan_webhook(registry: Registry, there: tuple[Webhook, ...], wanted: NewWebhook) -> WebhookPlan:
    """What forbids a webhook beside those that exist, and what to know before it is added."""
    blockers = objections(registry, tuple(webhook.name for webhook in there), wanted)
    line = az_child_resources.add_webhook(
        registry.name,
        wanted.name or "NAME",
        wanted.actions,
        wanted.location,
        scope=wanted.scope,
        enabled=wanted.enabled,
        header_names=wanted.header_names,
    )
    return WebhookPlan(registry, wanted, blockers, warnings_about(registry, wanted), (line,))


def read_webhook_plan(session: AzureSession, registry: Registry, wanted: NewWebhook) -> WebhookPlan:
    """Reads the webhooks that are there, and plans. Raises ServiceError."""
    return plan_webhook(registry, list_webhooks(session, registry).all_values(), wanted)


def apply_webhook(
    session: AzureSession, plan: WebhookPlan, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Adds the webhook as planned. CREATED: it is there so, as read back. NOT_CONFIRMED: Azure took it, and it does not
    show, or could not be read.

    Raises ServiceError where nothing was added: refused by the plan, by Azure, or since the list has changed.
    """
    wanted, registry = plan.wanted, plan.registry
    title = f"Could not add the webhook {wanted.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    again = read_webhook_plan(session, registry, wanted)
    if again.blockers:
        raise changed(title, f"Blocked since it was planned: {' '.join(again.blockers)}")
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


@dataclass(frozen=True)
class WebhookStatusPlan:
    """A webhook that will be enabled or disabled. Nothing is sent while there are `blockers`."""

    registry: Registry
    webhook: Webhook
    enabled: bool
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def status(self) -> str:
        return "enabled" if self.enabled else "disabled"


def plan_webhook_status(registry: Registry, webhook: Webhook, *, enabled: bool) -> WebhookStatusPlan:
    """A status that it has already is a blocker."""
    status = "enabled" if enabled else "disabled"
    blockers = (f"{webhook.name} is {status} already.",) if webhook.enabled is enabled else ()
    line = az_child_resources.set_webhook_status(registry.name, webhook.name, status)
    return WebhookStatusPlan(registry, webhook, enabled, blockers, (), (line,))


def apply_webhook_status(
    session: AzureSession, plan: WebhookStatusPlan, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Enables or disables the webhook as planned: CHANGED or NOT_CONFIRMED.

    Raises ServiceError where it is left as it was: refused, or it has changed since it
    was shown.
    """
    registry, webhook = plan.registry, plan.webhook
    title = f"Could not {'enable' if plan.enabled else 'disable'} the webhook {webhook.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    if get_webhook(session, registry, webhook.name) != webhook:
        raise changed(title, "The webhook has changed since it was shown.")
    report("changing")
    client = session.registries(registry.subscription_id).webhooks
    body = models.WebhookUpdateParameters(properties=models.WebhookPropertiesUpdateParameters(status=plan.status))
    found = write(
        title,
        lambda: client.begin_update(registry.resource_group, registry.name, webhook.name, body).result(),
        lambda: get_webhook(session, registry, webhook.name),
        lambda now: now.enabled is plan.enabled,
        says_not_found,
    )
    return Outcome.CHANGED if found else Outcome.NOT_CONFIRMED


@dataclass(frozen=True)
class WebhookRemovalPlan:
    """A webhook that is deleted as it was shown. There is nothing that blocks it."""

    registry: Registry
    webhook: Webhook
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def plan_webhook_removal(registry: Registry, webhook: Webhook) -> WebhookRemovalPlan:
    """What is lost with it."""
    warning = "Its address, headers and events are deleted with it. Whatever relies on its calls gets no more."
    line = az_child_resources.remove_webhook(registry.name, webhook.name)
    return WebhookRemovalPlan(registry, webhook, (), (warning,), (line,))


def apply_webhook_removal(
    session: AzureSession, plan: WebhookRemovalPlan, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Deletes a webhook as planned.

    DELETED: it is gone, as read back. ALREADY_DONE: somebody else deleted it. NOT_CONFIRMED: Azure took it, and it is
    still there or could not be read. Raises ServiceError where it is left: refused, or it has changed since it
    was shown.
    """
    registry, webhook = plan.registry, plan.webhook
    title = f"Could not delete the webhook {webhook.name}"
    report("checking again")
    now = if_there(lambda: get_webhook(session, registry, webhook.name), says_not_found)
    if now is None:
        return Outcome.ALREADY_DONE
    if now != webhook:
        raise changed(title, "The webhook has changed since it was shown.")
    report("deleting")
    client = session.registries(registry.subscription_id).webhooks
    return remove(
        title,
        lambda: client.begin_delete(registry.resource_group, registry.name, webhook.name).result(),
        lambda: get_webhook(session, registry, webhook.name),
        says_not_found,
    )


def _webhook(model: models.Webhook) -> Webhook:
    if not model.name:
        raise ValueError("a webhook without a name")
    properties = model.properties
    return Webhook(
        name=model.name,
        location=location_name(model.location or ""),
        status=sdk_text(properties.status if properties else None),
        scope=(properties.scope if properties else "") or "",
        actions=tuple(sdk_text(action) for action in (properties.actions if properties else None) or ()),
        provisioning_state=sdk_text(properties.provisioning_state if properties else None),
    )
