"""What only the directory knows of those who pull: their groups, and the object ids of service principals.

Each principal is asked for its groups, and no group for its members: Microsoft Graph v1.0 leaves service principals and
managed identities out of a group's members, so that a list of members would prove nothing about a cluster.
https://learn.microsoft.com/graph/api/directoryobject-getmembergroups
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from azure.core.rest import HttpRequest

from services.access.directory import ask_directory, names_of
from services.arm.pages import entries_of
from services.connection.errors import ServiceError
from services.connection.names import require_object_id
from services.connection.parallel import Progress, Refusal, counter, parallel_map
from services.connection.session import AzureSession

Value = TypeVar("Value")
_GUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Memberships:
    """All ids in lower case; an error in place of a value says why it was not read, and what is absent was not asked.

    `groups`: by object id, the groups that have the principal as a member, nested ones included, as far as they bear on
    anything. `object_ids`: by client id, the service principal's object id, "" where the directory has none. `names`:
    those of groups, by object id; `unread_names`: why some are not among them.
    """

    groups: Mapping[str, frozenset[str] | ServiceError] = field(default_factory=dict)
    object_ids: Mapping[str, str | ServiceError] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    unread_names: ServiceError | None = None

    @property
    def known_groups(self) -> Mapping[str, frozenset[str]]:
        """Those of `groups` that were read."""
        return {one: found for one, found in self.groups.items() if not isinstance(found, ServiceError)}

    @property
    def object_id_values(self) -> tuple[str, ...]:
        """The object ids among `object_ids` that were read."""
        return tuple(one for one in self.object_ids.values() if isinstance(one, str) and one)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What could not be read, by principal."""
        both = (*self.groups.items(), *self.object_ids.items())
        return tuple(Refusal(one, found) for one, found in both if isinstance(found, ServiceError))

    def with_groups(self, groups: Mapping[str, frozenset[str]]) -> "Memberships":
        """The same, and `groups` where the directory did not answer."""
        return replace(self, groups={**self.groups, **groups, **self.known_groups})

    def name(self, group: str) -> str:
        """A group's name, its object id where that was not read."""
        return self.names.get(group.lower()) or group

    def with_names(self, sentence: str) -> str:
        """The sentence with the names of groups in place of their object ids."""
        return _GUID.sub(lambda found: self.name(found[0]), sentence) if self.names else sentence


def read_memberships(
    session: AzureSession,
    principals: Iterable[str],
    client_ids: Iterable[str],
    groups: Iterable[str],
    *,
    progress: Progress | None = None,
) -> Memberships:
    """The object ids of the service principals with these client ids, and the groups of these and of `principals`.

    `groups` are those that bear on anything: no other is in the result, and where there are none nothing is asked about
    groups. One request for each client id and each principal. Never raises ServiceError: a refusal is a value.
    """
    relevant = frozenset(one.lower() for one in groups)
    object_ids = _read_each(session, client_ids, _read_object_id, progress, "service principals")
    found = [one for one in object_ids.values() if isinstance(one, str) and one]

    def read_relevant(session: AzureSession, principal: str) -> frozenset[str]:
        return _read_groups(session, principal) & relevant

    of_each = _read_each(session, (*principals, *found), read_relevant, progress, "groups") if relevant else {}
    named = names_of(session, relevant)
    names = {one: of_one.name for one, of_one in named.by_id.items() if of_one.name}
    return Memberships(of_each, object_ids, names, named.unread)


def _read_groups(session: AzureSession, principal_id: str) -> frozenset[str]:
    """The object ids, in lower case, of all groups of a service principal or managed identity."""
    title = f"Could not read the groups of {principal_id}"
    require_object_id(title, principal_id)
    request = HttpRequest(
        "POST",
        f"{session.endpoints.graph}/v1.0/servicePrincipals/{principal_id}/getMemberGroups",
        json={"securityEnabledOnly": False},
    )
    return frozenset(ask_directory(session, title, request, lambda answer: [_id_of(one) for one in entries_of(answer)]))


def _read_object_id(session: AzureSession, client_id: str) -> str:
    title = f"Could not read the object id of the service principal {client_id}"
    require_object_id(title, client_id)
    request = HttpRequest(
        "GET",
        f"{session.endpoints.graph}/v1.0/servicePrincipals",
        params={"$filter": f"appId eq '{client_id}'", "$select": "id,appId"},
    )
    found = ask_directory(session, title, request, lambda answer: [_id_of(one["id"]) for one in entries_of(answer)])
    return found[0] if found else ""


def _id_of(value: object) -> str:
    """In lower case. Raises ValueError for what is no text: a list with such an entry proves nothing."""
    if not isinstance(value, str):
        raise ValueError("an id is no text")
    return value.lower()


def _read_each(
    session: AzureSession,
    ids: Iterable[str],
    read: Callable[[AzureSession, str], Value],
    progress: Progress | None,
    what: str,
) -> dict[str, Value | ServiceError]:
    wanted = sorted({one.lower() for one in ids if one})
    done = counter(progress, what, len(wanted))
    of_each = parallel_map(lambda one: (one, read(session, one)), wanted, server=session.endpoints.graph, done=done)
    refused: dict[str, Value | ServiceError] = {refusal.what: refusal.error for refusal in of_each.refused}
    return {**refused, **dict(of_each.values)}
