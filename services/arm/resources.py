"""Resources of any kind, read and put by id as JSON: for kinds of which only a property or two is needed."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from azure.core.rest import HttpRequest

from services.arm.pages import entries_of, pages
from services.connection.answers import json_of
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession

# Ids come from Azure's answers and become part of a URL that gets the token.
_ID = re.compile(r"/subscriptions/[^/?#%\\]+(?:/[^/?#%\\]+)+")
# https://learn.microsoft.com/azure/templates/ names the versions of each kind.
_VERSIONS = {
    # The provider itself.
    "microsoft.containerregistry": "2021-04-01",
    "microsoft.app": "2024-03-01",
    "microsoft.authorization": "2022-04-01",
    "microsoft.authorization/policyassignments": "2022-06-01",
    "microsoft.insights": "2015-04-01",
    "microsoft.insights/diagnosticsettings": "2021-05-01-preview",
    "microsoft.operationalinsights": "2023-09-01",
    "microsoft.network": "2024-05-01",
    "microsoft.network/privatednszones": "2020-06-01",
    "microsoft.managedidentity": "2023-01-31",
}


def get_resource(session: AzureSession, resource_id: str) -> dict[str, Any]:
    """One resource. Raises ServiceError: ResourceNotFound, AuthorizationFailed, InvalidResourceId and others."""
    title = f"Could not read {resource_id.rpartition('/')[2] or 'a resource'}"
    request = _request(session, title, resource_id)
    with as_service_error(title):
        response = session.resources().send_request(request)
        response.raise_for_status()
        found = json_of(response)
        if not isinstance(found, dict):
            raise ValueError("no object")
        return found


def list_resources(session: AzureSession, collection_id: str, title: str = "", **query: str) -> list[Any]:
    """All resources of a collection below a resource, such as a zone's `/A`, of any shape each. Raises ServiceError."""
    title = title or f"Could not list {'/'.join(collection_id.split('/')[-2:])}"
    request = _request(session, title, collection_id, **query)
    with as_service_error(title):
        found = pages(session.resources(), request, session.endpoints.resource_manager)
        return [one for page in found for one in entries_of(page)]


def put_resource(session: AzureSession, resource_id: str, body: Mapping[str, Any]) -> None:
    """Creates or replaces one resource that Azure answers at once. Raises ServiceError."""
    title = f"Could not change {resource_id.rpartition('/')[2]}"
    asked = _request(session, title, resource_id)
    with as_service_error(title):
        session.resources().send_request(HttpRequest("PUT", asked.url, json=dict(body))).raise_for_status()


def _request(session: AzureSession, title: str, resource_id: str, **query: str) -> HttpRequest:
    segments = resource_id.split("/")
    if not _ID.fullmatch(resource_id) or "." in segments or ".." in segments:
        raise ServiceError(
            title, "Not a resource id.", "It came from Azure: report it with the log.", "InvalidResourceId"
        )
    kind = resource_id.lower().rpartition("/providers/")[2].split("/")
    version = _VERSIONS.get("/".join(kind[:2])) or _VERSIONS.get(kind[0])
    if not version:
        raise ServiceError(
            title, f"Resources of {kind[0]} are not read here.", "Open it in the Azure portal.", "InvalidResourceId"
        )
    asked = urlencode({"api-version": version, **{f"${name}": value for name, value in query.items()}})
    return HttpRequest("GET", f"{session.endpoints.resource_manager}{resource_id}?{asked}")
