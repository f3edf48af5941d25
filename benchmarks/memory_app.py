"""The console's shell, whose pages show a table from memory and nothing else: what a page could at best be."""

import os
from pathlib import Path

import pyarrow as pa
import streamlit as st
from starlette.middleware import Middleware
from streamlit.navigation.page import StreamlitPage

from app import ROOT, lifespan, on_script_error
from ui.runtime.security_headers import SecurityHeaders

# One file a page, named as its address.
TABLES = {
    file.stem: pa.ipc.open_stream(file.read_bytes()).read_all()
    for file in Path(os.environ["BENCHMARK_TABLES"]).glob("*.arrow")
}


def show(page: StreamlitPage) -> None:
    table = TABLES.get(page.url_path)
    if table is not None:
        st.dataframe(table, hide_index=True)
    else:
        # Where the console has its link back to a repository.
        st.page_link("repository.py", label="To the repository")


StreamlitPage.run = show  # type: ignore[method-assign]

app = st.App(
    ROOT / "pages" / "shell.py",
    lifespan=lifespan,
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=on_script_error,
)
