"""What was seen running, beside tables of tags and images."""

import streamlit as st

from services.running.seen import SeenRunning
from services.wording import counted
from ui.elements.text import ago


def ask_unseen(seen: SeenRunning) -> bool:
    """Whether to show only what no cluster was seen to run."""
    return st.toggle("Not seen running", key="unseen", bind="query-params", help=seen_words(seen))


def seen_words(seen: SeenRunning) -> str:
    """By how many clusters, and since when."""
    return f"By {counted(seen.asked, 'cluster')} that answered, the first {ago(seen.since)}. Others were not asked."
