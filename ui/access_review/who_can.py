"""Who may do what on one registry, or one repository of it: access without a role, then every principal with one."""

from collections.abc import Callable

import streamlit as st

from services.access.decisions import Verdict
from services.access_review.who_can import ASKED, Rights, roleless_access, who_can
from services.commands import access as az_access
from services.images.tagging import UNTAG_RULE
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from services.wording import counted
from ui.access_review import principals
from ui.access_review.rights import HEADS, show_reasons, show_rights
from ui.elements.errors import show_error
from ui.elements.page import az_lines, empty
from ui.elements.text import plain
from ui.loaders.principals import PrincipalNames
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.runtime.background import show_progress


def show_who(
    who: str,
    pulls: Pulls,
    known: PrincipalNames,
    registry: Registry,
    repository: str,
    look_everywhere: Callable[[str], None],
) -> None:
    """`look_everywhere` is called with the object id of the principal to show on all registries."""
    _show_roleless_access(who, registry)
    of_subscription = pulls.by_subscription.get(registry.subscription_id)
    if of_subscription is None:
        st.error(
            f"The role assignments of {plain(registry.subscription)} could not be read: who may do what is unknown.",
            icon=":material/error:",
        )
        return
    for refusal in of_subscription.unread:
        show_error(refusal.error)
    groups = principals.show_groups(who, pulls, registry)
    found = who_can(of_subscription.records, registry, repository or None, groups=groups)
    if not found:
        empty(":material/group_off:", "No principals", "No role assignment reaches this registry.")
        return
    dangerous = sum(1 for one in found if one.dangers)
    st.markdown(
        f"{counted(len(found), 'principal')} with a role that reaches "
        f"{plain(f'{registry.name}/{repository}' if repository else registry.name)}, {dangerous:,} privileged. "
        "Groups are listed, but not their members."
    )
    shown = _filtered(found, known)
    chosen = None
    if shown:
        chosen = show_rights(
            shown,
            known,
            f"rights on {registry.id}",
            "Principals, one per row, the privileged first",
            first={
                "Principal": lambda one: known.name(one.principal_id),
                "Kind": lambda one: known.kind(one.principal_id, one.kind),
            },
            last={
                "Cluster identity": lambda one: known.of_clusters.get(one.principal_id.lower(), ""),
                "Object id": lambda one: one.principal_id,
            },
        )
        st.caption(f"{len(shown)} shown. Select a row to see why. {UNTAG_RULE}")
    else:
        empty(":material/filter_alt_off:", "No principal matches", "Clear the search or a filter above.")
    if chosen:
        with st.container(border=True):
            st.subheader(plain(known.name(chosen.principal_id)), anchor=False)
            st.code(chosen.principal_id, language=None)
            show_reasons(chosen, known)
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    "Show all its registries",
                    icon=":material/travel_explore:",
                    on_click=look_everywhere,
                    args=(chosen.principal_id,),
                )
                link_to(
                    pages.ASSIGN_ROLE,
                    "Assign or remove a role",
                    registry=st.query_params["registry"],
                    principal=chosen.principal_id,
                    kind=chosen.kind,
                )
    az_lines(
        az_access.list_role_assignments(registry.id),
        az_access.list_deny_assignments(registry.id),
        *(az_access.show_role(role) for role in dict.fromkeys(one.role for one in (chosen.held if chosen else ()))),
    )


def _show_roleless_access(who: str, registry: Registry) -> None:
    reading = principals.tokens(who, registry)
    show_progress(reading, f"tokens of {registry.id}")
    if reading.error:
        st.info(f"Repository tokens could not be counted: {plain(reading.error.cause)}", icon=":material/key:")
    for access in roleless_access(registry, reading.value):
        st.warning(f"**{plain(access.title)}**: {plain(access.who)} {access.words}", icon=":material/door_open:")


def _filtered(found: tuple[Rights, ...], known: PrincipalNames) -> list[Rights]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        only = st.toggle("Privileged", key="first", bind="query-params")
        search = st.text_input(
            "Search", key="search", type="search", placeholder="Name, id or role", bind="query-params"
        )
        may = st.multiselect("Permission", [HEADS[one] for one in ASKED], key="may", bind="query-params")
        kinds = sorted({known.kind(one.principal_id, one.kind) for one in found})
        kind = st.multiselect("Kind", kinds, key="kind", bind="query-params")
    text = (search or "").casefold().strip()

    def fits(one: Rights) -> bool:
        named = (
            known.name(one.principal_id),
            one.principal_id,
            *(reason.role for d in one.decisions for reason in d.reasons),
        )
        return (
            any(text in name.casefold() for name in named)
            and all(
                decision.verdict is not Verdict.NO for decision in one.decisions if HEADS[decision.permission] in may
            )
            and (not kind or known.kind(one.principal_id, one.kind) in kind)
            and (not only or bool(one.dangers))
        )

    return [one for one in found if fits(one)]
