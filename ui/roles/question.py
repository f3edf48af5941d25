"""Which role do I need: the form, the least roles, why no other one fits, and the commands that assign them."""

from collections.abc import Mapping

import streamlit as st

from services.access.permissions import Permission
from services.access.repository_scope import ALL, choice_from
from services.access.rights import ABOUT_DATA, DANGERS
from services.access.role_definitions import RoleDefinition
from services.commands.access import assign_role_by_object_id
from services.connection.names import is_guid
from services.registries.registry import Mode, Registry
from services.roles.advice import USE_CASES, Advice, UseCase, advise
from services.roles.descriptions import WORDS
from services.roles.planned_assignment import assignment_name
from ui.elements.errors import panel
from ui.elements.page import empty
from ui.elements.table import show_rows
from ui.elements.text import plain
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.url_choice import check_url

OWN = "Something else"
KINDS = {"ServicePrincipal": "Managed identity or service principal", "Group": "Group", "User": "User"}
_OWN_CASE = UseCase(
    OWN, frozenset(), "The permissions that you choose below.", "The managed identity, group or user that needs them."
)


def ask_role(mode: Mode, registry: Registry | None, roles: Mapping[str, RoleDefinition], registry_key: str) -> None:
    """The form and its answer. `registry_key` is what the URL calls the registry."""
    cases = {case.name: case for case in (*USE_CASES, _OWN_CASE)}

    def answer() -> None:
        st.session_state["kind"] = cases[st.session_state["use"]].principal_type

    check_url("use", "use case", list(cases))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        case = cases[st.selectbox("Use case", list(cases), key="use", bind="query-params", on_change=answer)]
        repositories = st.text_input(
            "Repositories",
            key="repositories",
            bind="query-params",
            placeholder="All, or team/app, backend/",
            help="Names, or prefixes with their slash, separated by commas. Empty: all.",
        )
    st.markdown(case.words)
    wanted = case.wanted
    if case is _OWN_CASE:
        chosen = st.multiselect("Permissions", [one.value for one in Permission], key="do", bind="query-params")
        wanted = frozenset(Permission(one) for one in chosen)
    if not wanted:
        empty(
            ":material/badge:",
            "No permissions chosen",
            "Choose permissions above to see the role that gives no more than these.",
        )
        return
    with panel():
        advice = advise(wanted, mode, choice_from(repositories or ""), roles)
        _show_advice(advice, case, registry)
        if case.name == "AKS cluster":
            link_to(
                pages.INTEGRATION_CHECKER,
                "Attach in the Integration checker, which knows the kubelet identity",
                **({"registry": registry_key} if registry_key else {}),
            )
        for given in advice.given if registry_key else ():
            link_to(
                pages.ASSIGN_ROLE,
                f"Assign {plain(given.role.name)}",
                registry=registry_key,
                role=given.role.id,
                repositories=(repositories or "") if given.condition else "",
            )
        _show_others(advice)
        _show_lines(advice, case, registry)


def _show_advice(advice: Advice, case: UseCase, registry: Registry | None) -> None:
    names = " and ".join(f"**{plain(given.role.name)}**" for given in advice.given)
    if advice.lacks:
        st.error(
            f"No built-in role gives this in {advice.mode} mode: {', '.join(advice.lacks)}.", icon=":material/block:"
        )
    if names:
        reached = ALL if advice.mode is Mode.LEGACY else advice.choice
        for_these = f", for {plain(reached.label)}" if advice.wanted & ABOUT_DATA else ""
        st.success(f"Assign {names} on the registry{for_these}.", icon=":material/recommend:")
    if advice.choice != ALL and advice.mode is Mode.LEGACY:
        st.warning(
            "In Legacy mode a role always applies to all repositories. To limit it, use the registry's ABAC mode, a "
            "separate registry, or a token with a scope map.",
            icon=":material/warning:",
        )
    elif advice.beyond:
        st.warning(
            "Not all of these roles can be limited to repositories. On all repositories they give: "
            f"{', '.join(advice.beyond)}.",
            icon=":material/warning:",
        )
    limited = [given.role.name for given in advice.given if given.condition]
    condition = f"{plain(' and '.join(limited))} for {plain(advice.choice.label)} only" if limited else "none"
    where = f"the registry {plain(registry.name)} itself" if registry else "the registry itself"
    st.markdown(
        f"- **Scope**: {where}, not its resource group or subscription.\n"
        f"- **Condition**: {condition}.\n"
        f"- **Assign it to**: {plain(case.principal)}\n"
        f"- **More than needed**: {', '.join(advice.excess) or 'nothing'}."
    )
    dangers = [f"- {right.capitalize()}: {DANGERS[right]}" for right in advice.excess if right in DANGERS]
    if dangers:
        st.warning("\n".join(("These lead to more access:", *dangers)), icon=":material/warning:")
    traps = [
        f"- {plain(one.role.name)}: {plain(WORDS[one.role.id].trap)}" for one in advice.given if WORDS[one.role.id].trap
    ]
    st.markdown("\n".join(traps))


def _show_others(advice: Advice) -> None:
    if not advice.others:
        return
    with st.expander(f"Why not another role ({len(advice.others)})", icon=":material/rule:"):
        show_rows(
            [{"Role": one.role.name, "Why not": one.words(advice.mode)} for one in advice.others],
            "Roles that are not recommended, and why",
            key="others",
            columns={
                "Role": st.column_config.TextColumn(width="medium"),
                "Why not": st.column_config.TextColumn(width="large"),
            },
        )


def _show_lines(advice: Advice, case: UseCase, registry: Registry | None) -> None:
    if not advice.given:
        return
    st.subheader("Commands", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = list(KINDS)
        kind = st.selectbox(
            "Kind of principal",
            kinds,
            kinds.index(case.principal_type),
            key="kind",
            format_func=KINDS.__getitem__,
            bind="query-params",
        )
        principal = st.text_input(
            "Object id",
            key="principal",
            bind="query-params",
            help="Not the client id. Look it up with `az ad sp show --id CLIENT_ID --query id`, "
            "`az ad group show --group NAME --query id` or `az ad user show --id NAME --query id`.",
        ).strip()
    if principal and not is_guid(principal):
        st.error(
            "Not an object id: it is a GUID, 32 hexadecimal digits in five groups, as the directory shows it.",
            icon=":material/error:",
        )
        principal = ""
    scope = registry.id if registry else "REGISTRY_ID"
    missing = [name for name, there in (("OBJECT_ID", principal), ("REGISTRY_ID", registry)) if not there]
    if missing:
        st.caption(f"To fill in below: {' and '.join(missing)}.")
    lines = [
        assign_role_by_object_id(
            principal or "OBJECT_ID",
            given.role.name,
            scope,
            None if missing else assignment_name(scope, principal, given.role.id),
            condition=given.condition,
            principal_type=kind,
        )
        for given in advice.given
    ]
    st.code("\n".join(lines), language=None, wrap_lines=True)
