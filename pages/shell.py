"""What surrounds every page: settings, logo, navigation, the identity; without a sign-in no page runs."""

from pathlib import Path

import streamlit as st

from services.connection.errors import ServiceError
from ui.elements.errors import show_error
from ui.estate.search_box import show_search
from ui.navigation.pages import PAGES
from ui.navigation.place import follow_url, show_box
from ui.navigation.sidebar import show_identity, show_navigation, show_sample_data
from ui.navigation.url_choice import enter_page
from ui.runtime import connection

STATIC = Path(__file__).parent.parent / "static"

st.set_page_config(page_title="ACR Console", page_icon=str(STATIC / "favicon.png"), layout="wide")
st.logo(str(STATIC / "logo.svg"), icon_image=str(STATIC / "favicon.png"), size="large")
view = st.navigation(
    [
        st.Page(page.path, title=page.title, icon=page.icon, url_path=page.url_path, default=not page.url_path)
        for page in PAGES
    ],
    position="hidden",
)
current = next(page for page in PAGES if page.url_path == view.url_path)

session = connection.current()
try:
    identity = session.identity
except ServiceError as error:
    st.title("Not signed in", anchor=False)
    show_error(error)
    st.button("Try again", icon=":material/refresh:")
    st.stop()

who = connection.who()
follow_url(who, current)
with st.sidebar:
    show_sample_data(session.endpoints.name)
    show_search(who, view.url_path)
    show_box(who)
    show_navigation(who, current)
    show_identity(identity, session.endpoints.name)
enter_page(view.url_path)
view.run()
