"""What surrounds every page: settings, logo, navigation, the identity; without a sign-in no page runs."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from services.connection.errors import ServiceError
from services.connection.version import VERSION
from ui.elements.errors import show_error
from ui.elements.text import plain
from ui.navigation.pages import PAGES
from ui.navigation.url_choice import enter_page
from ui.runtime import connection

STATIC = Path(__file__).parent.parent / "static"

st.set_page_config(page_title="ACR Console", page_icon=str(STATIC / "favicon.png"), layout="wide")
st.logo(str(STATIC / "logo.svg"), icon_image=str(STATIC / "favicon.png"), size="large")
sections: dict[str, list[StreamlitPage]] = {}
for page in PAGES:
    sections.setdefault(page.section, []).append(
        st.Page(
            page.path,
            title=page.title,
            icon=page.icon,
            url_path=page.url_path,
            default=not page.url_path,
            visibility="visible" if page.listed else "hidden",
        )
    )
view = st.navigation(sections, expanded=True)

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
        f":material/domain: {plain(identity.tenant_id)}  \n"
        f":small[ACR Console {VERSION}]"
    )
    # Our own script: Streamlit would add two entries to the browser's history for a page opened from a table.
    st.html('<script src="/brand/history.js"></script>', unsafe_allow_javascript=True)

enter_page(view.url_path)
view.run()
