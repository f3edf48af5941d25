"""Names of principals, which only the directory knows: Azure Resource Manager tells object ids.

Microsoft Graph is asked with a token of its own, and may refuse who reads all of Azure: then ids stay ids.
https://learn.microsoft.com/graph/api/directoryobject-getbyids
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure.core.rest import HttpRequest

from services.connection.errors import ServiceError, as_service_error
from services.connection.names import is_guid
from services.connection.parallel import parallel_map
from services.connection.session import AzureSession

# The most that one request may ask for.
BATCH = 1000
_KINDS = {
    "#microsoft.graph.user": "user",
    "#microsoft.graph.group": "group",
    "#microsoft.graph.servicePrincipal": "service principal",
    "#microsoft.graph.device": "device",
}


@dataclass(frozen=True)
class Named:
    """One principal as the directory has it. `name` "" where it may not be told; `sign_in`: a user's name to sign in
    with, or an application's client id, else ""."""

    id: str
    name: str
    kind: str
    sign_in: str = ""


@dataclass(frozen=True)
class Names:
    """`by_id`: by object id in lower case. `missing`: those that the directory was asked for and does not have.

    `unread`: why some, or all, were not read; None where all were.
    """

    by_id: Mapping[str, Named] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    unread: ServiceError | None = None


def names_of(session: AzureSession, ids: Iterable[str]) -> Names:
    """The names of principals by their object ids, a request for each thousand. Never raises ServiceError."""
    wanted = sorted({one.lower() for one in ids if is_guid(one)})
    if not wanted:
        return Names()
    if not session.endpoints.graph:
        return Names(unread=_not_asked("Could not read the names of principals"))
    batches = [wanted[at : at + BATCH] for at in range(0, len(wanted), BATCH)]
    read = parallel_map(
        lambda batch: (batch, _by_ids(session, batch)), batches, name=lambda batch: f"{len(batch)} names"
    )
    found = {named.id.lower(): named for _, of_batch in read.values for named in of_batch}
    asked = {one for batch, _ in read.values for one in batch}
    return Names(found, frozenset(asked - found.keys()), read.refused[0].error if read.refused else None)


def object_id_of_app(session: AzureSession, client_id: str) -> str:
    """The object id of the service principal with that client id, which roles are assigned to. Raises ServiceError:
    InvalidClientId, ApplicationNotFound, and what Graph answers (Authorization_RequestDenied)."""
    title = f"Could not look up the application {client_id}"
    if not is_guid(client_id):  # It becomes part of a filter, between quotes.
        raise ServiceError(title, "That is no client id.", "Copy it from the cluster: it is a GUID.", "InvalidClientId")
    if not session.endpoints.graph:
        raise _not_asked(title)
    with as_service_error(title):
        answer = _json(session, HttpRequest("GET", _url(session, f"servicePrincipals?$filter=appId eq '{client_id}'")))
        found = [str(one["id"]) for one in answer["value"]]
    if not found:
        raise ServiceError(
            title,
            "The directory has no service principal for it.",
            "It may be deleted, or of another tenant than the console's.",
            "ApplicationNotFound",
        )
    return found[0]


def _by_ids(session: AzureSession, batch: list[str]) -> list[Named]:
    body = {"ids": batch, "types": ["user", "group", "servicePrincipal", "device"]}
    with as_service_error("Could not read the names of principals"):
        answer = _json(session, HttpRequest("POST", _url(session, "directoryObjects/getByIds"), json=body))
        return [_named(one) for one in answer["value"]]


def _named(document: dict[str, Any]) -> Named:
    kind = _KINDS.get(str(document.get("@odata.type")), "")
    if document.get("servicePrincipalType") == "ManagedIdentity":
        kind = "managed identity"
    sign_in = document.get("userPrincipalName") or document.get("appId") or ""
    return Named(str(document["id"]), str(document.get("displayName") or ""), kind, str(sign_in))


def _url(session: AzureSession, path: str) -> str:
    return f"{session.endpoints.graph}/v1.0/{path}"


def _json(session: AzureSession, request: HttpRequest) -> dict[str, Any]:
    response = session.graph().send_request(request)
    response.raise_for_status()
    found = response.json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _not_asked(title: str) -> ServiceError:
    return ServiceError(title, "No directory is known for this cloud.", "Use object ids.", "NoDirectory")
