"""The verdict of all checks, what did not pass with its evidence and fix, what passed as a count; and all as text."""

from collections.abc import Callable, Sequence
from datetime import datetime

import streamlit as st

from services.aks.clusters import Cluster
from services.pull_checks.checks import TITLES, Answer, Check, CheckState, verdict
from services.pull_checks.events import Diagnosis
from services.pull_checks.text import as_text
from services.registries.registry import Registry
from services.wording import continued, counted
from ui.elements.text import plain
from ui.loaders.clusters import PullRun
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.pages import PageLink

_MARKS = {
    CheckState.PASSED: ":green[:material/check:]",
    CheckState.FAILED: ":red-badge[:material/close: failed]",
    CheckState.WARNING: ":orange-badge[:material/warning: warning]",
    CheckState.UNKNOWN: ":gray-badge[:material/help: unknown]",
}
# What is wrong first, then what is not known, then what only advises.
_SHOWN = (CheckState.FAILED, CheckState.UNKNOWN, CheckState.WARNING)
# Where a page of the console has the setting that a check is about.
_FIX_PAGES: dict[str, tuple[PageLink, str]] = {
    "C9": (pages.SETTINGS, "Open network settings"),
    "C10": (pages.SETTINGS, "Open network settings"),
    "C13": (pages.SETTINGS, "Open anonymous pull"),
    "C17": (pages.REPLICAS, "Open replicas"),
}


def show_verdict(
    run: PullRun, *, running: bool, image: bool, with_names: Callable[[str], str], who_can_assign: Callable[[], str]
) -> tuple[Check, ...]:
    """The verdict with its reason in the first sentence, and who can fix it: green only if every check that it needs
    has passed. `with_names`: puts names in place of ids. `who_can_assign`: who can assign a role there (markdown).
    Returns the checks whose evidence it says."""
    checks = run.report.checks
    if running and not any(check.state is CheckState.FAILED for check in checks):
        st.info("The checks are running.", icon=":material/hourglass_empty:")
        return ()
    found = verdict(checks, image=image)
    cluster, registry = (plain(one.name) if one else "" for one in (run.cluster, run.registry))
    match found.answer:
        case Answer.CAN:
            st.success(f"**{cluster} can pull from {registry}**", icon=":material/check_circle:")
        case Answer.CANNOT:
            first, *others = found.failed
            also = f" Also failed: {', '.join(check.title for check in others)}." if others else ""
            fixer = who_can_assign() if first.id == "C6" else _fixer(first, cluster, registry)
            st.error(
                f"**{cluster} can't pull from {registry}**: {plain(continued(with_names(first.evidence)))}{also}\n\n"
                f"**Who can fix it:** {fixer}",
                icon=":material/cancel:",
            )
            return (first,)
        case Answer.PROBABLY:
            lacks = (*(check.title for check in found.undetermined), *(TITLES[one] for one in found.missing))
            unknown = ", ".join(lacks)
            st.warning(f"**{cluster} can probably pull from {registry}.** Unknown: {unknown}", icon=":material/help:")
        case Answer.UNDECIDED:
            why = " ".join(f"{check.title} unknown: {plain(with_names(check.evidence))}" for check in found.decisive)
            missing = ", ".join(TITLES[one] for one in found.missing)
            not_run = f" Did not run: {missing}." if missing else ""
            st.warning(
                f"**Unknown whether {cluster} can pull from {registry}**. {why}{not_run}", icon=":material/help:"
            )
            return found.decisive
    return ()


def _fixer(check: Check, cluster: str, registry: str) -> str:
    """Who can fix what a check found, by the role that it takes. Markdown, as both names."""
    if check.id in ("C15", "C16"):
        return f"anyone who can push to this repository of {registry}"
    if check.id in ("C3", "C4", "C19"):
        return f"anyone with Contributor on the cluster {cluster}"
    return f"anyone with Contributor on {registry}"


def show_checks(
    checks: Sequence[Check],
    with_names: Callable[[str], str],
    seen: Sequence[Diagnosis],
    registry_key: str,
    said: Sequence[Check],
) -> None:
    """What failed, what is unknown and what warns, each in the order of `az aks check-acr`; then what passed, folded.

    `with_names`: puts names in place of ids. `seen`: what a pasted event shows. `said`: the checks whose
    evidence the verdict above says.
    """
    for state in _SHOWN:
        for check in checks:
            if check.state is state:
                with st.container(border=True, gap="xsmall"):
                    _show(check, with_names, seen, registry_key, evidence=check not in said)
    passed = [check for check in checks if check.state is CheckState.PASSED]
    unknown = sum(check.state is CheckState.UNKNOWN for check in checks)
    if passed:
        also = f", {unknown} unknown" if unknown else ""
        label = f"{len(passed)} of {counted(len(checks), 'check')} passed{also}"
        with st.expander(label, icon=":material/check:"), st.container(gap="xsmall"):
            for check in passed:
                st.markdown(f"{_MARKS[check.state]} **{plain(check.title)}**  \n{plain(with_names(check.evidence))}")


def _show(
    check: Check, with_names: Callable[[str], str], seen: Sequence[Diagnosis], registry_key: str, *, evidence: bool
) -> None:
    said = f"  \n{plain(with_names(check.evidence))}" if evidence else ""
    st.markdown(f"{_MARKS[check.state]} **{plain(check.title)}**{said}")
    if quotes := [one.seen for one in seen if check.id in one.checks]:
        st.caption("In the pasted event")
        st.code("\n".join(quotes), language=None, wrap_lines=True)
    elif check.symptom:
        st.caption(f"Typical symptom: {plain(check.symptom)}")
    if check.fix:
        st.markdown(f"**What to do:** {check.fix}")
    if fix := _FIX_PAGES.get(check.id):
        link_to(*fix, registry=registry_key)


def show_text(cluster: Cluster, registry: Registry, run: PullRun, at: datetime, *, image: bool) -> None:
    """All checks as `az aks check-acr` prints them, to paste into a ticket."""
    with st.expander("Checks as text, for a ticket", icon=":material/content_copy:"):
        found = verdict(run.report.checks, image=image)
        st.code(
            as_text(cluster, registry, run.report.checks, found, at, run.report.resolved),
            language=None,
            wrap_lines=True,
        )
