"""The subscriptions that the identity can see, and resources of all of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event
from typing import Protocol, TypeVar

from services.arm.pages import items
from services.connection.errors import as_service_error
from services.connection.parallel import Partial, Progress, counter, parallel_map
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


def list_subscriptions(session: AzureSession) -> tuple[Subscription, ...]:
    """All subscriptions that the identity can see, by name. Raises ServiceError."""
    with as_service_error("Could not list the subscriptions"):
        found = [
            Subscription(
                model.subscription_id or "",
                model.display_name or model.subscription_id or "",
                model.tenant_id or "",
                sdk_text(model.state),
            )
            for model in items(session, session.subscriptions().subscriptions.list())
        ]
    return tuple(sorted(found, key=lambda subscription: (subscription.name.casefold(), subscription.id)))


def tenant_of(session: AzureSession, subscription_id: str) -> str:
    """The id of a subscription's tenant, "" if Azure does not report it. Raises ServiceError."""
    with as_service_error(f"Could not read the subscription {subscription_id}"):
        return session.subscriptions().subscriptions.get(subscription_id).tenant_id or ""


def list_in_each(
    list_one: Callable[[Subscription], list[Resource]],
    subscriptions: Iterable[Subscription],
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[Resource]:
    """What `list_one` finds in all subscriptions, by name. A subscription that refuses is a Refusal of the result."""
    subscriptions = tuple(subscriptions)
    found = parallel_map(
        list_one,
        subscriptions,
        name=lambda subscription: subscription.name,
        done=counter(progress, "subscriptions", len(subscriptions)),
        stop=stop,
    )
    resources = (resource for of_one in found.values for resource in of_one)
    in_order = sorted(resources, key=lambda resource: (resource.name.casefold(), resource.id))
    return Partial(tuple(in_order), found.refused, found.untried)
