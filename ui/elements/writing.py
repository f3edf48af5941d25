"""Whether this console may change anything."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import streamlit as st

from ui.elements.text import plain

Done = TypeVar("Done")

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


def show_objections(blockers: Iterable[str], warnings: Iterable[str] = ()) -> None:
    """What a plan has against itself: why nothing is sent, and what to know before it is."""
    for blocker in blockers:
        st.error(plain(blocker), icon=":material/block:")
    for warning in warnings:
        st.warning(plain(warning), icon=":material/warning:")


def with_status(label: str, work: Callable[[Callable[[str], None]], Done]) -> Done:
    """`work` under `label`, and then under what it reports that it is doing."""
    with st.status(label, expanded=False) as status:
        return work(lambda state: status.update(label=state.capitalize()))


def confirmed(label: str, name: str, *, anything: bool, typed: bool) -> bool:
    """The button that does it; with `typed`, only once the name was typed."""
    show_read_only()
    sure = not typed or st.text_input(f"To confirm, type: {plain(name)}", key=f"confirm {name}", width=420) == name
    return st.button(
        label, type="primary", icon=":material/delete_forever:", disabled=not (anything and sure and may_write())
    )
