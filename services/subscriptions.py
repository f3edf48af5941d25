"""The subscriptions that the identity sees."""

from dataclasses import dataclass

from services.cloud import AzureSession
from services.errors import explained


@dataclass(frozen=True)
class Subscription:
    """`state` is Azure's: Enabled, Warned, PastDue, Disabled, Deleted."""

    id: str
    name: str
    tenant_id: str
    state: str


def list_subscriptions(session: AzureSession) -> tuple[Subscription, ...]:
    """All of them, by name. Raises ServiceError."""
    with explained("Could not list the subscriptions"):
        found = [
            Subscription(
                model.subscription_id or "",
                model.display_name or model.subscription_id or "",
                model.tenant_id or "",
                str(getattr(model.state, "value", model.state) or ""),
            )
            for model in session.subscriptions().subscriptions.list()
        ]
    return tuple(sorted(found, key=lambda subscription: (subscription.name.casefold(), subscription.id)))


def tenant_of(session: AzureSession, subscription_id: str) -> str:
    """The id of the tenant that a subscription is of, "" where Azure does not tell it. Raises ServiceError."""
    with explained(f"Could not read the subscription {subscription_id}"):
        return session.subscriptions().subscriptions.get(subscription_id).tenant_id or ""
