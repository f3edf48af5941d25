"""Names of principals and the groups that hold them, cached by identity: what the views of access read."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from services.directory import Names, named_by_clusters, names_of
from services.errors import ServiceError
from services.fanout import Partial
from services.registries import Registry
from services.role_assignments import AccessRecords, keys_down_to
from services.subscriptions import Subscription
from services.who_can_reading import asked_of, count_tokens, read_groups, read_groups_everywhere
from ui import connection
from ui.clusters import Pulls
from ui.reading import Reading, fresh, start

Read = Partial[tuple[str, frozenset[str]]]
_KINDS = {"User": "user", "Group": "group", "ServicePrincipal": "service principal", "ForeignGroup": "group elsewhere"}


@dataclass(frozen=True)
class Known:
    """What is known of principals: their names from the directory, and what clusters tell of their identities."""

    names: Names
    of_clusters: Mapping[str, str]

    def name(self, principal_id: str) -> str:
        """Its name, else what a cluster tells of it, else its id."""
        named = self.names.by_id.get(principal_id.lower())
        return (named.name if named else "") or self.of_clusters.get(principal_id.lower(), "") or principal_id

    def kind(self, principal_id: str, told: str = "") -> str:
        """What it is: of the directory, else as role assignments tell it; whom the directory no longer has is gone."""
        if principal_id.lower() in self.names.missing:
            return "not in the directory"
        named = self.names.by_id.get(principal_id.lower())
        return (named.kind if named else "") or _KINDS.get(told, told) or "not told"


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=20, validate=fresh)
def _names(who: str, ids: tuple[str, ...]) -> Reading[Names]:
    session = connection.session(who)

    def work(reading: Reading[Names]) -> None:
        reading.report(0, 0, "names")
        reading.value = names_of(session, ids)
        if reading.value.unread:
            raise reading.value.unread

    return start(Names(), work)


def known(who: str, pulls: Pulls) -> tuple[Known, ServiceError | None]:
    """The names of all that hold a role, and why some are not read. Waits for them: it is a request or two."""
    ids = {one.principal_id.lower() for of_one in pulls.access.values for one in of_one.records.assignments}
    reading = _names(who, tuple(sorted(ids)))
    reading.finished.wait()
    return Known(reading.value, named_by_clusters(pulls.clusters.values)), reading.error


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def groups_at(who: str, _registry: Registry, registry_id: str, principals: tuple[str, ...]) -> Reading[Read]:
    """The groups of each of these principals at one registry. `registry_id` says which it is."""
    session = connection.session(who)

    def work(reading: Reading[Read]) -> None:
        reading.value = read_groups(session, _registry, principals, progress=reading.report, stop=reading.stop)

    del registry_id
    return start(Partial(()), work)


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=200, validate=fresh)
def groups_everywhere(
    who: str, _subscriptions: tuple[Subscription, ...], subscription_ids: tuple[str, ...], principal: str
) -> Reading[Read]:
    """The groups of one principal, by subscription. `subscription_ids` says of which."""
    session = connection.session(who)

    def work(reading: Reading[Read]) -> None:
        reading.report(0, 0, "groups")
        reading.value = read_groups_everywhere(session, _subscriptions, principal)

    del subscription_ids
    return start(Partial(()), work)


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=200)
def tokens(who: str, _registry: Registry, registry_id: str) -> int:  # noqa: ARG001
    """How many repository tokens a registry has."""
    return count_tokens(connection.session(who), _registry)


def to_ask(records: AccessRecords, registry: Registry) -> tuple[str, ...]:
    """Of whom the groups have to be asked: nobody, where no group holds anything at the registry."""
    reaching = [one for key in keys_down_to(registry.id) for one in records.by_scope.get(key, ())]
    groups = any(one.principal_type.lower() not in ("user", "serviceprincipal", "device") for one in reaching)
    return asked_of(reaching) if groups else ()


def forget() -> None:
    """Reads names, groups and tokens anew, for every session."""
    for cache in (_names, groups_at, groups_everywhere, tokens):
        cache.clear()
