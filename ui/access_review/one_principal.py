"""What one principal may do, on every registry of every subscription, and why."""

import streamlit as st

from services.access_review.who_can import what_can
from services.commands import access as az_access
from services.connection.names import is_guid
from services.connection.parallel import Partial
from services.connection.resource_ids import same_id
from services.pull_checks.matrix import Pulls
from ui.access_review import principals
from ui.access_review.rights import LEGEND, show_reasons, show_rights
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import az_lines, empty
from ui.elements.text import plain
from ui.loaders.principals import PrincipalNames
from ui.navigation.url_choice import widget_key
from ui.runtime.background import show_progress


def choose(principal_id: str) -> None:
    """Chooses a principal, from elsewhere on the page."""
    st.query_params["principal"] = principal_id


def show_principal(who: str, pulls: Pulls, known: PrincipalNames) -> None:
    """What the principal may do that is chosen by name or entered as an object id; the URL remembers it."""
    options = sorted(principals.holders(pulls), key=lambda one: (known.name(one) == one, known.name(one).casefold()))
    named = st.query_params.get("principal", "").lower()
    if named and named not in options:
        options.append(named)

    box = widget_key("chosen principal", named or None)

    def remember() -> None:
        chosen = (st.session_state[box] or "").strip().lower()
        if chosen:
            st.query_params["principal"] = chosen
        else:
            st.query_params.pop("principal", None)

    principal = st.selectbox(
        "Principal",
        options,
        options.index(named) if named else None,
        format_func=lambda one: known.option(one),
        key=box,
        placeholder="A name, or an object id",
        accept_new_options=True,
        on_change=remember,
    )
    principal = (principal or "").strip().lower()
    if not principal:
        empty(":material/person_search:", "No principal chosen", "Choose one above, or enter an object id.")
        return
    if not is_guid(principal):
        st.error("Not an object id: it is a GUID, as `az ad user show --query id` prints.", icon=":material/error:")
        return
    st.markdown(
        f"**{plain(known.label(principal))}**, {plain(known.kind(principal, _assigned_kind(pulls, principal)))}",
        help=f"Object id: `{principal}`",
    )
    found = what_can(
        {subscription: one.records for subscription, one in pulls.by_subscription.items()},
        pulls.registries.values,
        principal,
        groups=dict(_groups(who, pulls, principal).values),
    )
    chosen = show_rights(
        found,
        known,
        f"rights of {principal}",
        "Registries, one per row, with what the principal may do",
        first={"Registry": lambda one: one.registry.name, "Mode": lambda one: one.registry.access.mode.value},
        last={"Subscription": lambda one: one.registry.subscription},
    )
    st.caption(f"{LEGEND}. Press a registry's name to see why.")
    if chosen:
        with st.container(border=True):
            st.subheader(plain(chosen.registry.name), anchor=False)
            show_reasons(chosen, known)
    az_lines(
        *(
            az_access.list_assignments_of(principal, f"/subscriptions/{subscription}")
            for subscription in pulls.by_subscription
        )
    )


def _assigned_kind(pulls: Pulls, principal: str) -> str:
    assignments = (one for of_one in pulls.access.values for one in of_one.records.assignments)
    return next((one.principal_type for one in assignments if same_id(one.principal_id, principal)), "")


def _groups(who: str, pulls: Pulls, principal: str) -> Partial[tuple[str, frozenset[str]]]:
    """The groups of a principal in each subscription. Azure reports them for users and service principals only."""
    if "group" in _assigned_kind(pulls, principal).lower():
        st.info(
            "This is a group. Azure does not report the groups that it is in: what it has through them is unknown.",
            icon=":material/groups:",
        )
        return Partial(())
    subscriptions = tuple(one.subscription for one in pulls.access.values)
    known = pulls.memberships.known_groups.get(principal)
    if known is not None:
        return Partial(tuple((one.id, known) for one in subscriptions))
    reading = principals.groups_everywhere(who, subscriptions, principal)
    show_progress(reading, f"groups of {principal}")
    if reading.error:
        show_error(reading.error)
    show_partial(Part(reading.value, "subscription's groups", "subscriptions' groups"))
    return reading.value
