"""Assigning a role on a registry: the form, and the dialog that shows the plan and assigns it."""

from collections.abc import Sequence

import streamlit as st

from services.access.permissions import Permission
from services.access.repository_scope import RepositoryChoice, choice_from
from services.access.role_definitions import RoleDefinition
from services.connection.changes import Outcome
from services.registries.registry import Registry
from services.roles.assign import Assigned, AssignmentPlan, apply_assignment, gives, read_assignment_plan
from services.roles.planned_assignment import PrincipalType
from ui.elements.notices import dialog
from ui.elements.outcomes import WORDS
from ui.elements.text import plain
from ui.elements.writing import dialog_panel
from ui.loaders.registries import BY_ID
from ui.roles import holders
from ui.roles.grant_dialog import confirm_grant
from ui.roles.principal_picker import KIND_WORDS, choose_principal
from ui.runtime import connection


def show_form(who: str, registry: Registry) -> None:
    """The form, filled in from the URL (role, principal, kind, repositories). The URL follows it, so that it can be
    sent to someone who may assign."""
    roles = holders.choice_of_roles(who, registry)
    left, right = st.columns(2)
    below = st.container()
    with left:
        role = _choose_role(roles, registry)
        text = st.text_input(
            "Repositories",
            st.query_params.get("repositories", ""),
            key="repositories to assign for",
            placeholder="All",
            help="In ABAC mode a role can be limited to repositories: team/app, or a prefix with its slash, backend/. "
            "Empty: all.",
        )
    names = holders.names(who, registry, st.query_params.get("principal", ""))
    with right:
        principal, kind = choose_principal(who, names, below)
    chosen = {"principal": principal, "kind": kind} if principal else {}
    _remember(role=role.name if role else "", repositories=text or "", **chosen)
    if role:
        given = ", ".join(gives(role, registry.access.mode)) or "nothing"
        st.caption(f"In {registry.access.mode} mode {plain(role.name)} gives: {given}.")
    ready = role is not None and bool(principal)
    if st.button("Plan assignment", icon=":material/person_add:", type="primary", disabled=not ready) and role:
        assign(who, registry, role, principal, kind, text or "")


def _choose_role(roles: Sequence[RoleDefinition], registry: Registry) -> RoleDefinition | None:
    """The chosen role; those for images are listed first. `?role=` is a name or a GUID."""
    mode = registry.access.mode
    data = {Permission.PULL, Permission.PUSH, Permission.DELETE, Permission.LIST_CATALOG}
    ordered = sorted(
        roles, key=lambda role: not data & {*gives(role, mode)} or any("*" in b.actions for b in role.blocks)
    )
    asked = st.query_params.get("role", "").casefold()
    index = next((at for at, role in enumerate(ordered) if asked in (role.id, role.name.casefold())), None)
    if asked and index is None:
        st.warning(f"There is no role {plain(asked)} for registries: choose one.", icon=":material/warning:")
    return st.selectbox(
        "Role",
        ordered,
        index,
        format_func=lambda role: role.name,
        key="role to assign",
        placeholder="Choose one",
    )


def _remember(**chosen: str) -> None:
    wanted = {"registry": st.query_params.get("registry", ""), **chosen}
    if st.query_params.to_dict() != (kept := {name: value for name, value in wanted.items() if value}):
        st.query_params.from_dict(kept)


@st.cache_data(ttl="30s", show_spinner="Planning", max_entries=50, hash_funcs=BY_ID)
def _plan(
    who: str,
    registry: Registry,
    role: RoleDefinition,
    principal: str,
    kind: PrincipalType,
    choice: RepositoryChoice,
) -> AssignmentPlan:
    client_ids = holders.of_clusters(who).client_ids
    session = connection.session(who)
    return read_assignment_plan(session, registry, role, principal, kind, choice, client_ids=client_ids)


@dialog("Assign role", width="large")
def assign(
    who: str, registry: Registry, role: RoleDefinition, principal: str, kind: PrincipalType, repositories: str
) -> None:
    """Shows the plan of one assignment and applies it, or gives a request to send. `repositories`: as typed."""
    with dialog_panel():
        asked = (who, registry, role, principal, kind, choice_from(repositories))
        plan = _plan(*asked)
        name = holders.label(who, holders.names(who, registry, principal), principal)
        st.markdown(
            f"**{plain(role.name)}** for the {KIND_WORDS[kind]} **{plain(name)}** on **{plain(registry.name)}**, "
            f"for {plain(plan.choice.label)}.",
            help=f"Object id: `{principal}`",
        )
        if plan.nothing_to_do:
            st.success("Nothing to do: the role is already assigned.", icon=":material/check_circle:")
        else:
            st.markdown(f"It gives: {', '.join(plan.gives) or 'nothing'}.")

        def forget() -> None:
            _plan.clear(*asked)
            holders.forget(who, registry)

        confirm_grant(
            who,
            plan,
            lambda report: apply_assignment(connection.session(who), plan, report),
            forget,
            lambda result: _assigned(plan, result),
            whose=f"the {KIND_WORDS[kind]} {name}",
        )


def _assigned(plan: AssignmentPlan, result: Assigned) -> str:
    delay = " It takes up to ten minutes to take effect." if result.outcome is Outcome.CREATED else ""
    return f"{plain(plan.role.name)} on {plain(plan.registry.name)}: {WORDS[result.outcome]}.{delay}"
