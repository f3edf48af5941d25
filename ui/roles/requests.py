"""Requests of signed-in people for role assignments: sent where one may not assign, and listed for those who may."""

from collections.abc import Mapping, Sequence

import streamlit as st

from services.aks.attach import AttachPlan
from services.connection.errors import ServiceError
from services.jobs.requests import Request, ask, fulfil, open_requests, withdraw
from services.roles.assign import AssignmentPlan
from ui.elements.columns import ago_column
from ui.elements.errors import panel, show_error
from ui.elements.notices import say_done
from ui.elements.selectable_table import openable
from ui.elements.text import ago, plain
from ui.loaders import registries as registry_loaders
from ui.navigation.links import open_page
from ui.navigation.pages import PAGES, PageLink
from ui.runtime import connection
from ui.runtime.background import show_progress
from ui.runtime.database import database


def offer_request(
    who: str, plan: AttachPlan | AssignmentPlan, whose: str, page: PageLink, query: Mapping[str, str]
) -> None:
    """The button that sends a request, or since when it is sent.

    Nothing where people do not sign in, as nobody else finds it, nor where more blocks the plan than the missing right.
    """
    missing_alone = plan.may is False and len(plan.blockers) == 1
    if not connection.has_sign_in() or not missing_alone or plan.nothing_to_do:
        return
    planned = plan.assignment
    title = f"{planned.role_name} on {plan.registry.name} for {whose}"
    with panel():
        mine = [one for one in open_requests(database()) if one.who == who and one.assignment == planned.name]
        if mine:
            st.info(
                f"Requested {ago(mine[0].asked)}: whoever may assign it finds it under Activity.",
                icon=":material/mail:",
            )
        elif st.button("Send request", icon=":material/mail:"):
            login = connection.current().identity.login or connection.current().identity.name
            ask(
                database(), who, login, scope=planned.scope, assignment=planned.name, title=title,
                page=page.url_path, query=query,
            )  # fmt: skip
            say_done("Request sent: whoever may assign it finds it under Activity.")
            st.rerun()


def close_requests(who: str, plan: AttachPlan | AssignmentPlan) -> None:
    """Closes what was asked for by an assignment that was made. Where it can't, the request stays open, and says so."""
    try:
        fulfil(database(), who, plan.assignment.scope, plan.assignment.name)
    except ServiceError as error:
        show_error(error)


def show_requests(who: str) -> None:
    """The open requests of `who`, and those for registries that `who` may list. Nothing where people do not sign in."""
    if not connection.has_sign_in():
        return
    with panel():
        found = open_requests(database())
        mine = [one for one in found if one.who == who]
        others = [one for one in found if one.who != who]
        if others:
            others = _listed(who, others)
        if mine or others:
            st.subheader("Requests", anchor=False)
        for one in mine:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"You asked {ago(one.asked)}: **{plain(one.title)}**", width="content")
                if st.button("Withdraw", key=f"withdraw {one.id}", type="tertiary"):
                    withdraw(database(), who, one.id)
                    st.rerun()
        if others:
            _show(others)


def _listed(who: str, asked: Sequence[Request]) -> list[Request]:
    """Those for the registries that the identity's own listing has."""
    reading = registry_loaders.inventory(who)
    show_progress(reading, "inventory of requests")
    known = {registry.id.casefold() for registry in reading.value.registries.values}
    return [one for one in asked if one.scope in known]


def _show(asked: Sequence[Request]) -> None:
    opened = openable(
        asked,
        lambda one: {"Request": one.title, "From": one.login, "Asked": one.asked},
        "requests",
        "Open requests, the newest first",
        columns={"Asked": ago_column()},
        identity=lambda one: one.id,
    )
    if opened and (page := next((one for one in PAGES if one.url_path == opened.page), None)):
        open_page(page, **opened.query)
