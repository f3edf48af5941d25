"""The groups that principals are in, and their names, for the access review. Cached by who asks."""

from collections.abc import Mapping

import streamlit as st

from services.access.role_assignments import keys_down_to
from services.access_review.reading import asked_of, count_tokens, read_groups, read_groups_everywhere
from services.aks.puller import object_id_of
from services.arm.subscriptions import Subscription
from services.connection.names import is_guid
from services.connection.parallel import Partial
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import Part, show_error, show_partial
from ui.loaders.principals import PrincipalNames, names_from, read_names, sorted_ids
from ui.loaders.registries import BY_ID
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, show_progress, start

# For more principals than these, groups are read only on request: each is a call.
ASKED_AT_ONCE = 200
Read = Partial[tuple[str, frozenset[str]]]


def holders(pulls: Pulls) -> tuple[str, ...]:
    """The object ids of all that hold a role."""
    return sorted_ids(one.principal_id for of_one in pulls.access.values for one in of_one.records.assignments)


def _to_name(pulls: Pulls, principal: str) -> tuple[str, ...]:
    return sorted_ids((*holders(pulls), *filter(is_guid, [principal])))


def show_known(who: str, pulls: Pulls, principal: str) -> PrincipalNames:
    """The names of all that hold a role and of `principal`, with progress where the directory is slow."""
    reading = read_names(who, _to_name(pulls, principal))
    show_progress(reading, "names")
    return names_from(reading, pulls)


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
    show_partial(Part(reading.value, "principal's groups", "principals' groups"))
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
    read_names.clear(who, _to_name(pulls, principal))
    for one in {*ids, principal}:
        groups_everywhere.clear(who, subscriptions, one)
    for registry in pulls.registries.values:
        tokens.clear(who, registry)
        if registry.subscription_id in pulls.by_subscription:
            _groups_at.clear(who, registry, _to_ask(pulls, registry))
