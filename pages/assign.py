"""The role assignments of one registry; assigning a role, and removing one."""

import streamlit as st

from services.access.role_assignments import RoleAssignment
from services.commands import access as az_access
from services.commands import registries as az_registries
from services.connection.parallel import Partial
from ui.elements.errors import Part, panel, show_partial
from ui.elements.notices import show_done
from ui.elements.page import az_lines, header
from ui.navigation import pages, selection
from ui.navigation.headings import heading_of
from ui.navigation.links import link_to
from ui.roles import holders
from ui.roles.assign import show_form
from ui.roles.requests import show_asked
from ui.roles.unassign import show_holders
from ui.runtime import connection

who = connection.who()
registry = selection.ready_registry_of_url(who, pages.ASSIGN_ROLE)
top = st.container()
at = None
st.subheader("Assign", anchor=False)
with panel():
    show_form(who, registry)
st.subheader("Role assignments", anchor=False)
lacks: Partial[RoleAssignment] = Partial(())
with panel():
    read = holders.assignments(who, registry)
    at, lacks = read.at, read.value
    show_holders(who, registry)
with top:
    title, path = heading_of(pages.ASSIGN_ROLE, registry.name)
    header(title, "", at, lambda: holders.forget(who, registry), path)
    show_done()
    show_asked(who, registry.id)
    names = holders.names(who, registry, st.query_params.get("principal", ""))
    show_partial(Part(lacks, "role assignment"), Part(names.partial, "directory", "directories"))
with st.container(horizontal=True):
    here = {"registry": st.query_params["registry"]}
    link_to(pages.REGISTRY, **here)
    link_to(pages.SIGN_IN, **here)
az_lines(
    az_access.list_role_assignments(registry.id),
    az_registries.show_resource_id(registry.name),
    label="The same with az",
)
