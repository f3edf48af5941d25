"""A job's record as files."""

import streamlit as st


def show_files(name: str, html: str, json: str) -> None:
    """The buttons that download a record under `name`, without the ending."""
    with st.container(horizontal=True):
        for label, content, ending, kind in (
            ("Download as HTML", html, "html", "text/html"),
            ("Download as JSON", json, "json", "application/json"),
        ):
            st.download_button(
                label,
                content,
                f"{name}.{ending}",
                kind,
                icon=":material/download:",
                on_click="ignore",
                key=f"{name} as {ending}",
            )
