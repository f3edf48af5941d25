"""Public IP addresses by their resource ids, as a cluster names those that it reaches out from."""

from collections.abc import Iterable

from services.cloud import AzureSession
from services.errors import explained
from services.fanout import Partial, each
from services.resources import get_resource


def read_addresses(session: AzureSession, resource_ids: Iterable[str]) -> Partial[tuple[str, str]]:
    """Resource id, in lower case, and address of each public IP address: "" where it has none yet. One request each."""
    wanted = sorted({resource_id.lower() for resource_id in resource_ids})
    return each(lambda resource_id: (resource_id, _address(session, resource_id)), wanted)


def _address(session: AzureSession, resource_id: str) -> str:
    document = get_resource(session, resource_id)
    with explained("Could not read a public address"):
        return str(document["properties"].get("ipAddress") or "")
