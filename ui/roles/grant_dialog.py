"""The end of a dialog that assigns a role: what is in the way, its line, the button, the administrator's request."""

from collections.abc import Callable

import streamlit as st

from services.aks.attach import AttachPlan
from services.roles import admin_request
from services.roles.assign import GrantPlan
from ui.elements.writing import may_write, show_objections, show_read_only


def confirm_grant(plan: AttachPlan | GrantPlan, write: Callable[[], None]) -> None:
    """`write` is called once the button is pressed."""
    show_objections(plan.blockers, plan.warnings)
    st.code(admin_request.as_az(plan.grant), language="bash", wrap_lines=True)
    show_read_only()
    ready = may_write() and not plan.blockers and not plan.nothing_to_do
    if st.button("Assign the role", type="primary", disabled=not ready):
        write()
    with st.expander("For an administrator: Bicep and Terraform", expanded=plan.may is False):
        st.code(admin_request.as_bicep(plan.grant), language="bicep")
        st.code(admin_request.as_terraform(plan.grant), language="hcl")
