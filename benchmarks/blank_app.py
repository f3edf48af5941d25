"""The console with nothing on any page: settings, lifespan and shell are the console's own, each view is blank."""

import streamlit as st
from starlette.middleware import Middleware
from streamlit.navigation.page import StreamlitPage

from app import ROOT, lifespan, on_script_error
from ui.runtime.security_headers import SecurityHeaders

# The shell ends with `view.run()`: what is left is what every page costs.
StreamlitPage.run = lambda _page: None  # type: ignore[method-assign]

app = st.App(
    ROOT / "pages" / "shell.py",
    lifespan=lifespan,
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=on_script_error,
)
