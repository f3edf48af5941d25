"""The subscriptions that the identity can see, and resources of all of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Event
from typing import Protocol, TypeVar

from azure.mgmt.resource.subscriptions import models

from services.arm.pages import items
from services.connection.answers import read_entries
from services.connection.errors import as_service_error
from services.connection.parallel import Partial, Progress, Refusal, counter, flatten, parallel_map
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession


@dataclass(frozen=True)
class Subscription:
    """`state` is Azure's: Enabled, Warned, PastDue, Disabled, Deleted."""

    id: str
    name: str
    tenant_id: str
    state: str


class _Resource(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


Resource = TypeVar("Resource", bound=_Resource)


def list_subscriptions(session: AzureSession) -> Partial[Subscription]:
    """All subscriptions that the identity can see, by name. Raises ServiceError."""
    with as_service_error("Could not list the subscriptions"):
        listed = items(session, session.subscriptions().subscriptions.list)
        found = read_entries("subscriptions", listed, _subscription)
    return replace(
        found,
        values=tuple(sorted(found.values, key=lambda subscription: (subscription.name.casefold(), subscription.id))),
    )


def _subscription(model: models.Subscription) -> Subscription:
    if not model.subscription_id:
        raise ValueError("a subscription without an id")
    name = model.display_name or model.subscription_id
    return Subscription(model.subscription_id, name, model.tenant_id or "", sdk_text(model.state))


def tenant_of(session: AzureSession, subscription_id: str) -> str:
    """The id of a subscription's tenant, "" if Azure does not report it. Raises ServiceError."""
    with as_service_error(f"Could not read the subscription {subscription_id}"):
        return sdk_text(session.subscriptions().subscriptions.get(subscription_id).tenant_id)


def list_in_each(
    list_one: Callable[[Subscription], Partial[Resource]],
    subscriptions: Iterable[Subscription],
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[Resource]:
    """What `list_one` finds in all subscriptions, by name.

    Refusals of the result: a subscription that refuses, or of which entries could not be understood.
    """
    subscriptions = tuple(subscriptions)

    def list_named(subscription: Subscription) -> Partial[Resource]:
        read = list_one(subscription)
        return replace(read, refused=tuple(Refusal(subscription.name, refusal.error) for refusal in read.refused))

    found = parallel_map(
        list_named,
        subscriptions,
        name=lambda subscription: subscription.name,
        done=counter(progress, "subscriptions", len(subscriptions)),
        stop=stop,
    )
    flat = flatten(found)
    in_order = sorted(flat.values, key=lambda resource: (resource.name.casefold(), resource.id))
    return replace(flat, values=tuple(in_order))
