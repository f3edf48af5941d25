"""Names of principals: from the directory, and from what clusters report of their identities. Cached by who asks."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from services.access.directory import Names, names_of
from services.access.directory_search import SearchResult, search_directory
from services.access.role_assignments import AccessRecords, RoleAssignment, keys_down_to
from services.access_review.known_principals import known_principals
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from ui.loaders.registries import Loaded, loaded_fresh, read_now
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, show_progress, start

_GUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_KINDS = {"User": "user", "Group": "group", "ServicePrincipal": "service principal", "ForeignGroup": "foreign group"}


@dataclass(frozen=True)
class PrincipalNames:
    """What is known of principals: `directory` is what Microsoft Graph answered, `of_clusters` what clusters report of
    their identities, by object id in lower case. `subscriptions`: names of subscriptions by id. `unread`: why names
    could not be read;
    `running`: they are being read."""

    directory: Names = field(default_factory=Names)
    of_clusters: Mapping[str, str] = field(default_factory=dict)
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    unread: ServiceError | None = None
    running: bool = False

    def name(self, principal_id: str) -> str:
        """Its name, else what a cluster reports of it, else its id."""
        named = self.directory.by_id.get(principal_id.lower())
        return (named.name if named else "") or self.of_clusters.get(principal_id.lower(), "") or principal_id

    def label(self, principal_id: str) -> str:
        """Its name; where there is none, the start of its id and why: '1c733727… (not in the directory)'."""
        name = self.name(principal_id)
        return name if name != principal_id else f"{principal_id[:8]}… ({self.why_unnamed(principal_id)})"

    def directory_label(self, principal_id: str) -> str:
        """As `label`, by the directory alone, whatever clusters report."""
        why = self.why_unnamed(principal_id)
        return f"{principal_id[:8]}… ({why})" if why else self.name(principal_id)

    def why_unnamed(self, principal_id: str) -> str:
        """Why the directory gives it no name; "" where it does."""
        named = self.directory.by_id.get(principal_id.lower())
        if named:
            return "" if named.name else "name hidden by the directory"
        if principal_id.lower() in self.directory.missing:
            return "not in the directory"
        return "name is being read" if self.running else "name not read"

    def option(self, principal_id: str) -> str:
        """Its name with what tells it from another of its name, its id where there is no name."""
        name = self.name(principal_id)
        if name == principal_id:
            return principal_id
        return f"{name} ({self.sign_in(principal_id) or principal_id})"

    def role_in_clusters(self, principal_id: str) -> str:
        """'kubelet identity of aks1', "" for what is no cluster's identity."""
        return self.of_clusters.get(principal_id.lower(), "").removeprefix("the ")

    def with_names(self, sentence: str) -> str:
        """A sentence of services, with the names of principals and subscriptions in place of their ids."""
        return _GUID.sub(lambda found: self.subscriptions.get(found[0].lower()) or self.name(found[0]), sentence)

    @property
    def partial(self) -> Partial[Any]:
        """What could not be read, for the notice of a page."""
        return Partial((), (Refusal("names of principals", self.unread),) if self.unread else ())

    def kind(self, principal_id: str, reported: str = "") -> str:
        """Its kind from the directory, else `reported`, as role assignments have it."""
        if principal_id.lower() in self.directory.missing:
            return "not in the directory"
        named = self.directory.by_id.get(principal_id.lower())
        return (named.kind if named else "") or _KINDS.get(reported, reported) or "not reported"

    def sign_in(self, principal_id: str) -> str:
        """A user's name to sign in with, or an application's client id; "" where it is not known."""
        named = self.directory.by_id.get(principal_id.lower())
        return named.sign_in if named else ""


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=50, validate=fresh)
def read_names(who: str, ids: tuple[str, ...]) -> Reading[Names]:
    """The names of these object ids, in lower case and sorted."""
    session = connection.session(who)

    def work(reading: Reading[Names]) -> None:
        reading.report(0, 0, "names")
        reading.value = names_of(session, ids)
        reading.lacks = (Refusal("names", reading.value.unread),) if reading.value.unread else ()

    return start(Names(), work)


@st.cache_resource(ttl="2m", show_spinner="Searching the directory", max_entries=200, validate=loaded_fresh)
def search(who: str, text: str) -> Loaded[SearchResult]:
    """The principals that the directory finds for a text."""
    result = search_directory(connection.session(who), text)
    return read_now(result, result.refused)


def names_from(reading: Reading[Names], pulls: Pulls) -> PrincipalNames:
    """The names that were read so far, with what clusters report of their identities."""
    return PrincipalNames(
        reading.value,
        known_principals(pulls.clusters.values).object_ids,
        {one.subscription.id.lower(): one.subscription.name for one in pulls.access.values},
        reading.error or reading.value.unread,
        reading.running,
    )


def names_at(who: str, pulls: Pulls, registry: Registry | None) -> PrincipalNames:
    """The names of all that have a role at a registry or above it, and of those who pull for clusters. Shows progress
    where the directory is slow."""
    access = pulls.by_subscription.get(registry.subscription_id) if registry else None
    reaching = assignments_reaching(access.records, registry) if access and registry else ()
    of_clusters = known_principals(pulls.clusters.values).object_ids
    ids = sorted_ids((*(one.principal_id for one in reaching), *of_clusters, *pulls.memberships.object_id_values))
    reading = read_names(who, ids)
    show_progress(reading, f"names {registry.id if registry else ''}", stop="")
    return names_from(reading, pulls)


def sorted_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """The ids in lower case, each once and in order: the same key for the same principals."""
    return tuple(sorted({one.lower() for one in ids if one}))


def assignments_reaching(records: AccessRecords, registry: Registry) -> tuple[RoleAssignment, ...]:
    """The role assignments at a registry and above it."""
    return tuple(one for key in keys_down_to(registry.id) for one in records.by_scope.get(key, ()))
