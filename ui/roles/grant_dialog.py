"""The end of a dialog that assigns a role: blockers, command, button, and a request for an administrator."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from services.aks.attach import AttachPlan
from services.roles import admin_request
from services.roles.assign import AssignmentPlan
from ui.elements.writing import Report, confirm_and_run

Result = TypeVar("Result")


def confirm_grant(
    plan: AttachPlan | AssignmentPlan,
    apply: Callable[[Report], Result],
    forget: Callable[[], None],
    done: Callable[[Result], str],
) -> None:
    """`apply`, `forget` and `done` as of `confirm_and_run`."""
    confirm_and_run(
        plan,
        "Assign role",
        apply,
        forget,
        done,
        ready=not plan.nothing_to_do,
    )
    with st.expander("Request for an administrator (Bicep, Terraform)", expanded=plan.may is False):
        st.code(admin_request.as_bicep(plan.assignment), language="bicep")
        st.code(admin_request.as_terraform(plan.assignment), language="hcl")
