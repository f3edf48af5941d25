"""Who holds a role on one registry; assigning another, and removing one."""

import streamlit as st

from services import az_commands
from ui import connection, role_holders, selection
from ui.assign_role import show_form
from ui.done import show_done
from ui.errors import panel
from ui.page import az_lines, header
from ui.remove_role import show_holders

TITLE, CAPTION = "Assign a role", "A role for one principal on one registry, and who holds one already"

who = connection.who()
top = st.container()
registry = selection.choose_registry(who, TITLE, CAPTION, top, st.container())
at = None
st.subheader("Assign", anchor=False)
with panel():
    show_form(who, registry)
st.subheader("Who holds a role here", anchor=False)
with panel():
    at = role_holders.assignments(who, registry.id, registry).at
    show_holders(who, registry)
with top:
    header(TITLE, CAPTION, at, lambda: role_holders.forget(who, registry.id))
    show_done()
with st.container(horizontal=True):
    here = {"registry": st.query_params["registry"]}
    st.page_link("registry.py", label="The registry", icon=":material/inventory_2:", query_params=here)
    st.page_link("sign_in.py", label="Sign in, and what you may do here", icon=":material/login:", query_params=here)
az_lines(
    az_commands.list_role_assignments(registry.id),
    az_commands.show_resource_id(registry.name),
    label="The same with az",
)
