"""Where registries can be created, by the resource provider, and whether a subscription has it registered.

Reading never registers a provider: only `register_provider` does.
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from dataclasses import dataclass

from azure.mgmt.resource.resources.models import Provider
from azure.mgmt.resource.subscriptions import models

from services.arm.pages import items
from services.connection.answers import read_entries
from services.connection.errors import as_service_error
from services.connection.parallel import Refusal
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession

NAMESPACE = "Microsoft.ContainerRegistry"
REGISTERED = "Registered"


@dataclass(frozen=True)
class Location:
    """`name` as ARM writes it (eastus), `display_name` for people (East US). `has_zones`: whether the subscription's
    list of locations gives it availability zones; None where that is not known."""

    name: str
    display_name: str
    has_zones: bool | None = None


@dataclass(frozen=True)
class RegistryProvider:
    """`state`: Registered, Registering, NotRegistered, Unregistering or Unregistered, for one subscription.

    `locations`: those that offer registries and that the subscription may use, by display name; `refused`: those that
    could not be understood.
    """

    state: str
    locations: tuple[Location, ...]
    refused: tuple[Refusal, ...] = ()

    @property
    def registered(self) -> bool:
        return self.state == REGISTERED

    def offers(self, name: str) -> bool:
        """Whether registries can be created in the location of this name."""
        return self.location(name) is not None

    def location(self, name: str) -> Location | None:
        """The location of this name, None where no registries are offered there."""
        return next((location for location in self.locations if location.name == name), None)


def read_provider(session: AzureSession, subscription_id: str) -> RegistryProvider:
    """The registry provider's state in a subscription. Raises ServiceError.

    The provider reports display names only; the names come from the subscription's list of locations.
    """
    with as_service_error(f"Could not read where {NAMESPACE} is offered"):
        provider = session.groups_and_providers(subscription_id).providers.get(NAMESPACE)
        offered = _offered(provider)
        listed = list(items(session, session.subscriptions().subscriptions.list_locations, subscription_id))
        # An answer without a single mapping says nothing of zones: earlier versions of the API have none.
        zones_reported = any(getattr(model, "availability_zone_mappings", None) for model in listed)
        found = read_entries("locations", listed, lambda model: _location(model, zones_reported=zones_reported))
    there = [location for location in found.values if location_name(location.display_name) in offered]
    return RegistryProvider(
        sdk_text(provider.registration_state),
        tuple(sorted(there, key=lambda location: location.display_name)),
        found.refused,
    )


def _location(model: models.Location, *, zones_reported: bool) -> Location:
    if not model.name:
        raise ValueError("a location without a name")
    zones = bool(model.availability_zone_mappings) if zones_reported else None
    return Location(model.name, model.display_name or model.name, zones)


def _offered(provider: Provider) -> set[str]:
    for kind in provider.resource_types or ():
        if (kind.resource_type or "").casefold() == "registries":
            return {location_name(name) for name in kind.locations or ()}
    raise ValueError("no registries among the provider's types")


def location_name(text: str) -> str:
    """A location's name (eastus) from that or from its display name (East US): they differ only in spaces and case."""
    return text.replace(" ", "").casefold()


def register_provider(session: AzureSession, subscription_id: str) -> str:
    """Registers the provider in a subscription: its state as read back, Registering for a minute or two.

    Needs …/register/action, which Contributor on the subscription has. Raises ServiceError.
    """
    with as_service_error(f"Could not register {NAMESPACE}"):
        providers = session.groups_and_providers(subscription_id).providers
        providers.register(NAMESPACE)
        return sdk_text(providers.get(NAMESPACE).registration_state)
