"""What surrounds every page: settings, logo, navigation, the identity; without a sign-in no page runs."""

from pathlib import Path

import streamlit as st

from services.connection.errors import SIGN_IN_NEEDED, ServiceError
from ui.elements.errors import show_error
from ui.elements.notices import forget_shown
from ui.elements.page import end_announced, open_heading
from ui.estate.search_box import show_search
from ui.monitoring.tracing import span
from ui.navigation.headings import show_heading
from ui.navigation.pages import PAGES
from ui.navigation.place import follow_url, show_box
from ui.navigation.sidebar import show_identity, show_navigation, show_sample_data
from ui.navigation.url_choice import confirm_url, enter_page
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

# Who asks is known once Azure has answered: until then a new session sees where it is, and where it can go.
NEW = "the session has not been shown a page"
open_heading()
forget_shown()
with st.sidebar:
    above, links, below = st.container(), st.empty(), st.container()
if st.session_state.setdefault(NEW, True):
    show_heading(current)
    with links.container():
        show_navigation("", current)

with span(f"page {current.title}"):
    try:
        connection.check_sign_in()
        session = connection.current()
        identity, asking = connection.person(), session.identity
    except ServiceError as error:
        end_announced()
        st.title("Not signed in", anchor=False)
        show_error(error)
        if error.code != SIGN_IN_NEEDED:
            st.button("Try again", icon=":material/refresh:")
        st.stop()

    who = connection.who()
    follow_url(who, current)
    confirm_url()
    st.session_state[NEW] = False
    show_heading(current)
    with above:
        show_sample_data(session.endpoints.name)
        show_search(who, view.url_path)
        show_box(who)
    with links.container():
        show_navigation(who, current)
    with below:
        show_identity(
            identity,
            session.endpoints.name,
            has_sign_in=connection.has_sign_in(),
            asking=asking if connection.is_shared() else None,
            roles=connection.roles(),
        )
    enter_page(view.url_path)
    view.run()
