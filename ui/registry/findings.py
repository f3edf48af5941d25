"""A registry's findings: those of high and medium risk opened, each with what fixes it; the others as a count."""

from collections.abc import Sequence

import streamlit as st

from services.registries.findings import Finding, FixIn, Risk, findings_of, passed_checks, unread_findings
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.text import plain
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.registry_lifecycle.settings_form import FIX

_SIGNS = {
    Risk.HIGH: ":red[:material/error:]",
    Risk.MEDIUM: ":orange[:material/warning:]",
    Risk.LOW: ":material/info:",
}
_COLOURS = {Risk.HIGH: "red", Risk.MEDIUM: "orange", Risk.LOW: "gray"}
_SETTING_FIXES = {
    "admin_user": "Disable admin user",
    "anonymous_pull": "Disable anonymous pull",
    "default_action": "Restrict networks",
    "arm_audience_tokens": "Refuse ARM tokens",
    "retention_days": "Enable retention policy",
}
_FIXES = {
    FixIn.ABAC_SWITCH: "Plan the switch to ABAC",
    FixIn.STORAGE: "See what takes it",
    FixIn.SKU: "Choose another SKU",
}


def show_findings(registry: Registry, here: dict[str, str]) -> None:
    """Shows the findings, and how many checks passed. `here`: the registry in the URL."""
    found = findings_of(registry)
    urgent = [one for one in found if one.risk is not Risk.LOW]
    low = [one for one in found if one.risk is Risk.LOW]
    st.subheader(_heading(found), anchor=False)
    for one in urgent:
        with st.container(border=True):
            _show(one, here)
    if low:
        with st.expander(counted(len(low), "low-risk finding"), icon=":material/info:"):
            for one in low:
                _show(one, here)
    for what in unread_findings(registry):
        st.markdown(f":material/help: Not checked: **{what}**. The usage of the registry could not be read.")
    passed = passed_checks(registry)
    if passed:
        unread = "".join(f", {what.lower()} could not be read" for what in unread_findings(registry))
        with st.expander(
            f"{counted(len(passed), 'check')} passed{unread}", icon=":material/check_circle:", key="passed"
        ):
            for label in passed:
                st.markdown(f":green[:material/check:] {label}")


def _heading(found: Sequence[Finding]) -> str:
    numbers = [(risk, sum(one.risk is risk for one in found)) for risk in Risk]
    named = ", ".join(f"{number} {risk}" for risk, number in numbers if number)
    return f"Findings ({named} risk)" if named else "No findings"


def _show(finding: Finding, here: dict[str, str]) -> None:
    """One finding: what was seen, what may come of it, the button that opens its fix, and the shell line."""
    badge = f":{_COLOURS[finding.risk]}-badge[{finding.risk} risk]"
    st.markdown(
        f"{_SIGNS[finding.risk]} **{finding.title}** {badge}  \n{plain(finding.reason)} {plain(finding.risk_text)}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        label = _SETTING_FIXES[finding.setting] if finding.fix_in is FixIn.SETTING else _FIXES.get(finding.fix_in, "")
        if label and st.button(label, key=f"fix {finding.title}"):
            _open_fix(finding, here)
        with st.popover("Command", icon=":material/terminal:", type="tertiary", width="content"):
            st.code(finding.fix, language=None, wrap_lines=True)


def _open_fix(finding: Finding, here: dict[str, str]) -> None:
    match finding.fix_in:
        case FixIn.SETTING:
            open_page(pages.SETTINGS, **here, **{FIX: finding.setting})
        case FixIn.ABAC_SWITCH:
            open_page(pages.ACCESS_REVIEW, **here, show="Switch to ABAC")
        case FixIn.STORAGE:
            open_page(pages.STORAGE, **here)
        case FixIn.SKU:
            open_page(pages.SKU_COMPARISON, **here)
