"""A row of facts in words at the top of a page, where figures would be too loud."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Fact:
    """A fact with its name, and `beside` a few words below it. All but the name are markdown."""

    label: str
    value: str
    help: str = ""
    beside: str = ""


def show_fact_row(facts: Sequence[Fact], *, width: int = 150) -> None:
    """Shows them side by side, none narrower than `width` pixels."""
    with st.grid(len(facts), min_column_width=width, gap="xsmall"):
        for fact in facts:
            with st.container(border=True, height="stretch", gap="xxsmall"):
                st.markdown(f":small[{fact.label}]", help=fact.help or None)
                st.markdown(f"**{fact.value}**")
                if fact.beside:
                    st.markdown(f":small[{fact.beside}]")
