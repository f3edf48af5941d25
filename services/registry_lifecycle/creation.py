"""Making a registry, and before it its resource group: looked at again, made, read back, and told item by item.

Creating is a PUT, which changes a registry that is there: it is sent only where another look has found none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from azure.mgmt.containerregistry import models

from services.arm.resource_groups import create_group, find_group
from services.connection.changes import Outcome, changed, refused
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession
from services.registries.reading import find_registry
from services.registries.registry import MODES, Registry
from services.registries.skus import sku_of
from services.registry_lifecycle.creation_plan import CreationPlan, RegistrySpec, plan_creation, read_ground
from services.registry_lifecycle.names import NameScope

_POLL_S = 1.0
# A registry is made within seconds; one whose operation was lost sight of is looked at this often.
_LOOKS_MOST = 60
_NOT_MADE = (Outcome.REFUSED, Outcome.NOT_TRIED)


@dataclass(frozen=True)
class Created:
    """What became of one thing, and why where it failed. ALREADY_DONE: it was there."""

    what: str
    outcome: Outcome
    error: ServiceError | None = None


@dataclass(frozen=True)
class Creation:
    """What became of the group and of the registry; `registry` as read back. `differs`: what of it is not as ordered,
    as a policy may have it, in sentences."""

    order: RegistrySpec
    group: Created
    made: Created
    registry: Registry | None = None
    differs: tuple[str, ...] = ()

    @property
    def left_over(self) -> str:
        """The group that was made for a registry that is not there, "" where none was."""
        alone = self.group.outcome is Outcome.CREATED and self.made.outcome in _NOT_MADE and not self.registry
        return self.order.group if alone else ""


def apply_creation(
    session: AzureSession,
    plan: CreationPlan,
    report: Callable[[str], None] = lambda _state: None,
    stop: Event | None = None,
) -> Creation:
    """Makes what is planned. After `stop` nothing new is begun, and the registry is no longer waited for.

    Raises ServiceError where nothing was made: refused by the plan or by Azure, or something has changed since. What
    fails after that is told in the result, with what was made before it.
    """
    order, stop = plan.order, stop or Event()
    title = f"Could not create the registry {order.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("looking again")
    again = plan_creation(order, read_ground(session, order), None)
    if again.blockers:
        raise changed(title, f"What was not in the way before is now: {' '.join(again.blockers)}")
    group = Created(f"Resource group {order.group}", Outcome.ALREADY_DONE)
    if stop.is_set():
        raise ServiceError(title, "It was stopped before anything was made.", "Start it again.", "Stopped")
    if order.new_group:
        report("making the resource group")
        group = replace(group, outcome=_make_group(session, order))
    what = f"Registry {order.name}"
    if stop.is_set():
        return Creation(order, group, Created(what, Outcome.NOT_TRIED))
    try:
        report("creating the registry")
        _send(session, title, order, report, stop)
        failure = None
    except ServiceError as error:
        failure = error
    report("reading back")
    try:
        found = _read_back(session, order, stop)
    except ServiceError as unread:
        if failure:
            failure = replace(failure, remedy="Whether it was made is not known: look for it before you try again.")
        return Creation(order, group, Created(what, Outcome.NOT_CONFIRMED, failure or unread))
    if found and found.provisioning_state == "Succeeded":  # Where it failed, too: an answer was lost.
        return Creation(order, group, Created(what, Outcome.CREATED), found, tuple(_differences(order, found)))
    if failure and found is None and group.outcome is Outcome.ALREADY_DONE:
        raise failure
    outcome = Outcome.REFUSED if failure else Outcome.NOT_CONFIRMED
    return Creation(order, group, Created(what, outcome, failure), found)


def _read_back(session: AzureSession, order: RegistrySpec, stop: Event) -> Registry | None:
    """The registry once Azure no longer works on it, or as it is when that takes too long. Raises ServiceError."""
    for _ in range(_LOOKS_MOST):
        found = find_registry(session, order.subscription_id, order.group, order.name)
        if found is None or found.provisioning_state not in ("Creating", "Updating") or stop.wait(_POLL_S):
            break
    return found


def _make_group(session: AzureSession, order: RegistrySpec) -> Outcome:
    """Raises ServiceError where the group was not made, as another look tells."""
    try:
        create_group(session, order.subscription_id, order.group, order.location)
    except ServiceError as failure:
        try:
            found = find_group(session, order.subscription_id, order.group)
        except ServiceError:
            raise replace(failure, remedy="Whether the group was made is not known: look for it first.") from failure
        if found is None:
            raise
    return Outcome.CREATED


def _send(session: AzureSession, title: str, order: RegistrySpec, report: Callable[[str], None], stop: Event) -> None:
    with as_service_error(title):
        unsecure = order.name_scope is NameScope.UNSECURE
        client = (session.registries if unsecure else session.registries_preview)(order.subscription_id)
        poller = client.registries.begin_create(order.group, order.name, body_of(order))
        while not poller.done() and not stop.is_set():
            report(f"creating the registry, Azure says {poller.status() or 'nothing yet'}")
            poller.wait(_POLL_S)
        if poller.done():
            poller.result()


def body_of(order: RegistrySpec) -> Any:
    """The registry as it is sent to Azure."""
    registry = models.Registry(
        location=order.location,
        sku=models.Sku(name=order.sku.value),
        tags=dict(order.tags),
        properties=models.RegistryProperties(
            admin_user_enabled=False,
            public_network_access="Enabled" if order.public_access else "Disabled",
            role_assignment_mode=MODES[order.mode],
        ),
    )
    body = registry.as_dict()
    if order.name_scope is not NameScope.UNSECURE:  # No word of it in the SDK's own version of the API.
        body["properties"]["autoGeneratedDomainNameLabelScope"] = order.name_scope.value
    return body


def _differences(order: RegistrySpec, found: Registry) -> Iterator[str]:
    """What of a registry is not as it was ordered."""
    tags = dict(found.tags)
    for what, wanted, there in (
        ("SKU", order.sku.value, str(sku_of(found.sku) or found.sku)),
        ("location", order.location, found.location),
        ("permission mode", order.mode.value, found.access.mode.value),
        ("public access", _on(order.public_access), _on(found.network.public_access)),
        *((f"tag {name}", value, tags.get(name, "missing")) for name, value in order.tags),
    ):
        if wanted != there:
            yield f"Its {what} is {there}, not {wanted}: a policy may have changed it."


def _on(value: bool) -> str:
    return "on" if value else "off"
