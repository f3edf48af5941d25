"""Waits until Azure has ended an operation on a registry that another process began."""

from collections.abc import Callable
from threading import Event

from services.arm.settling import wait_until_settled
from services.connection.errors import if_there, says_not_found
from services.connection.session import AzureSession
from services.registries.reading import describe_registry
from services.registries.registry import Registry


def settled_registry(
    session: AzureSession, registry_id: str, report: Callable[[str], None], stop: Event
) -> Registry | None:
    """The registry once no operation on it runs any more, without usages and replicas; None where there is none.

    Raises ServiceError as `wait_until_settled`.
    """
    return wait_until_settled(
        lambda: if_there(lambda: describe_registry(session, registry_id), says_not_found),
        lambda registry: registry.provisioning_state,
        report,
        stop,
    )
