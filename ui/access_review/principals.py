"""Names of principals and the groups that they are in, cached by identity, for the access review."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from services.access.directory import Names, names_of
from services.access.role_assignments import keys_down_to
from services.access_review.known_principals import known_principals
from services.access_review.reading import asked_of, count_tokens, read_groups, read_groups_everywhere
from services.aks.puller import object_id_of
from services.arm.subscriptions import Subscription
from services.connection.parallel import Partial, Refusal
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import show_error, show_refused
from ui.elements.text import plain
from ui.loaders.registries import BY_ID
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, show_progress, start

# For more principals than these, groups are read only on request: each is a call.
ASKED_AT_ONCE = 200
_GUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
Read = Partial[tuple[str, frozenset[str]]]
_KINDS = {"User": "user", "Group": "group", "ServicePrincipal": "service principal", "ForeignGroup": "foreign group"}


@dataclass(frozen=True)
class Known:
    """What is known of principals: their names from the directory, and what clusters report of their identities."""

    names: Names
    of_clusters: Mapping[str, str]
    subscriptions: Mapping[str, str]

    def name(self, principal_id: str) -> str:
        """Its name, else what a cluster reports of it, else its id."""
        named = self.names.by_id.get(principal_id.lower())
        return (named.name if named else "") or self.of_clusters.get(principal_id.lower(), "") or principal_id

    def with_names(self, sentence: str) -> str:
        """A sentence of services, with the names of principals and subscriptions in place of their ids."""
        return _GUID.sub(lambda found: self.subscriptions.get(found[0].lower()) or self.name(found[0]), sentence)

    def kind(self, principal_id: str, reported: str = "") -> str:
        """Its kind from the directory, else `reported`, as role assignments have it."""
        if principal_id.lower() in self.names.missing:
            return "not in the directory"
        named = self.names.by_id.get(principal_id.lower())
        return (named.kind if named else "") or _KINDS.get(reported, reported) or "not reported"


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=20, validate=fresh)
def _names(who: str, ids: tuple[str, ...]) -> Reading[Names]:
    session = connection.session(who)

    def work(reading: Reading[Names]) -> None:
        reading.report(0, 0, "names")
        reading.value = names_of(session, ids)
        reading.lacks = (Refusal("names", reading.value.unread),) if reading.value.unread else ()

    return start(Names(), work)


def holders(pulls: Pulls) -> tuple[str, ...]:
    """The object ids of all that hold a role."""
    ids = {one.principal_id.lower() for of_one in pulls.access.values for one in of_one.records.assignments}
    return tuple(sorted(ids))


def show_known(who: str, pulls: Pulls) -> Known:
    """The names of all that hold a role: ids at first, where the directory is slow. Says once why some are not read."""
    reading = _names(who, holders(pulls))
    show_progress(reading, "names")
    if unread := reading.error or reading.value.unread:
        st.info(f"Names could not be read: {plain(unread.cause)} Ids are shown instead.", icon=":material/badge:")
    subscriptions = {one.subscription.id.lower(): one.subscription.name for one in pulls.access.values}
    return Known(reading.value, known_principals(pulls.clusters.values).object_ids, subscriptions)


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh, hash_funcs=BY_ID)
def _groups_at(who: str, registry: Registry, principals: tuple[str, ...]) -> Reading[Read]:
    """The groups of each of these principals at one registry."""
    session = connection.session(who)

    def work(reading: Reading[Read]) -> None:
        reading.value = read_groups(session, registry, principals, progress=reading.report, stop=reading.stop)
        reading.lacks = reading.value.refused

    return start(Partial(()), work)


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=200, validate=fresh)
def groups_everywhere(who: str, subscriptions: tuple[Subscription, ...], principal: str) -> Reading[Read]:
    """The groups of one principal, by subscription."""
    session = connection.session(who)

    def work(reading: Reading[Read]) -> None:
        reading.report(0, 0, "groups")
        reading.value = read_groups_everywhere(session, subscriptions, principal)
        reading.lacks = reading.value.refused

    return start(Partial(()), work)


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=200, validate=fresh, hash_funcs=BY_ID)
def tokens(who: str, registry: Registry) -> Reading[int | None]:
    """How many repository tokens a registry has; None until it is known."""
    session = connection.session(who)

    def work(reading: Reading[int | None]) -> None:
        reading.report(0, 0, "tokens")
        reading.value = count_tokens(session, registry)

    return start(None, work)


def show_groups(who: str, pulls: Pulls, registry: Registry) -> Mapping[str, frozenset[str]]:
    """The groups of everybody with a role at a registry and of those who pull for clusters, as far as they are read;
    with progress, and with what refuses. Nothing is asked where no group has a role there, and nothing of those whose
    groups the directory reported."""
    known = pulls.memberships.known_groups
    wanted = _to_ask(pulls, registry)
    if not wanted:
        return known
    asked = f"groups of {registry.id}"
    if len(wanted) > ASKED_AT_ONCE and not st.session_state.get(asked):
        st.markdown(
            "Groups have roles here, and Azure reports the groups of one principal at a time: "
            f"{counted(len(wanted), 'request')}. Until then, what principals have through groups is unknown."
        )
        if not st.button("Read groups", icon=":material/groups:"):
            return known
        st.session_state[asked] = True
    reading = _groups_at(who, registry, wanted)
    show_progress(reading, asked)
    if reading.error:
        show_error(reading.error)
    show_refused(reading.value, "principal's groups", "principals' groups")
    return {**dict(reading.value.values), **known}


def _to_ask(pulls: Pulls, registry: Registry) -> tuple[str, ...]:
    records = pulls.by_subscription[registry.subscription_id].records
    reaching = [one for key in keys_down_to(registry.id) for one in records.by_scope.get(key, ())]
    if all(one.principal_type.lower() in ("user", "serviceprincipal", "device") for one in reaching):
        return ()
    pullers = {object_id_of(one, pulls.memberships).lower() for one in pulls.clusters.values} - {""}
    return tuple(sorted({*asked_of(reaching), *pullers} - pulls.memberships.known_groups.keys()))


def forget(who: str, pulls: Pulls, principal: str) -> None:
    """Reads the names, groups and tokens again that belong to these pulls; `principal` is another whose groups go."""
    ids, subscriptions = holders(pulls), tuple(one.subscription for one in pulls.access.values)
    _names.clear(who, ids)
    for one in {*ids, principal}:
        groups_everywhere.clear(who, subscriptions, one)
    for registry in pulls.registries.values:
        tokens.clear(who, registry)
        if registry.subscription_id in pulls.by_subscription:
            _groups_at.clear(who, registry, _to_ask(pulls, registry))
