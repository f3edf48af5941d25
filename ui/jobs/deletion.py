"""What the record of a deletion has besides its items: the policy that it follows, and the whole as a file."""

import streamlit as st

from services.deletion.by_policy import policy_run_of, policy_sentences
from services.deletion.job_export import as_html, as_json
from services.jobs.jobs import Job
from ui.elements.text import plain
from ui.jobs.files import show_files
from ui.navigation import pages
from ui.navigation.links import link_to


def show_policy(job: Job, by: str) -> None:
    """Shows which policy the deletion follows, its ceiling, and who approved it; nothing where it follows none."""
    followed = policy_run_of(job)
    if followed is None:
        return
    first, *others = policy_sentences(followed, by)
    st.markdown(f"**{plain(first)}** {plain(' '.join(others))}")
    if not followed.policy:
        return
    with st.container(horizontal=True):
        link_to(pages.POLICIES, "Open policy", policy=followed.policy)
        if followed.run:
            link_to(
                pages.POLICIES, "Open scheduled run", policy=followed.policy, show="Schedule", proposal=followed.run
            )


def show_deletion_files(job: Job) -> None:
    """The record as files, to be downloaded."""
    show_files(f"deletion-{job.id}", as_html(job), as_json(job))
