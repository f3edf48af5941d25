"""What a promotion's record has besides: the image, what was checked before, and the whole as a file."""

from collections.abc import Iterable

import streamlit as st

from services.jobs.jobs import Job
from services.promotion.checks import Check, Verdict
from services.promotion.jobs import ACTION, Promotion, promotions_of
from services.promotion.record import as_html, as_json
from services.wording import counted
from ui.elements.text import plain, size
from ui.jobs.files import show_files

_REFERRERS = "signatures, SBOMs and attestations"
_ICONS = {
    Verdict.PASSED: ":green[:material/check_circle:]",
    # Neither good nor bad: whether it is true is not known.
    Verdict.NOT_VERIFIED: ":gray[:material/draw:]",
    Verdict.FAILED: ":red[:material/error:]",
    Verdict.UNKNOWN: ":gray[:material/help:]",
}


def show_checks(checks: Iterable[Check]) -> None:
    """Shows how each check ended, a line each."""
    st.markdown(
        "  \n".join(
            f"{_ICONS[one.verdict]} **{plain(one.name)}** {one.verdict.value.lower()}: {plain(one.why)}"
            for one in checks
        )
    )


def show_promotion(job: Job) -> None:
    """Shows what was promoted, each image with its checks, and the record as files; nothing of any other job."""
    if job.action != ACTION:
        return
    found = promotions_of(job)
    if found is None:
        st.markdown("What was checked before is not recorded in a form that this console knows.")
        return
    st.subheader("Promoted", anchor=False)
    for one in found.images:
        _show_image(one, heading=len(found.images) > 1)
    if found.unchecked:
        st.markdown(f":gray[:material/remove:] Not checked: {plain(', '.join(found.unchecked))}")
    if found.left_out:
        st.subheader("Not promoted", anchor=False)
        st.markdown("\n".join(f"- **{plain(name)}**: {plain(why)}" for name, why in found.left_out))
    show_files(f"promotion-{job.id}", as_html(job), as_json(job))


def _show_image(one: Promotion, *, heading: bool) -> None:
    st.code(one.source, language=None, wrap_lines=True)
    known = f"{size(one.size)} in {counted(one.manifests, 'manifest')}" if one.size is not None else "Size unknown"
    st.markdown(f"{known}, with {_referrers_of(one)}")
    if not heading:
        st.subheader("Checks before", anchor=False)
    if one.checks:
        show_checks(one.checks)
    elif heading:
        st.markdown("No check was chosen.")


def _referrers_of(one: Promotion) -> str:
    number = counted(len(one.referrers), "signature, SBOM or attestation", _REFERRERS)
    if not one.unread:
        return number
    why = plain(one.unread.rstrip("."))
    if not one.referrers:
        return f"unknown {_REFERRERS}: what refers to it could not be read ({why})"
    return f"at least {number}: not all that refers to it was read ({why})"
