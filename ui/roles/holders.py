"""Role assignments of a registry and the roles that can be assigned, cached, for assigning and removing."""

from collections.abc import Mapping
from datetime import UTC, datetime

import streamlit as st

from services.access.role_assignment_reading import list_assignments_at
from services.access.role_assignments import RoleAssignment
from services.access.role_definitions import BUILT_IN, RoleDefinition
from services.access_review.known_principals import KnownPrincipals, known_principals
from services.aks.clusters import list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.names import is_guid
from services.connection.parallel import Partial
from services.connection.resource_ids import same_id
from services.registries.registry import Registry
from services.roles.assign import assignable
from ui.elements.errors import show_error
from ui.loaders import clusters
from ui.loaders.principals import PrincipalNames, read_names, sorted_ids
from ui.loaders.registries import BY_ID, Loaded, loaded_fresh, read_now
from ui.loaders.roles import definitions
from ui.runtime import connection
from ui.runtime.background import show_progress


@st.cache_resource(ttl="2m", show_spinner="Reading role assignments", max_entries=200, hash_funcs=BY_ID)
def assignments(who: str, registry: Registry) -> Loaded[Partial[RoleAssignment]]:
    """Those on the registry and those that it inherits."""
    return Loaded(list_assignments_at(connection.session(who), registry), datetime.now(UTC))


@st.cache_resource(ttl="10m", show_spinner="Reading clusters", max_entries=50, validate=loaded_fresh)
def _known(who: str) -> Loaded[KnownPrincipals]:
    session = connection.session(who)
    subscriptions = list_subscriptions(session)
    clusters = list_clusters(session, subscriptions.values)
    return read_now(known_principals(clusters.values), subscriptions.refused + clusters.refused)


def of_clusters(who: str) -> KnownPrincipals:
    """What clusters report of principals; nothing if clusters can't be listed, as roles can be assigned without it."""
    try:
        return _known(who).value
    except ServiceError:
        return KnownPrincipals()


def choice_of_roles(who: str, registry: Registry) -> tuple[RoleDefinition, ...]:
    """The roles for registries; if Azure refuses them, the built-in ones that the console knows, and the error."""
    try:
        return assignable(definitions(who, registry.subscription_id, registry.subscription).value.values)
    except ServiceError as error:
        show_error(error)
        return assignable(())


def role_names(who: str, registry: Registry) -> Mapping[str, str]:
    """The names of all roles by GUID; if Azure refuses them, of the built-in ones that the console knows."""
    try:
        found = definitions(who, registry.subscription_id, registry.subscription).value.values
    except ServiceError:
        found = ()
    return {role.id: role.name for role in (*BUILT_IN.values(), *found)}


def names(who: str, registry: Registry, *principals: str) -> PrincipalNames:
    """The names of all that have a role at the registry, and of `principals`. Shows progress where the directory is
    slow."""
    try:
        assigned = assignments(who, registry).value.values
    except ServiceError:
        assigned = ()
    clusters = of_clusters(who).object_ids
    wanted = sorted_ids((*(one.principal_id for one in assigned), *filter(is_guid, principals), *clusters))
    reading = read_names(who, wanted)
    show_progress(reading, f"names at {registry.id}", stop="")
    return PrincipalNames(
        reading.value,
        clusters,
        {registry.subscription_id.lower(): registry.subscription},
        reading.error or reading.value.unread,
        reading.running,
    )


def label(who: str, names: PrincipalNames, principal_id: str) -> str:
    """The principal's name, with '(you)' behind one's own. Not escaped."""
    mine = same_id(principal_id, connection.session(who).identity.object_id)
    return f"{names.label(principal_id)}{' (you)' if mine else ''}"


def forget(who: str, registry: Registry) -> None:
    """Clears the caches that a new or removed assignment makes stale."""
    assignments.clear(who, registry)
    clusters.forget_pulls(who)
