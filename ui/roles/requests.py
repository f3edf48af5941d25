"""Requests of signed-in people for role assignments: sent where one may not assign, and listed for those who may."""

from collections.abc import Sequence

import streamlit as st

from services.aks.attach import AttachPlan
from services.connection.errors import ServiceError
from services.jobs.requests import (
    MOST_REASON,
    Request,
    Wanted,
    answered_requests,
    ask,
    decline,
    fulfil,
    open_requests,
    requests_for,
    withdraw,
)
from services.roles.assign import AssignmentPlan
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import panel, show_error
from ui.elements.notices import say_done
from ui.elements.selectable_table import openable
from ui.elements.text import ago, plain
from ui.loaders import registries as registry_loaders
from ui.navigation.links import open_page
from ui.navigation.pages import ASSIGN_ROLE
from ui.runtime import connection
from ui.runtime.background import show_progress
from ui.runtime.database import database

_DECLINE, _REASON = "decline request", "reason to decline"


def _takes_requests() -> bool:
    """Where all ask Azure as one identity, nobody carries them out here."""
    return connection.has_sign_in() and not connection.is_shared()


def offer_request(who: str, plan: AttachPlan | AssignmentPlan, whose: str) -> None:
    """The button that sends a request, or since when it is sent.

    Nothing where people do not sign in, as nobody else finds it, nor where more blocks the plan than the missing right.
    """
    missing_alone = plan.may is False and len(plan.blockers) == 1
    if not _takes_requests() or not missing_alone or plan.nothing_to_do:
        return
    wanted = _wanted(plan, whose)
    with panel():
        same = (wanted.assignment, wanted.condition)
        mine = [one for one in open_requests(database(), who) if (one.wanted.assignment, one.wanted.condition) == same]
        if mine:
            text = f"Requested {ago(mine[0].asked)}: whoever may assign it finds it under Activity."
            st.info(text, icon=":material/mail:")
        elif st.button("Send request", icon=":material/mail:"):
            identity = connection.person()
            ask(database(), who, identity.login or identity.name, wanted)
            say_done("Request sent: whoever may assign it finds it under Activity.")
            st.rerun()


def _wanted(plan: AttachPlan | AssignmentPlan, whose: str = "") -> Wanted:
    """What the plan writes, and where the page Assign role plans the very same."""
    planned = plan.assignment
    repositories = ", ".join((*plan.choice.names, *plan.choice.prefixes))
    query = {
        "registry": plan.registry.login_server,
        "role": planned.role,
        "principal": planned.principal_id,
        "kind": planned.principal_type,
        **({"repositories": repositories} if repositories else {}),
    }
    # Whom it is for comes first: a table cuts off the end.
    subject = whose.removeprefix("the ")
    subject = f"{subject[:1].upper()}{subject[1:]}"
    title = f"{subject}: {planned.role_name} on {plan.registry.name}, for {plan.choice.label}"
    return Wanted(planned.scope, planned.name, planned.condition, title, query)


def offer_decline(who: str, plan: AttachPlan | AssignmentPlan) -> None:
    """For who may assign it: whoever asked for it, and a form that declines. Nothing where nobody else asked."""
    if not _takes_requests() or plan.may is not True or plan.nothing_to_do:
        return
    with panel():
        wanted = _wanted(plan)
        # Before they are read: of a tab that was left open it may be closed by now, which is to be said.
        if st.session_state.get(_DECLINE):
            number = decline(database(), who, wanted, st.session_state.get(_REASON, ""))
            say_done(f"{counted(number, 'request')} declined.")
            st.rerun()
        asking = [one for one in requests_for(database(), wanted) if one.who != who]
        if not asking:
            return
        names = ", ".join(f"{plain(one.login)}, {ago(one.asked)}" for one in asking)
        with st.expander("Decline the request", icon=":material/mail:"):
            st.markdown(f"Requested by {names}")
            reason = st.text_input("Reason", placeholder="Shown to whoever asked", max_chars=MOST_REASON, key=_REASON)
            st.button("Decline request", disabled=not (reason or "").strip(), key=_DECLINE)


def show_asked(who: str, registry_id: str) -> None:
    """On the page that a request leads to: who asked for a role of the principal that it shows, and when."""
    if not _takes_requests():
        return
    with panel():
        for one in open_requests(database(), who, [registry_id]):
            if one.who != who and one.wanted.query["principal"] == st.query_params.get("principal"):
                asked = f"Requested by {plain(one.login)} {ago(one.asked)}: {plain(one.wanted.title)}."
                st.info(f"{asked} The plan has a way to decline it.", icon=":material/mail:")


def close_requests(who: str, plan: AttachPlan | AssignmentPlan) -> None:
    """Closes what was asked for by an assignment that is there now. Where it can't, the request stays open, and says
    so."""
    if not _takes_requests():
        return
    try:
        fulfil(database(), who, _wanted(plan))
    except ServiceError as error:
        show_error(error)


def show_requests(who: str) -> None:
    """The open requests of `who`, and those for registries that `who` may list. Nothing where people do not sign in."""
    if not _takes_requests():
        return
    inventory = registry_loaders.inventory(who)
    show_progress(inventory, "inventory of requests")
    with panel():
        found = open_requests(database(), who, [registry.id for registry in inventory.value.registries.values])
        mine = [one for one in found if one.who == who]
        others = [one for one in found if one.who != who]
        answered = answered_requests(database(), who)
        if mine or others or answered:
            st.subheader("Requests", anchor=False)
        for answer in answered:
            by = f" by {plain(answer.by)}" if answer.by else ""
            what = f"{by} {ago(answer.at)}: **{plain(answer.request.wanted.title)}**"
            if answer.done:
                st.success(f"Done{what}", icon=":material/check_circle:")
            else:
                st.info(f"Declined{what}. {plain(answer.reason)}", icon=":material/cancel:")
        for one in mine:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"You asked {ago(one.asked)}: **{plain(one.wanted.title)}**", width="content")
                if st.button("Withdraw", key=f"withdraw {one.id}", type="tertiary"):
                    withdraw(database(), who, one.id)
                    st.rerun()
        if others:
            _show(others)
        if not inventory.value.registries.complete:
            st.caption("There may be more requests: not all registries could be read.")


def _show(asked: Sequence[Request]) -> None:
    opened = openable(
        asked,
        lambda one: {"Request": one.wanted.title, "From": one.login, "Asked": one.asked},
        "requests",
        "Open requests, the newest first",
        columns={"Asked": ago_column()},
        identity=lambda one: one.id,
    )
    if opened:
        open_page(ASSIGN_ROLE, **opened.wanted.query)
