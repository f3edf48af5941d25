"""Public IP addresses by their resource ids, as a cluster names those that it reaches out from."""

from collections.abc import Iterable
from ipaddress import ip_address

from services.arm.resources import get_resource
from services.connection.errors import as_service_error
from services.connection.parallel import Partial, parallel_map
from services.connection.session import AzureSession


def read_addresses(session: AzureSession, resource_ids: Iterable[str]) -> Partial[tuple[str, str]]:
    """Resource id, in lower case, and address of each public IP address. One request each."""
    wanted = sorted({resource_id.lower() for resource_id in resource_ids})
    return parallel_map(lambda resource_id: (resource_id, read_address(session, resource_id)), wanted)


def read_address(session: AzureSession, resource_id: str) -> str:
    """A public address by its resource id. Raises ServiceError, also where it has none yet."""
    document = get_resource(session, resource_id)
    with as_service_error(f"Could not read the public address {resource_id.rpartition('/')[2]}"):
        return str(ip_address(document["properties"]["ipAddress"]))
