"""Who may do what on one registry, or one repository of it: access without a role, then every principal with one."""

from collections.abc import Callable

import streamlit as st

from services.access.decisions import Verdict
from services.access.permissions import Permission
from services.access_review.who_can import ASKED, Rights, roleless_access, who_can
from services.commands import access as az_access
from services.images.tagging import UNTAG_RULE
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from services.wording import counted
from ui.access_review import principals
from ui.access_review.rights import HEADS, LEGEND, QUESTIONS, show_reasons, show_rights
from ui.elements.errors import show_error
from ui.elements.page import az_lines, empty
from ui.elements.text import plain
from ui.loaders.principals import PrincipalNames
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.url_choice import choose_pills
from ui.runtime.background import show_progress


def show_who(
    who: str,
    pulls: Pulls,
    known: PrincipalNames,
    registry: Registry,
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
    answer = st.container()
    asked = _ask_permissions()
    filters = st.container(horizontal=True, vertical_alignment="bottom")
    with filters:
        search = st.text_input(
            "Search", key="search", type="search", placeholder="Name, id or role", bind="query-params"
        )
        repository = st.text_input("Repository (optional)", key="repository", bind="query-params").strip()
    found = who_can(of_subscription.records, registry, repository or None, groups=groups)
    if not found:
        empty(":material/group_off:", "No principals", "No role assignment reaches this registry.")
        return
    with answer:
        _show_answer(found, asked, f"{registry.name}/{repository}" if repository else registry.name)
    with filters:
        shown = _filtered(found, known, asked, (search or "").casefold().strip())
    chosen = None
    if shown:
        chosen = show_rights(
            shown,
            known,
            f"rights on {registry.id}",
            "Principals, one per row, the privileged first",
            first={"Principal": lambda one: known.label(one.principal_id)},
            last={
                "Kind": lambda one: known.kind(one.principal_id, one.kind),
                "Cluster identity": lambda one: known.role_in_clusters(one.principal_id),
                "Object id": lambda one: one.principal_id,
            },
            asked=asked,
        )
        st.caption(f"{LEGEND}. {len(shown)} shown. Press a name to see why.")
    else:
        empty(":material/filter_alt_off:", "No principal matches", "Clear the search or a filter above.")
    if chosen:
        with st.container(border=True):
            st.subheader(
                plain(known.label(chosen.principal_id)), anchor=False, help=f"Object id: `{chosen.principal_id}`"
            )
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
    if found := roleless_access(registry, reading.value):
        lines = [f"**{plain(one.title)}**: {plain(one.who)} {one.words}" for one in found]
        st.warning("  \n".join(lines), icon=":material/door_open:")


def _ask_permissions() -> tuple[Permission, ...]:
    """The permissions of the question, as the URL has them; none where everything is asked."""
    by_head = {HEADS[one]: one for one in ASKED}
    chosen = choose_pills("may", "Who can", {head: QUESTIONS[one] for head, one in by_head.items()}, tip=UNTAG_RULE)
    return tuple(one for head, one in by_head.items() if head in chosen)


def _show_answer(found: tuple[Rights, ...], asked: tuple[Permission, ...], where: str) -> None:
    """The answer in one sentence, with what is unknown of it."""
    groups = "Groups are listed, but not their members"
    if not asked:
        dangerous = sum(1 for one in found if one.dangers)
        st.markdown(
            f"**{counted(len(found), 'principal')}** with a role that reaches {plain(where)}, {dangerous:,} privileged",
            help=groups,
        )
        return
    verdicts = [[decision.verdict for decision in one.decisions if decision.permission in asked] for one in found]
    possible = [of_one for of_one in verdicts if of_one and Verdict.NO not in of_one]
    unknown = sum(1 for of_one in possible if Verdict.UNKNOWN in of_one)
    unread = sum(1 for of_one in verdicts if not of_one)
    what = " and ".join(QUESTIONS[one].lower() for one in asked)
    also = f", {unknown + unread:,} unknown" if unknown + unread else ""
    certain = counted(len(possible) - unknown, "principal")
    st.markdown(f"**{certain}** with access to {plain(where)} can {what}{also}", help=groups)


def _filtered(
    found: tuple[Rights, ...], known: PrincipalNames, asked: tuple[Permission, ...], text: str
) -> list[Rights]:
    """Those that have `text` in a name, and fit the question and the filters, which are shown here."""
    kinds = sorted({known.kind(one.principal_id, one.kind) for one in found})
    kind = st.multiselect("Kind", kinds, key="kind", bind="query-params", placeholder="Any")
    only = st.toggle("Privileged", key="first", bind="query-params")

    def fits(one: Rights) -> bool:
        named = (
            known.name(one.principal_id),
            one.principal_id,
            *(reason.role for d in one.decisions for reason in d.reasons),
        )
        return (
            any(text in name.casefold() for name in named)
            and all(decision.verdict is not Verdict.NO for decision in one.decisions if decision.permission in asked)
            and (not kind or known.kind(one.principal_id, one.kind) in kind)
            and (not only or bool(one.dangers))
        )

    return [one for one in found if fits(one)]
