"""Public IP addresses by their resource ids, as a cluster names those that it reaches out from."""

from collections.abc import Iterable, Mapping

from azure.core.rest import HttpRequest

from services.cloud import AzureSession
from services.errors import ServiceError, explained
from services.fanout import Partial, each

# https://learn.microsoft.com/rest/api/virtualnetwork/public-ip-addresses/get
API_VERSION = "2024-05-01"


def read_addresses(session: AzureSession, resource_ids: Iterable[str]) -> Partial[tuple[str, str]]:
    """Resource id, in lower case, and address of each public IP address: "" where it has none yet. One request each."""
    wanted = sorted({resource_id.lower() for resource_id in resource_ids})
    return each(lambda resource_id: (resource_id, _address(session, resource_id)), wanted)


def _address(session: AzureSession, resource_id: str) -> str:
    parts = resource_id.strip("/").split("/")
    if len(parts) < 8 or parts[0] != "subscriptions":
        raise ServiceError(
            "Could not read a public address", f"{resource_id} is no resource id.", "Report it.", "BadAnswer"
        )
    # Read as a generic resource: one address is not worth a package of its own.
    request = HttpRequest("GET", f"{resource_id}?api-version={API_VERSION}")
    with explained(f"Could not read the public address {parts[-1]}"):
        response = session.clusters(parts[1]).send_request(request)
        response.raise_for_status()
        properties: Mapping[str, object] = response.json()["properties"]
        return str(properties.get("ipAddress") or "")
