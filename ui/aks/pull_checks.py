"""The verdict of all checks, then each check with its evidence, the pod's event and the fix; and all as text."""

from datetime import datetime

import streamlit as st

from services.aks.clusters import Cluster
from services.pull_checks.checks import Answer, Check, CheckState, verdict
from services.pull_checks.text import as_text
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.loaders.clusters import PullRun

_MARKS = {
    CheckState.PASSED: ":green-badge[:material/check: passed]",
    CheckState.FAILED: ":red-badge[:material/close: failed]",
    CheckState.WARNING: ":orange-badge[:material/warning: warning]",
    CheckState.UNKNOWN: ":gray-badge[:material/help: unknown]",
}


def show_verdict(run: PullRun, *, running: bool, image: bool) -> None:
    """The verdict: green only if every check that it needs has passed."""
    if running and not any(check.state is CheckState.FAILED for check in run.report.checks):
        st.info("The checks are running.", icon=":material/hourglass_empty:")
        return
    found = verdict(run.report.checks, image=image)
    cluster, registry = (plain(one.name) if one else "" for one in (run.cluster, run.registry))
    sentence = f"**{cluster}** ← **{registry}**: {plain(found.sentence)}"
    match found.answer:
        case Answer.CAN:
            st.success(sentence, icon=":material/check_circle:")
        case Answer.CANNOT:
            st.error(sentence, icon=":material/cancel:")
        case Answer.PROBABLY | Answer.UNDECIDED:
            st.warning(sentence, icon=":material/help:")


def show_checks(run: PullRun) -> None:
    """All checks in the order of `az aks check-acr`; those that did not pass with the pod's event and the fix."""
    st.subheader("Checks", anchor=False)
    for check in run.report.checks:
        with st.container(border=check.state is not CheckState.PASSED, gap="xsmall"):
            _show(check)


def _show(check: Check) -> None:
    st.markdown(f"{_MARKS[check.state]} **{plain(check.title)}** :small[{check.id}]  \n{plain(check.evidence)}")
    if check.state is not CheckState.PASSED:
        if check.symptom:
            st.caption("Event of the pod")
            st.code(check.symptom, language=None, wrap_lines=True)
        if check.fix:
            st.markdown(f"**What to do:** {check.fix}")


def show_text(cluster: Cluster, registry: Registry, run: PullRun, at: datetime, *, image: bool) -> None:
    """All checks as `az aks check-acr` prints them, to paste into a ticket."""
    with st.expander("As text, for a ticket", icon=":material/content_copy:"):
        found = verdict(run.report.checks, image=image)
        st.code(
            as_text(cluster, registry, run.report.checks, found, at, run.report.resolved),
            language=None,
            wrap_lines=True,
        )
