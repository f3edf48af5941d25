"""Whether this console may change anything."""

import streamlit as st

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def may_write() -> bool:
    """Only while it listens on this machine alone: elsewhere, anyone who reaches it would act as its identity."""
    return str(st.get_option("server.address")) in _LOOPBACK


def show_read_only() -> None:
    """Says so where nothing can be changed."""
    if not may_write():
        st.info(
            "Read-only: this console listens beyond this machine, and nobody signs in to it.",
            icon=":material/lock:",
        )
