"""Names of principals, which only the directory knows: Azure Resource Manager has object ids.

Microsoft Graph is asked with a token of its own, and may refuse who reads all of Azure: then ids stay ids.
https://learn.microsoft.com/graph/api/directoryobject-getbyids
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from azure.core.rest import HttpRequest

from services.arm.pages import entries_of
from services.connection.answers import json_of, read_entries
from services.connection.errors import ServiceError, as_service_error
from services.connection.names import is_guid
from services.connection.parallel import Partial, parallel_map
from services.connection.session import AzureSession

Value = TypeVar("Value")

# The most that one request may ask for.
BATCH = 1000
_TITLE = "Could not read the names of principals"
_KINDS = {
    "#microsoft.graph.user": "user",
    "#microsoft.graph.group": "group",
    "#microsoft.graph.servicePrincipal": "service principal",
    "#microsoft.graph.device": "device",
}


@dataclass(frozen=True)
class Named:
    """One principal as the directory has it. `name` "" where it is hidden; `sign_in`: a user's name to sign in
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
    batches = [wanted[at : at + BATCH] for at in range(0, len(wanted), BATCH)]
    read = parallel_map(
        lambda batch: (batch, _by_ids(session, batch)), batches, name=lambda batch: f"{len(batch)} names"
    )
    found = {named.id.lower(): named for _, of_batch in read.values for named in of_batch.values}
    # An entry that could not be understood may be any of its batch: of those without another, none is known as missing.
    asked = {one for batch, of_batch in read.values if of_batch.complete for one in batch}
    refused = (*read.refused, *(refusal for _, of_batch in read.values for refusal in of_batch.refused))
    return Names(found, frozenset(asked - found.keys()), refused[0].error if refused else None)


def _by_ids(session: AzureSession, batch: list[str]) -> Partial[Named]:
    body = {"ids": batch, "types": ["user", "group", "servicePrincipal", "device"]}
    request = HttpRequest("POST", f"{session.endpoints.graph}/v1.0/directoryObjects/getByIds", json=body)
    return ask_directory(
        session, _TITLE, request, lambda answer: read_entries("names", entries_of(answer), named_principal)
    )


def ask_directory(session: AzureSession, title: str, request: HttpRequest, parse: Callable[[Any], Value]) -> Value:
    """What `parse` makes of Graph's answer to a request. Raises ServiceError under `title`, also where `parse` can make
    nothing of it (BadAnswer) or the cloud has no directory (NoDirectory)."""
    if not session.endpoints.graph:
        raise ServiceError(title, "No directory is known for this cloud.", "Use object ids.", "NoDirectory")
    with as_service_error(title):
        response = session.graph().send_request(request)
        response.raise_for_status()
        return parse(json_of(response))


def named_principal(document: dict[str, Any], kind: str = "") -> Named:
    """A principal as Graph shows it. `kind`: of a collection whose entries do not say theirs. Raises ValueError for
    one without an object id."""
    kind = _KINDS.get(str(document.get("@odata.type")), kind)
    if document.get("servicePrincipalType") == "ManagedIdentity":
        kind = "managed identity"
    sign_in = document.get("userPrincipalName") or document.get("appId") or ""
    if not is_guid(document["id"]):
        raise ValueError("a principal without an object id")
    return Named(document["id"], str(document.get("displayName") or ""), kind, str(sign_in))
