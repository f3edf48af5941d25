"""What a promotion's record has besides: the image, what was checked before, and the whole as a file."""

from collections.abc import Iterable

import streamlit as st

from services.jobs.jobs import Job
from services.promotion.checks import Check, Verdict
from services.promotion.jobs import ACTION, promotion_of
from services.promotion.record import as_html, as_json
from services.wording import counted
from ui.elements.text import plain, size

_REFERRERS = "signatures, SBOMs and attestations"
_ICONS = {
    Verdict.PASSED: ":green[:material/check_circle:]",
    Verdict.FAILED: ":red[:material/error:]",
    Verdict.UNKNOWN: ":gray[:material/help:]",
}


def show_checks(checks: Iterable[Check]) -> None:
    """Shows how each check ended, a line each."""
    st.markdown("  \n".join(f"{_ICONS[one.verdict]} **{plain(one.name)}**: {plain(one.why)}" for one in checks))


def show_promotion(job: Job) -> None:
    """Shows what was promoted, its checks, and the downloads of the record; nothing of any other job."""
    if job.action != ACTION:
        return
    found = promotion_of(job)
    if found is None:
        st.markdown("What was checked before is not recorded in a form that this console knows.")
        return
    st.subheader("Promoted", anchor=False)
    st.code(found.source, language=None, wrap_lines=True)
    known = (
        f"{size(found.size)} in {counted(found.manifests, 'manifest')}" if found.size is not None else "Size unknown"
    )
    st.markdown(f"{known}, with {counted(len(found.referrers), 'signature, SBOM or attestation', _REFERRERS)}")
    st.subheader("Checks before", anchor=False)
    show_checks(found.checks)
    if found.unchecked:
        st.markdown(f":gray[:material/remove:] Not checked: {plain(', '.join(found.unchecked))}")
    with st.container(horizontal=True):
        for label, content, ending, kind in (
            ("Download as HTML", as_html(job), "html", "text/html"),
            ("Download as JSON", as_json(job), "json", "application/json"),
        ):
            st.download_button(
                label,
                content,
                f"promotion-{job.id}.{ending}",
                kind,
                icon=":material/download:",
                on_click="ignore",
                key=f"{ending} {job.id}",
            )
