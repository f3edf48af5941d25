"""The end of a dialog that assigns a role: blockers, command, button, and a request for an administrator."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from services.aks.attach import Attached, AttachPlan
from services.roles import admin_request
from services.roles.assign import Assigned, AssignmentPlan
from ui.loaders import clusters
from ui.roles.requests import close_requests, offer_decline, offer_request
from ui.roles.who_can_assign import who_can_assign
from ui.runtime.changes import Report, confirm_and_run

Result = TypeVar("Result", Attached, Assigned)


def confirm_grant(
    who: str,
    plan: AttachPlan | AssignmentPlan,
    apply: Callable[[Report], Result],
    forget: Callable[[], None],
    done: Callable[[Result], str],
    *,
    whose: str,
    label: str = "Assign role",
) -> None:
    """`apply`, `forget` and `done` as of `confirm_and_run`. `whose`: whom the role is for, as text. `label`: of the
    button.

    A request for what is planned is closed once it is there."""

    def apply_and_close(report: Report) -> Result:
        result = apply(report)
        if result.outcome.is_done:
            close_requests(who, plan)
        return result

    if plan.may is False:
        reading = clusters.pulls(who)
        if not reading.running:
            can = who_can_assign(who, reading.value, plan.registry)
            st.markdown(f":material/person_raised_hand: **Who can assign it:** {can}")
        offer_request(who, plan, whose)
    if plan.nothing_to_do:
        close_requests(who, plan)
    offer_decline(who, plan)
    confirm_and_run(
        plan,
        label,
        f"{whose} on {plan.registry.name}".removeprefix("the "),
        apply_and_close,
        forget,
        done,
        ready=not plan.nothing_to_do,
        access=True,
    )
    with st.expander("Copy a request to an administrator", icon=":material/mail:", expanded=plan.may is False):
        st.code(admin_request.as_message(plan.assignment, whose), language=None, wrap_lines=True)
        st.code(admin_request.as_bicep(plan.assignment), language=None)
        st.code(admin_request.as_terraform(plan.assignment), language=None)
