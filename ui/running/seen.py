"""What was seen running, beside tables of tags and images."""

import streamlit as st

from services.running.seen import SeenRunning
from services.wording import counted
from ui.elements.text import ago


def ask_unseen(seen: SeenRunning) -> bool:
    """Whether to show only what no cluster was seen to run."""
    return st.toggle("Not seen running", key="unseen", bind="query-params", help=seen_words(seen))


def seen_words(seen: SeenRunning) -> str:
    """By how many clusters, and since when; and when the apps were read."""
    asked = "Clusters were not asked, or did not answer."
    if seen.since:
        answered = f"{counted(seen.asked, 'cluster')} that answered, the first {ago(seen.since)}"
        asked = f"By {answered}. Others were not asked."
    return f"{asked} By Container Apps, read {ago(seen.apps_at)}." if seen.apps_at else asked


def seen_note(seen: SeenRunning) -> str:
    """As `seen_words`, as short as it stands below a figure."""
    if seen.since:
        return f"{counted(seen.asked, 'cluster')} answered, the first {ago(seen.since)}"
    return f"by Container Apps read {ago(seen.apps_at)}; clusters not asked" if seen.apps_at else "clusters not asked"
