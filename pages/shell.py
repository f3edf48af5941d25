"""Around every view: page settings, logo, navigation, who is signed in where, and the gate."""

from pathlib import Path

import streamlit as st

from services.connection.errors import ServiceError
from ui.elements.errors import show_error
from ui.elements.text import plain
from ui.runtime import connection

STATIC = Path(__file__).parent.parent / "static"

st.set_page_config(page_title="ACR Console", page_icon=str(STATIC / "favicon.png"), layout="wide")
st.logo(str(STATIC / "logo.svg"), icon_image=str(STATIC / "favicon.png"), size="large")
view = st.navigation(
    {
        "Registries": [
            st.Page("inventory.py", title="Inventory", icon=":material/inventory_2:", default=True),
            st.Page("create.py", title="Create a registry", icon=":material/add_box:", url_path="create"),
            st.Page("repositories.py", title="Repositories and tags", icon=":material/sell:", url_path="repositories"),
            st.Page("push.py", title="Push and import", icon=":material/upload:", url_path="push"),
            st.Page("storage.py", title="Storage", icon=":material/database:", url_path="storage"),
            st.Page("deletions.py", title="Deletions", icon=":material/history:", url_path="deletions"),
            st.Page("registry.py", title="Registry", url_path="registry", visibility="hidden"),
            st.Page("sign_in.py", title="Sign in", url_path="sign-in", visibility="hidden"),
            st.Page("settings.py", title="Settings", url_path="settings", visibility="hidden"),
            st.Page("webhooks.py", title="Webhooks", url_path="webhooks", visibility="hidden"),
            st.Page("replicas.py", title="Replicas", url_path="replicas", visibility="hidden"),
            st.Page("tokens.py", title="Tokens", url_path="tokens", visibility="hidden"),
            st.Page("repository.py", title="Repository", url_path="repository", visibility="hidden"),
            st.Page("image.py", title="Image", url_path="image", visibility="hidden"),
            st.Page("delete.py", title="Delete", url_path="delete", visibility="hidden"),
            st.Page("clean_up.py", title="Clean up", url_path="cleanup", visibility="hidden"),
        ],
        "Cost": [
            st.Page("sku_comparison.py", title="SKU comparison", icon=":material/compare_arrows:", url_path="skus"),
            st.Page("cost_review.py", title="Cost review", icon=":material/receipt_long:", url_path="costs"),
        ],
        "AKS": [
            st.Page("integration_checker.py", title="Integration checker", icon=":material/hub:", url_path="aks"),
            st.Page("pull_matrix.py", title="Pull matrix", icon=":material/grid_on:", url_path="matrix"),
        ],
        "Access": [
            st.Page("roles.py", title="Roles", icon=":material/badge:", url_path="roles"),
            st.Page("access_review.py", title="Who can", icon=":material/admin_panel_settings:", url_path="access"),
            st.Page("assign.py", title="Assign a role", icon=":material/person_add:", url_path="assign"),
        ],
    },
    expanded=True,
)

session = connection.current()
try:
    identity = session.identity
except ServiceError as error:
    st.title("Not signed in", anchor=False)
    show_error(error)
    st.button("Try again", icon=":material/refresh:")
    st.stop()

with st.sidebar:
    st.markdown(
        f":material/cloud: **{session.endpoints.name}**  \n"
        f":material/person: {plain(identity.name)}  \n"
        f":material/domain: {plain(identity.tenant_id)}"
    )

view.run()
