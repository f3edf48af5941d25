"""Creates a registry, and its resource group where that is new: checks again, sends, reads back, reports each item.

Creating is a PUT, which would change an existing registry: it is sent only after a second check has found none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from threading import Event

from services.connection.changes import Outcome, changed, refused, unknown
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession
from services.registries.reading import find_registry
from services.registries.registry import Registry
from services.registries.skus import sku_of
from services.registry_lifecycle.creation_plan import CreationPlan, RegistrySpec, read_creation_plan, request_body
from services.registry_lifecycle.group_creation import write_group
from services.registry_lifecycle.names import NameScope

_POLL_S = 1.0
# A registry is created within seconds; where the operation's own status was lost, the registry is read this often.
_MOST_READS = 60
_NOT_CREATED = (Outcome.REFUSED, Outcome.NOT_TRIED)


@dataclass(frozen=True)
class ItemResult:
    """The outcome for one resource, with the error where it failed. ALREADY_DONE: it existed before."""

    what: str
    outcome: Outcome
    error: ServiceError | None = None


@dataclass(frozen=True)
class CreationResult:
    """The outcomes for the group and the registry; `registry` as read back. `differences`: a sentence for each setting
    that is not as specified, which an Azure policy may cause."""

    spec: RegistrySpec
    group: ItemResult
    creation: ItemResult
    registry: Registry | None = None
    differences: tuple[str, ...] = ()

    @property
    def leftover_group(self) -> str:
        """The resource group that was created although its registry was not; "" where there is none."""
        leftover = self.group.outcome is Outcome.CREATED and self.creation.outcome in _NOT_CREATED and not self.registry
        return self.spec.group if leftover else ""


def apply_creation(
    session: AzureSession,
    plan: CreationPlan,
    report: Callable[[str], None] = lambda _state: None,
    stop: Event | None = None,
    on_group: Callable[[ItemResult], None] = lambda _result: None,
) -> CreationResult:
    """Creates what is planned. After `stop` nothing new is sent, and the registry is no longer waited for. `on_group`
    is called with the result of a new group, before the registry is sent.

    Raises ServiceError where nothing was created: refused by the plan or by Azure, or changed since it was planned. A
    later failure is in the result, with what was created before it.
    """
    spec, stop = plan.spec, stop or Event()
    title = f"Could not create the registry {spec.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    again = read_creation_plan(session, spec)
    if again.blockers:
        raise changed(title, f"Blocked since it was planned: {' '.join(again.blockers)}")
    group = ItemResult(f"Resource group {spec.group}", Outcome.ALREADY_DONE)
    if stop.is_set():
        raise ServiceError(title, "It was stopped before anything was created.", "Create it again.", "Stopped")
    if spec.new_group:
        report("creating the resource group")
        try:
            group = replace(group, outcome=write_group(session, spec.subscription_id, spec.group, spec.location))
        except ServiceError as error:
            on_group(replace(group, outcome=Outcome.REFUSED, error=error))
            raise
        on_group(group)
    what = f"Registry {spec.name}"
    if stop.is_set():
        return CreationResult(spec, group, ItemResult(what, Outcome.NOT_TRIED))
    try:
        report("creating the registry")
        _send(session, title, spec, report, stop)
        failure = None
    except ServiceError as error:
        failure = error
    report("verifying")
    try:
        found = _read_back(session, spec, stop)
    except ServiceError as unread:
        if failure:
            failure = unknown(failure)
        return CreationResult(spec, group, ItemResult(what, Outcome.NOT_CONFIRMED, failure or unread))
    if found and found.provisioning_state == "Succeeded":  # Where it failed, too: an answer was lost.
        return CreationResult(
            spec, group, ItemResult(what, Outcome.CREATED), found, tuple(spec_differences(spec, found))
        )
    if failure and found is None and group.outcome is Outcome.ALREADY_DONE:
        raise failure
    outcome = Outcome.REFUSED if failure else Outcome.NOT_CONFIRMED
    return CreationResult(spec, group, ItemResult(what, outcome, failure), found)


def _read_back(session: AzureSession, spec: RegistrySpec, stop: Event) -> Registry | None:
    """The registry once its operation has ended, or as it is when that takes too long. Raises ServiceError."""
    for _ in range(_MOST_READS):
        found = find_registry(session, spec.subscription_id, spec.group, spec.name)
        if found is None or found.provisioning_state not in ("Creating", "Updating") or stop.wait(_POLL_S):
            break
    return found


def _send(session: AzureSession, title: str, spec: RegistrySpec, report: Callable[[str], None], stop: Event) -> None:
    with as_service_error(title):
        unsecure = spec.name_scope is NameScope.UNSECURE
        client = (session.registries if unsecure else session.registries_preview)(spec.subscription_id)
        poller = client.registries.begin_create(spec.group, spec.name, request_body(spec))
        while not poller.done() and not stop.is_set():
            report(f"creating the registry (state: {poller.status() or 'not reported yet'})")
            poller.wait(_POLL_S)
        if poller.done():
            poller.result()


def spec_differences(spec: RegistrySpec, found: Registry) -> Iterator[str]:
    """A sentence for each setting of a registry that is not as specified."""
    tags = dict(found.tags)
    for label, wanted, actual in (
        ("SKU", spec.sku.value, str(sku_of(found.sku) or found.sku)),
        ("location", spec.location, found.location),
        ("permission mode", spec.mode.value, found.access.mode.value),
        ("public access", _on(spec.public_access), _on(found.network.public_access)),
        *((f"tag {name}", value, tags.get(name, "missing")) for name, value in spec.tags),
    ):
        if wanted != actual:
            yield f"Its {label} is {actual}, not {wanted}: an Azure policy may have changed it."


def _on(value: bool) -> str:
    return "on" if value else "off"
